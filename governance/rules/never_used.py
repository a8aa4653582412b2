"""Accounts that were created and never used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, day, epoch, of_a_person, rule
from governance.estate import Estate
from governance.lines import POLICY, counts
from governance.settings import Policy
from governance.surroundings import break_glass


@rule(
    title="Never used",
    severity="low",
    ends_when="the account is used, or it is read inactive or gone",
    remedy=Remedy.DEACTIVATE,
    needs=("source.read", "account.active", "owner.state", "account.last_seen", "account.created_at"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(3)", "PCI DSS 8.2.6"),
    evidence=("created_at", "last_seen_at", "never_used_days", "active", "owner_state", "match_key"),
    lines={"never_used_days": counts(POLICY, "day", "days", "never used are allowed for this account")},
    sentence=lambda row: (
        f"The account {row['account']} of {row['who']} in {row['where']} was created on {day(row['created_at'])}"
        f" and has never been used; the policy allows {row['never_used_days']} days."
    ),
    applies=lambda settings: (
        of_a_person()
        & nw.col("owner_state").is_in(["current", "unknown"])
        & nw.col("last_seen_at_s").is_null()
        & ~break_glass(settings)
    ),
)
def never_used(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active account of a current owner was created more than `never_used_days` ago and never used.

    Fires when the application says that nobody ever signed in and the account is at least as old as the policy allows.
    Quiet when it was used once (then `stale` judges it), for owners on leave or not yet here, for service, bot and
    shared accounts, for accounts without a current owner, and for those registered as break-glass: unused is what they
    should be.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner still works here, whether it was ever used, or when it was created.
    """
    return estate.accounts.filter(
        nw.col("active"),
        nw.col("owner_state") == "current",
        of_a_person(),
        ~break_glass(estate.settings),
        nw.col("last_seen_known"),
        nw.col("last_seen_at_s").is_null(),
        nw.col("created_at_s") <= epoch(now) - nw.col("never_used_days") * 86_400,
    )
