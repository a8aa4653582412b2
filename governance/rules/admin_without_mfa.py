"""Privileged accounts that a stolen password opens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, rule
from governance.estate import Estate
from governance.settings import Policy


@rule(
    title="Admin without MFA",
    severity="high",
    ends_when="multi-factor authentication is on, the privileged access is taken away, or the account is read inactive",
    remedy=Remedy.PROTECT,
    needs=("account.active", "account.grants", "account.mfa"),
    controls=("ISO 27001 A.8.5", "SOC 2 CC6.1", "NIST AC-2(7)", "NIST IA-2(1)", "PCI DSS 8.4.1"),
    evidence=("privileged", "mfa", "active", "kind"),
    sentence=lambda row: (
        f"The account {row['account']} in {row['where']} is privileged and active, and multi-factor authentication"
        " is off."
    ),
    applies=lambda _: nw.col("privileged").fill_null(True),
)
def admin_without_mfa(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """A privileged account can sign in without a second factor.

    Fires when the account is active, holds a privileged entitlement and the application says that multi-factor
    authentication is off, whoever owns it.
    Quiet when it is on, for inactive accounts, and for accounts that are known to hold nothing privileged.
    Not evaluable when it is not told whether the account is active, what it holds, or whether multi-factor
    authentication is on.
    """
    return estate.accounts.filter(nw.col("active"), nw.col("privileged"), ~nw.col("mfa"))
