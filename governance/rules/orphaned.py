"""Accounts that belong to nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, of_a_person, rule
from governance.estate import Estate
from governance.lines import APPLICATION, says
from governance.settings import Policy


@rule(
    title="Orphaned",
    severity="high",
    ends_when="the account is pinned to its owner, or a key of it leads to one, or it is read inactive or gone",
    remedy=Remedy.DECIDE_OWNER,
    needs=("source.read", "account.active"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.2", "NIST AC-2(3)", "PCI DSS 8.2.4"),
    evidence=("match", "email", "employee_id", "active", "candidates", "privileged"),
    lines={"employee_id": says(APPLICATION, "employee id {value}")},
    sentence=lambda row: (
        f"The account {row['account']} in {row['where']} is active and belongs to nobody in the source of truth."
    ),
    applies=lambda _: of_a_person() & (nw.col("match") == "unmatched"),
)
def orphaned(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active account of a person has no owner.

    Fires when neither employee id, e-mail nor a former address of the account leads to an identity. An account whose
    kind is not told counts as a person's. Names only suggest: whom they suggest is shown, and somebody decides.
    A guest nobody answers for is a person too. Quiet for service, bot and shared accounts, which need an accountable
    owner of another kind, for ambiguous matches, and for inactive accounts.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active.
    """
    return estate.accounts.filter(
        nw.col("source_read"), nw.col("active"), nw.col("match") == "unmatched", of_a_person()
    )
