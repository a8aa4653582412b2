"""Which attributes of an account a log says were changed, from what to what, as the text that `Event.changes` holds."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

MOST: Final = 20  # attributes of one event
LONGEST: Final = 200  # characters of a name or value
_SECRET: Final = ("password", "secret", "token", "recovery", "credential")

Change = tuple[str, str | None, str | None]  # attribute, before, after


def changes_text(found: Iterable[tuple[str | None, Any, Any]]) -> str | None:
    """The changes as text; None where none is told. What is secret by its name keeps its values to itself.

    A value is a text, or anything else that JSON knows, which is written as JSON. What did not change is left out.
    """
    kept: dict[str, Change] = {}
    for attribute, before, after in found:
        name = (attribute or "").strip()[:LONGEST]
        if not name or (before == after and before is not None) or len(kept) == MOST:
            continue
        secret = any(word in name.casefold() for word in _SECRET)
        kept.setdefault(name, (name, None, None) if secret else (name, _value(before), _value(after)))
    return json.dumps(list(kept.values()), ensure_ascii=False, separators=(",", ":")) if kept else None


def _value(value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text[:LONGEST]
