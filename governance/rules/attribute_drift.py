"""Accounts that still carry what their owner was."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import APPLICATION, says
from governance.settings import Policy

ATTRIBUTES: Final = ("department", "title")


def _plain(column: str) -> nw.Expr:
    """A value as it is compared: case and blanks around it do not count; an empty one is not told."""
    value = nw.col(column).str.strip_chars().str.to_lowercase()
    return nw.when(value != "").then(value)


def _differs(attribute: str) -> nw.Expr:
    return (_plain(attribute) != _plain(f"owner_{attribute}")).fill_null(False)


def _sentence(row: Row) -> str:
    parts = [
        f"{name} “{row[f'told_{name}']}” where {row['source']} says “{row[f'owner_{name}']}”"
        for name in ATTRIBUTES
        if row[f"told_{name}"]
    ]
    return f"The account {row['account']} of {row['who']} in {row['where']} has {' and '.join(parts)}."


@rule(
    title="Attribute drift",
    severity="low",
    ends_when="the application tells the owner's department and title as the source of truth does, or the account is"
    " read inactive or gone",
    remedy=Remedy.CONFIGURE,
    needs=("source.read", "account.active", "owner.state", "owner.position", "account.attributes"),
    controls=("ISO 27001 A.5.16", "ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(4)", "PCI DSS 7.2.4", "CIS 6.8"),
    evidence=("told_department", "told_title", "owner_department", "owner_title", "owner_state", "match_key"),
    lines={
        "told_department": says(APPLICATION, "department {value}"),
        "told_title": says(APPLICATION, "title {value}"),
    },
    sentence=_sentence,
    applies=lambda _: nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def attribute_drift(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """An application knows its account under another department or title than the source of truth.

    Fires when an active account of somebody who works here or is on leave tells a department or a title, the source
    tells that attribute too, and the two differ. What single sign-on or a push wrote once was not written again.
    Quiet where they differ only in case or in blanks around them, where one of the two is empty, for inactive accounts,
    and for accounts without an owner or of somebody who does not work here now: other rules judge those.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether its
    owner works here, or where neither a department nor a title of the account, or of its owner, is told.
    """
    # Written alike, as nearly all are, is not compared letter by letter: a fifth of the time.
    written_otherwise = (nw.col(name) != nw.col(f"owner_{name}") for name in ATTRIBUTES)
    judged = estate.accounts.filter(
        nw.col("active"),
        nw.col("owner_state").is_in(["current", "leave"]),
        nw.any_horizontal(*written_otherwise, ignore_nulls=True),
    )
    told = {f"told_{name}": nw.when(_differs(name)).then(nw.col(name).str.strip_chars()) for name in ATTRIBUTES}
    return judged.with_columns(**told).filter(
        nw.any_horizontal(*(~nw.col(name).is_null() for name in told), ignore_nulls=True)
    )
