"""Externals without an end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, rule
from governance.estate import Estate
from governance.lines import OWNERS_SOURCE, says
from governance.settings import Policy


def _external() -> nw.Expr:
    return nw.col("kind").is_in(["contractor", "guest"])


@rule(
    title="No end date",
    severity="medium",
    ends_when="the source of truth states when the contract or the engagement ends, or that the person left",
    remedy=Remedy.CORRECT_SOURCE,
    identity=("identity_id",),
    needs=("source.read", "owner.state", "owner.contract_end"),
    controls=("ISO 27001 A.5.18", "SOC 2 CC6.2", "NIST AC-2(2)", "PCI DSS 8.2.7", "CIS 5.1"),
    evidence=("kind", "state", "hire_at"),
    lines={"hire_at": says(OWNERS_SOURCE, "the engagement began or begins {value}")},
    sentence=lambda row: (
        f"{row['who']} is a {row['kind']} in {row['source']}, which states no end of the contract or the engagement."
    ),
    applies=lambda _: _external(),
)
def no_end_date(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """A contractor or guest has no end date.

    Fires on a contractor or guest who works here, is on leave or starts later, when the source of truth states
    neither the end of a contract nor the end of the engagement: nothing will ever close their accounts.
    Quiet for employees, for whoever has one of the two dates, ahead or passed, and for who left or is missing.
    Not evaluable when the source does not tell whether the person works here, or tells the end of nobody's contract.
    """
    return estate.identities.filter(
        nw.col("present"),
        _external(),
        nw.col("state").is_in(["current", "leave", "future"]),
        nw.col("contract_end_told"),
        nw.col("contract_end_s").is_null(),
        nw.col("ended_at_s").is_null(),
    ).with_columns(application=nw.col("source"))
