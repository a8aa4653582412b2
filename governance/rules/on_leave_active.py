"""Accounts of people on leave, where the policy wants them closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, of_a_person, rule
from governance.estate import Estate
from governance.settings import Policy, Settings


def _flagged(settings: Settings) -> nw.Expr:
    if settings.policy.on_leave != "flag":
        return nw.lit(False)
    return of_a_person() & nw.col("owner_state").is_in(["leave", "unknown"])


@rule(
    title="Active while on leave",
    severity="low",
    ends_when="the owner is back, the account is read inactive or gone, or the policy allows it",
    remedy=Remedy.DECIDE,
    needs=("source.read", "account.active", "owner.state"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.2", "NIST AC-2(3)", "PCI DSS 8.2.6", "CIS 5.3"),
    evidence=("owner_state", "active", "match_key", "privileged"),
    sentence=lambda row: (
        f"{row['who']} is on leave, and the account {row['account']} in {row['where']} is active, which the policy does"
        " not allow."
    ),
    applies=_flagged,
)
def on_leave_active(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """The owner is on leave, and the account is still active.

    Fires only where the policy says `on_leave = "flag"`, on the active accounts of people whom the source of truth
    calls on leave. Somebody decides about each: nobody on leave has left.
    Quiet where the policy allows it, which is the default; for inactive accounts; and for service, bot and shared
    accounts, which go on working while somebody is away.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active or whether its
    owner works here.
    """
    flagged = nw.lit(policy.on_leave == "flag")
    return estate.accounts.filter(nw.col("active") & flagged, nw.col("owner_state") == "leave", of_a_person())
