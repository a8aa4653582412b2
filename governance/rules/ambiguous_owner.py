"""Accounts that may belong to several people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.settings import Policy


def _sentence(row: Row) -> str:
    who = (row["candidates"] or "too many to list").replace(";", ", ")
    account = f"The account {row['account']} in {row['where']} is active and"
    if row["match_key"] == "former_email" and row["candidates"] and ";" not in row["candidates"]:
        return f"{account} was made with an address that {who} had given up before: it may be somebody else's."
    return f"{account} may belong to several people: {who}."


@rule(
    title="Ambiguous owner",
    severity="medium",
    ends_when="the account is pinned to its owner, or it is read inactive or gone",
    remedy=Remedy.DECIDE_OWNER,
    needs=("source.read", "account.active"),
    controls=("ISO 27001 A.5.16", "SOC 2 CC6.1", "NIST AC-2(3)", "PCI DSS 8.2.1"),
    evidence=("match", "match_key", "candidates", "active"),
    sentence=_sentence,
    applies=lambda _: nw.col("match") == "ambiguous",
)
def ambiguous_owner(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An active account fits several identities equally well.

    Fires when the strongest key that leads anywhere leads to more than one identity, or is an address that its only
    holder had given up when the account was created. Nobody is chosen by guess: until somebody pins the account to its
    owner, no rule about owners judges it.
    Quiet for inactive accounts, and once the account is pinned or the source tells the people apart.
    Not evaluable when it is not told whether the account is active.
    """
    return estate.accounts.filter(nw.col("active"), nw.col("match") == "ambiguous")
