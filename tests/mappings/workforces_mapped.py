"""A small workforce as the mapping lab sees it, and mappings written the short way."""

from __future__ import annotations

from typing import Any

import polars as pl

from governance.mappings.workforce import Workforce
from governance.provisioning import RoleMap
from governance.provisioning.written import undocumented

SCHEMA = {
    **dict.fromkeys(("identity_id", "employee_id", "display_name", "email", "department", "title", "kind"), pl.String),
    **dict.fromkeys(("manager_id", "former_department", "former_title"), pl.String),
    **dict.fromkeys(("accounts", "held", "groups"), pl.List(pl.String)),
}


def mapped(*lines: tuple[dict[str, Any], list[str]], **way: Any) -> RoleMap:
    """A mapping of lines (when, gives), checked as the settings check it."""
    return undocumented({"lines": [{"when": when, "gives": gives} for when, gives in lines], **way}, "crm")


def person(number: int, department: str | None = None, title: str | None = None, **more: Any) -> dict[str, Any]:
    """One row of the workforce: with an account, holding nothing, of no group."""
    row = dict.fromkeys(SCHEMA)
    told = {"identity_id": f"hr:{number}", "employee_id": str(number), "display_name": f"P{number}", "kind": "employee"}
    lists: dict[str, Any] = {"accounts": [str(number)], "held": [], "groups": []}
    return {**row, **told, **lists, "email": f"p{number}@x.example", "department": department, "title": title, **more}


def force(*people: dict[str, Any], others: tuple[str, ...] = (), marked: tuple[str, ...] = ("Admin",)) -> Workforce:
    """The workforce of these people; `Admin` is privileged."""
    frame = pl.DataFrame(list(people), schema=SCHEMA)
    return Workforce("crm", frame, frozenset(others), frozenset(marked), ("*root*",))
