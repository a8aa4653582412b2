"""Accounts that were made for people who had left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import narwhals as nw

from governance.declaration import CLOCKS_DIFFER_BY, Remedy, day, rule
from governance.estate import Estate
from governance.settings import Policy


@rule(
    title="Created after leaving",
    severity="critical",
    ends_when="the account is read inactive or gone, or the source of truth says that the owner works here or left"
    " later",
    remedy=Remedy.DEACTIVATE,
    needs=(
        *("source.read", "account.active", "owner.state", "owner.ended_at", "owner.left_on"),
        "account.created_at",
    ),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.2", "NIST AC-2(1)", "PCI DSS 8.2.4", "CIS 5.1"),
    evidence=("owner_ended_at", "owner_ended_why", "created_at", "active", "match_key", "privileged"),
    sentence=lambda row: (
        f"{row['who']} {row['left']}; the account {row['account']} in {row['where']} was created after that, on"
        f" {day(row['created_at'])}, and is active."
    ),
    applies=lambda _: nw.col("owner_state").is_in(["ended", "unknown"]),
)
def created_after_leaving(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active account was created after its owner had left.

    Fires when the account is active and was created more than five minutes after its owner's engagement ended: nobody
    should have made it, whoever uses it.
    Quiet when it was created before, or within five minutes, which the clocks of two systems may differ by; for owners
    who work here, also when they came back; and for inactive accounts, since imports make records of people long gone.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether or on
    which day its owner left (a feed that simply drops people does not tell the day), or when the account was created.
    """
    return estate.accounts.filter(
        nw.col("active"),
        nw.col("owner_state") == "ended",
        nw.col("owner_ended_why").fill_null("source") != "absence",
        nw.col("created_at_s") > nw.col("owner_ended_at_s") + CLOCKS_DIFFER_BY // timedelta(seconds=1),
    )
