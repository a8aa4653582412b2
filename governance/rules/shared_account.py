"""Accounts that several people use."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, rule
from governance.estate import Estate
from governance.settings import Policy


@rule(
    title="Shared account",
    severity="medium",
    ends_when="the account is registered as protected with a reason and an owner, or it is read inactive or gone",
    remedy=Remedy.DECIDE,
    needs=("account.active", "account.kind"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.1", "NIST AC-2(9)", "PCI DSS 8.2.2", "CIS 5.1"),
    evidence=("kind", "active", "privileged", "mfa"),
    sentence=lambda row: (
        f"The account {row['account']} in {row['where']} is active and shared: what is done with it cannot be traced to"
        " one person."
    ),
    applies=lambda _: (nw.col("kind").is_null() | (nw.col("kind") == "shared")) & ~nw.col("protected").fill_null(False),
)
def shared_account(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active account is shared by several people, and no exception is registered.

    Fires when the application says that the account is a shared one. Norms allow that by exception only: registering
    it under `[[protected]]`, with a reason and an owner, is the exception.
    Quiet for registered accounts, for inactive ones and for all other kinds. An account that the keys of several
    identities lead to has an ambiguous owner instead.
    Not evaluable when it is not told whether the account is active or whether it is a person's.
    """
    return estate.accounts.filter(nw.col("active"), nw.col("kind") == "shared", ~nw.col("protected").fill_null(False))
