"""Privileged accounts of people whose last day is near."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, epoch, rule
from governance.estate import Estate
from governance.lines import OWNERS_SOURCE, says
from governance.settings import Policy


@rule(
    title="Leaving soon with privilege",
    severity="medium",
    ends_when="the privileged access is taken away, the account is read inactive or gone, or the last day is moved",
    remedy=Remedy.REMOVE_GRANT,
    needs=("source.read", "account.active", "owner.state", "account.grants"),
    controls=("ISO 27001 A.6.5", "SOC 2 CC6.3", "NIST AC-2(13)", "PCI DSS 7.2.5", "CIS 6.2"),
    evidence=("leaves_at", "privileged", "active", "owner_state", "match_key"),
    lines={"leaves_at": says(OWNERS_SOURCE, "the engagement ends {value}")},
    sentence=lambda row: (
        f"{row['who']} leaves, the last working day being {row['left'].removeprefix('left on ')}, and the account"
        f" {row['account']} in {row['where']} is still active and privileged."
    ),
    applies=lambda _: ~nw.col("owner_ended_at_s").is_null() & (nw.col("owner_state") != "ended"),
)
def leaving_soon_with_privilege(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Somebody whose last day is near still holds a privileged account.

    Fires when the owner's engagement ends within the policy's `leaving_soon_days`, and the account is active and
    privileged: what it opens is better handed over before the last day than after it.
    Quiet for whoever leaves later or has left (then the account is a ghost), for accounts that hold nothing
    privileged, for inactive ones, and for an end date that has passed while the source says that the owner works here.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner works here, or what the account holds.
    """
    moment = epoch(now)
    return estate.accounts.filter(
        nw.col("active"),
        nw.col("privileged"),
        nw.col("owner_state").is_in(["current", "leave", "future", "missing"]),
        nw.col("owner_ended_at_s") > moment,
        nw.col("owner_ended_at_s") <= moment + policy.leaving_soon_days * 86_400,
    ).with_columns(leaves_at=nw.col("owner_ended_at"))
