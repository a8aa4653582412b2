"""Accounts that stayed open when the identity provider closed its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, rule
from governance.estate import Estate
from governance.lines import IDENTITY_PROVIDER, counts
from governance.settings import Policy, Settings


def _behind_sign_on(settings: Settings) -> nw.Expr:
    """Accounts outside the identity providers themselves, of anybody but leavers."""
    providers = [application.name for application in settings.application if application.identity_provider]
    owned = ~nw.col("owner_id").is_null() & (nw.col("owner_state") != "ended")
    return owned & ~nw.col("application").is_in(providers) if providers else owned


@rule(
    title="Disabled in the identity provider, active in the application",
    severity="high",
    ends_when="the account is read inactive or gone, or an account of the owner in the identity provider is active",
    remedy=Remedy.DEACTIVATE,
    needs=("source.read", "account.active", "sign_on.account", "sign_on.active"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.2", "NIST AC-2(3)", "PCI DSS 8.2.5", "CIS 5.3"),
    evidence=("sign_on_active", "sign_on_accounts", "active", "owner_state", "match_key", "privileged"),
    lines={"sign_on_accounts": counts(IDENTITY_PROVIDER, "account of {row[who]}", "accounts of {row[who]}")},
    sentence=lambda row: (
        f"{row['who']} can no longer sign in to the identity provider; the account {row['account']} in {row['where']}"
        " is still active."
    ),
    applies=_behind_sign_on,
)
def identity_provider_disabled_application_active(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """The owner is disabled in the identity provider, and the account in an application is still active.

    Fires when the owner has accounts in identity providers, every one of them is inactive, and the account in another
    application can sign in. Whoever closed the first forgot the others, or knows what the source does not say yet.
    Quiet when one account in an identity provider is active, for inactive accounts, for the identity providers
    themselves, and for leavers: those are ghosts.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, when no
    identity provider knows the owner, or when none tells whether the owner can sign in.
    """
    return estate.accounts.filter(
        nw.col("active"), ~nw.col("sign_on_active"), nw.col("sign_on_accounts") > 0, _behind_sign_on(estate.settings)
    )
