"""The list a reviewer decides: one page of accounts and grants, decided by keys, mouse or touch.

Drawn by a component of our own (its files stand beside this one). A decision is shown at once and kept in the browser
until Python says that it is stored: presses are never lost while a script runs, the page is loaded anew or the line is
down. Whoever stores them does so once for each nonce, because one whose answer got lost is told again.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from governance.parts.review_grid.told import LONGEST_LOOK, LONGEST_REASON, Decided, checked, kept, still_asked

__all__ = ["Decided", "heard", "review_grid"]

_HERE: Final = Path(__file__).parent
_PIECES: Final = _HERE.parent / "grid"  # what both lists are made of
_NAME: Final = "leaverwatch_review_grid"
_SCRIPTS: Final = (
    *("queue", "sending", "rows", "facts", "about", "groups", "asking", "deciding", "keys"),
    "review_grid",  # the last one: it uses all of them
)


def _asset(*paths: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


_component = st.components.v2.component(
    _NAME,
    html=_asset(_HERE / "review_grid.html"),
    css=_asset(_PIECES / "pieces.css", *(_HERE / f"{name}.css" for name in ("rows", "around", "phone"))),
    js=_asset(
        *(_PIECES / f"{name}.js" for name in ("elements", "typing", "mounting")),
        *(_HERE / f"{name}.js" for name in _SCRIPTS),
    ),
)


def review_grid(
    key: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    label: str,
    scope: str,
    saved: Sequence[str],
    closed: bool,
    first: int,
    total: int,
    preview: bool = False,
    refused: Mapping[str, str] | None = None,
    known: Container[int] | None = None,
) -> list[Decided]:
    """Draw the rows and give the decisions that are not stored yet, in the order they were made.

    `key` names campaign and reviewer: decisions wait in the browser under it. Each row has `number`, `who`,
    `who_below`, `employment`, `application`, `entitlement`, `privileged`, `critical`, `how`, `last_use`, `peers`,
    `recommendation` (keep|remove|change|judge), `because`, `earlier_recommendation`, `earlier_because`, `changed`,
    `earlier_decisions` (texts), `decision` (None while pending), `reason` and `decided_by`; it may have `identity` (the
    name stands once where several rows of it follow), `account`, and `notable`: employment stands beside the name.
    Of `total` in the whole list the first one shown has the place `first`, from 1.
    `scope` says which list and which page of it this is: on another one the first undecided row is current.
    `saved` are the nonces that are stored, `refused` those that never will be, with why; the browser forgets both.
    A `closed` list takes no decision; a `preview` is one of a review that has not begun, and says so.
    `known` are the numbers that may be decided, also on other pages of the list; without it, those shown.
    """
    numbers = {row["number"] for row in rows}
    critical = {row["number"] for row in rows if row.get("critical")}
    state = st.session_state.get(f"review-{key}")
    before = state.get("batch") if isinstance(state, Mapping) else None
    _, dropped = checked(before, numbers if known is None else known, critical)
    data = {
        "queue": key,
        "label": label,
        "scope": scope,
        "closed": closed,
        "preview": preview,
        "first": first,
        "total": total,
        "rows": [dict(row) for row in rows],
        "saved": kept(saved, before),
        "refused": still_asked({**dropped, **(refused or {})}, before),
        "longest": {"reason": LONGEST_REASON, "look": LONGEST_LOOK},
    }
    result = _component(key=f"review-{key}", data=data, on_batch_change=_noted)
    told, _ = checked(result.get("batch"), numbers if known is None else known, critical)
    over = {*saved, *(refused or {})}
    return [one for one in told if one.nonce not in over]


def heard(key: str, known: Container[int]) -> list[Decided]:
    """The decisions the browser told before this run, without drawing anything; empty in a session's first run."""
    state = st.session_state.get(f"review-{key}")
    return checked(state.get("batch"), known, ())[0] if isinstance(state, Mapping) else []


def _noted() -> None:
    """Streamlit reruns the script when a state changes that has a callback; the script reads it itself."""
