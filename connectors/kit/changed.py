"""Which attributes of an account a log says were changed, from what to what, as the text that `Event.changes` holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

MOST: Final = 20  # attributes of one event
LONGEST: Final = 200  # characters of a name or value
# What access follows from, as directories and applications call it; of anything else (a home address, a birthday, a
# password) only the name is kept.
_KEPT: Final = frozenset(
    {
        *("department", "title", "jobtitle", "role", "roles", "usertype", "employeetype", "profile", "group", "groups"),
        *("division", "organization", "company", "companyname", "costcenter", "manager", "managerid"),
        *("login", "username", "userprincipalname", "email", "mail", "employeenumber", "employeeid"),
        *("displayname", "fullname", "status", "active", "accountenabled"),
    }
)
_BETWEEN: Final = str.maketrans("", "", " _-.")

Change = tuple[str, str | None, str | None]  # attribute, before, after


def changes_text(found: Iterable[tuple[str | None, Any, Any]]) -> str | None:
    """The changes as text; None where none is told. Values only of attributes that access follows from.

    A value is a text, or anything else that JSON knows, which is written as JSON. What did not change is left out.
    """
    kept: dict[str, Change] = {}
    for attribute, before, after in found:
        name = (attribute or "").strip()[:LONGEST]
        if not name or (before == after and before is not None) or len(kept) == MOST:
            continue
        told = name.casefold().translate(_BETWEEN) in _KEPT
        kept.setdefault(name, (name, _value(before), _value(after)) if told else (name, None, None))
    return json.dumps(list(kept.values()), ensure_ascii=False, separators=(",", ":")) if kept else None


def _value(value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text[:LONGEST]
