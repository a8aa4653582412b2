"""Accounts that were used after their owner had left."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import narwhals as nw

from governance.declaration import CLOCKS_DIFFER_BY, Remedy, day, rule
from governance.estate import Estate
from governance.settings import Policy


@rule(
    title="Login after leaving",
    severity="critical",
    ends_when="somebody has looked at what was done and excludes the finding with"
    " a reason, or the source corrects the day of leaving",
    remedy=Remedy.DEACTIVATE,
    needs=("source.read", "owner.state", "owner.ended_at", "owner.left_on", "account.last_seen"),
    controls=("ISO 27001 A.8.16", "SOC 2 CC7.2", "NIST AC-2(12)", "PCI DSS 8.2.5"),
    evidence=("owner_ended_at", "owner_ended_why", "last_seen_at", "active", "match_key", "privileged"),
    sentence=lambda row: (
        f"{row['who']} {row['left']}; the account {row['account']} in {row['where']} was used after that,"
        f" last on {day(row['last_seen_at'])}."
    ),
    applies=lambda _: nw.col("owner_state").is_in(["ended", "unknown"]),
)
def login_after_leaving(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account was used after its owner had left.

    Fires when the last use is more than five minutes after the owner's engagement ended, whether the account is still
    active or not: what was done in between needs to be looked at.
    Quiet when the last use was before, or within five minutes, which the clocks of two systems may differ by.
    Not evaluable when no source of truth was read, when it is not told whether or on which day the owner left (a feed
    that simply drops people does not tell the day), or when the account was last used.
    """
    return estate.accounts.filter(
        nw.col("owner_state") == "ended",
        nw.col("owner_ended_why").fill_null("source") != "absence",
        nw.col("last_seen_at_s") > nw.col("owner_ended_at_s") + CLOCKS_DIFFER_BY // timedelta(seconds=1),
    )
