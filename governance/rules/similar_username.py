"""Accounts that look like somebody's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Line, Remedy, Row, Sources, rule
from governance.estate import Estate
from governance.lines import STATES, beside
from governance.settings import Policy


def _suggested() -> nw.Expr:
    one = ~nw.col("candidates").str.contains(";", literal=True)
    return (nw.col("match") == "unmatched") & ~nw.col("candidates").is_null() & one


def _sentence(row: Row) -> str:
    whom = f"{row['candidate_name']} ({row['candidates']})" if row["candidate_name"] else row["candidates"]
    left = ", who has left" if row["candidate_state"] == "ended" else ""
    return (
        f"The account {row['account']} in {row['where']} is active and belongs to nobody, but its name or address looks"
        f" like that of {whom}{left}."
    )


def _candidate(sources: Sources, row: Row, column: str) -> Line:
    name, does = row["candidate_name"], STATES.get(row["candidate_state"])
    if not name or not does:
        return None
    return f"Source of truth: {name} ({row['candidates']}) {does}", sources.source_of(row["candidates"]), None


@rule(
    title="Similar username",
    severity="low",
    ends_when="the account is pinned to its owner, or a key of it leads to one, or it is read inactive or gone",
    remedy=Remedy.DECIDE_OWNER,
    needs=("source.read", "account.active"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.1", "NIST AC-2(1)", "PCI DSS 8.2.1", "CIS 5.1"),
    evidence=("candidates", "candidate_name", "candidate_state", "email", "match", "active", "privileged"),
    lines={
        "candidate_name": _candidate,
        "candidate_state": beside,
    },
    sentence=_sentence,
    applies=lambda _: nw.col("match") == "unmatched",
)
def similar_username(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An account without an owner looks like one person's.

    Fires when no key of an active account leads to anybody, and its address, look-alike letters replaced, or else its
    name is that of exactly one identity. It may be that person's second account, a leaver's among them, or somebody's
    who wants to be taken for them: a suggestion for whoever decides, never a match.
    Quiet for accounts with an owner or an ambiguous one, for inactive accounts, and when several people look like it.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active.
    """
    alike = estate.accounts.filter(nw.col("source_read"), nw.col("active"), _suggested())
    person = estate.identities.select(
        nw.col("identity_id").alias("candidates"),
        nw.col("display_name").alias("candidate_name"),
        nw.col("state").alias("candidate_state"),
    )
    return alike.join(person, on="candidates", how="left")
