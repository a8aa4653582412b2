"""Accounts that nobody has used for a long time."""

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
    title="Stale",
    severity="medium",
    ends_when="the account is used again, or it is read inactive or gone",
    remedy=Remedy.DEACTIVATE,
    needs=("source.read", "account.active", "owner.state", "account.last_seen"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(3)", "PCI DSS 8.2.6"),
    evidence=("last_seen_at", "stale_days", "active", "owner_state", "match_key", "privileged"),
    lines={"stale_days": counts(POLICY, "day", "days", "without use are allowed for this account")},
    sentence=lambda row: (
        f"The account {row['account']} of {row['who']} in {row['where']} is active and was last used on"
        f" {day(row['last_seen_at'])}; the policy allows {row['stale_days']} days without use."
    ),
    applies=lambda settings: (
        of_a_person() & nw.col("owner_state").is_in(["current", "unknown"]) & ~break_glass(settings)
    ),
)
def stale(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active account of a current owner has not been used for `stale_days`.

    Fires when the application tells the last use and it is at least as many days ago as the policy allows for this
    account: privileged accounts, contractors and guests have less. One that was never used at all is `never_used`.
    Quiet for owners on leave, for service, bot and shared accounts, for accounts without a current owner, and for those
    registered as break-glass: unused is what they should be.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner still works here, or when it was last used: unknown last use is not stale.
    """
    return estate.accounts.filter(
        nw.col("active"),
        nw.col("owner_state") == "current",
        of_a_person(),
        ~break_glass(estate.settings),
        nw.col("last_seen_at_s") <= epoch(now) - nw.col("stale_days") * 86_400,
    )
