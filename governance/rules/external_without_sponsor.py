"""Externals for whom nobody here answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, rule
from governance.estate import Estate
from governance.lines import OWNERS_SOURCE, STATES, beside, worded
from governance.settings import Policy

_HERE: Final = ["current", "leave", "future"]


def _external() -> nw.Expr:
    """Accounts of contractors and guests, by the source or by the application, that no leaver owns."""
    external = nw.col("owner_kind").is_in(["contractor", "guest"]).fill_null(False) | (
        nw.col("kind") == "guest"
    ).fill_null(False)
    return external & (nw.col("owner_state").fill_null("current") != "ended")


def _sentence(row: Row) -> str:
    who = f"{row['who']}, a {row['owner_kind']}," if row["identity_id"] and row["owner_kind"] else "A guest"
    manager = row["owner_manager_name"] or row["owner_manager_id"]
    if manager is None:
        why = "has no manager"
    elif row["owner_manager_state"] == "ended":
        why = f"has a manager who left, {manager}"
    else:
        why = f"has a manager who is not in the source of truth, {manager}"
    return f"{who} {why}; the account {row['account']} in {row['where']} is active, and nobody here answers for it."


def _manager(row: Row) -> str | None:
    if row["identity_id"] is None:
        return None
    number, name = row["owner_manager_id"], row["owner_manager_name"]
    if number is None:
        return "no manager is stated"
    does = STATES.get(row["owner_manager_state"], "is in no source of truth")
    return f"the manager is {f'{name} ({number})' if name else number}, who {does}"


@rule(
    title="External without sponsor",
    severity="medium",
    ends_when="the source of truth names a manager who works here, or the application somebody accountable who does, or"
    " the account is read inactive or gone",
    remedy=Remedy.DECIDE_OWNER,
    needs=("source.read", "account.active", "owner.state", "owner.manager"),
    controls=("ISO 27001 A.5.19", "SOC 2 CC6.2", "NIST AC-2(1)", "PCI DSS 8.2.7", "CIS 5.1"),
    evidence=(
        "owner_kind",
        "kind",
        "owner_manager_id",
        "owner_manager_name",
        "owner_manager_state",
        "active",
        "match_key",
    ),
    lines={
        "owner_manager_id": worded(OWNERS_SOURCE, _manager),
        "owner_manager_name": beside,
        "owner_manager_state": beside,
    },
    sentence=_sentence,
    applies=lambda _: _external(),
)
def external_without_sponsor(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """Nobody who works here answers for an external's active account.

    Fires on an active account of a contractor or guest, or on a guest's account whoever owns it, when the source of
    truth names no manager of the owner, or one who left or whom no source holds, and the application names nobody
    accountable who works here either.
    Quiet for employees, for inactive accounts, for leavers (their accounts are ghosts), and when the manager or
    whoever the application names works here, is on leave or starts later.
    Not evaluable when no source of truth was read, or when it is not told whether the account is active, whether the
    owner works here, or who manages whom.
    """
    managed = nw.col("owner_manager_state").is_in([*_HERE, "unknown"]).fill_null(False)
    answered = nw.col("responsible_state").is_in([*_HERE, "unknown"]).fill_null(False)
    told = nw.col("owner_id").is_null() | (
        nw.col("owner_manager_told").fill_null(False) & (nw.col("owner_state") != "unknown").fill_null(False)
    )
    return estate.accounts.filter(nw.col("source_read"), nw.col("active"), _external(), told, ~managed, ~answered)
