"""Accounts of externals whose contract is over."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, day, epoch, rule
from governance.estate import Estate
from governance.lines import OWNERS_SOURCE, says
from governance.settings import Policy


@rule(
    title="Contract expired",
    severity="high",
    ends_when="the contract is extended in the source of truth, or the account is read inactive or gone",
    remedy=Remedy.DEACTIVATE,
    needs=("source.read", "account.active", "owner.state"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.2", "NIST AC-2(3)", "PCI DSS 8.2.5"),
    evidence=("owner_contract_end", "owner_kind", "owner_state", "active", "match_key"),
    lines={"owner_contract_end": says(OWNERS_SOURCE, "the contract ended {value}")},
    sentence=lambda row: (
        f"The contract of {row['who']} ended on {day(row['owner_contract_end'])} without an extension;"
        f" the account {row['account']} in {row['where']} is still active."
    ),
    applies=lambda _: nw.col("owner_kind").is_in(["contractor", "guest"]),
)
def contract_expired(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """A contractor's or guest's contract is over, and the account is still active.

    Fires when the source says that the owner still works here or is on leave, but the contract's end has passed.
    Quiet for employees, for contracts with an open end, for inactive accounts, and for leavers: those are ghosts.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active or whether its
    owner still works here.
    """
    return estate.accounts.filter(
        nw.col("active"),
        nw.col("owner_kind").is_in(["contractor", "guest"]),
        nw.col("owner_state").is_in(["current", "leave"]),
        nw.col("owner_contract_end_s") <= epoch(now),
    )
