"""Accounts that the identity provider gives nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, rule
from governance.estate import Estate
from governance.settings import Policy, Settings


def _behind_sign_on(settings: Settings) -> nw.Expr:
    """Accounts in applications that people reach through an identity provider."""
    apart = [a.name for a in settings.application if a.identity_provider or a.single_sign_on == "none"]
    return ~nw.col("application").is_in(apart)


@rule(
    title="Not assigned in the identity provider",
    severity="medium",
    ends_when="the owner is assigned to the application in the identity provider, or the account is read inactive or"
    " gone",
    remedy=Remedy.DECIDE,
    needs=("source.read", "account.active", "owner.state", "sign_on.assigned"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.2", "SOC 2 CC6.3", "NIST AC-2(1)", "PCI DSS 7.2.4", "CIS 6.2"),
    evidence=("sign_on_assigned", "sign_on_active", "active", "owner_state", "last_seen_at", "match_key", "privileged"),
    sentence=lambda row: (
        f"{row['who']} has the active account {row['account']} in {row['where']}, but is not assigned to"
        f" {row['where']} in any identity provider."
    ),
    applies=lambda settings: _behind_sign_on(settings) & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def unassigned_in_identity_provider(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Somebody who works here has an active account that no assignment in the identity provider explains.

    Fires when an identity provider knows the application and assigns it to people, but not to the owner, who works here
    or is on leave: the assignment was taken away and the account stayed, or it was made another way.
    Quiet for owners who are assigned, for inactive accounts, for identity providers themselves, for applications
    without single sign-on, and for owners who do not work here: other rules judge those.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner works here, or who is assigned to the application.
    """
    return estate.accounts.filter(
        _behind_sign_on(estate.settings),
        nw.col("active"),
        nw.col("owner_state").is_in(["current", "leave"]),
        ~nw.col("sign_on_assigned"),
    )
