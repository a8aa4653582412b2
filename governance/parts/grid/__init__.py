"""A list moved through by keys, mouse or touch: one page of rows, the current one, and those selected.

Drawn by a small component of our own (its files stand beside this one): keys act in the browser at once, none is lost
while the script runs, and Python is told of the outcome. What the browser tells is checked against the rows shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import streamlit as st

_HERE: Final = Path(__file__).parent
_NAME: Final = "leaverwatch_grid"


def _asset(*names: str) -> str:
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)


_component = st.components.v2.component(
    _NAME,
    html=_asset("grid.html"),
    css=_asset("pieces.css", "grid.css"),
    js=_asset("elements.js", "typing.js", "mounting.js", "keys.js", "grid.js"),
)


@dataclass(frozen=True)
class Column:
    """One column: its key in the rows and its title."""

    key: str
    label: str
    help: str = ""


@dataclass(frozen=True)
class GridVerb:
    """What a key does to the current row, or (`many`) to all that are selected.

    `focus` is where typing goes on: a selector in the page, `{}` stands for the row's id or for `many`.
    """

    key: str
    name: str
    label: str
    focus: str
    many: bool = True


@dataclass(frozen=True)
class Choice:
    """What the reader points at: the current row, those selected, and the verb whose key was just pressed."""

    current: str | None
    chosen: list[str] = field(default_factory=list)
    verb: str | None = None


def grid(
    name: str,
    label: str,
    columns: Sequence[Column],
    rows: Sequence[Mapping[str, Any]],
    *,
    verbs: Sequence[GridVerb] = (),
    first: int = 1,
    total: int | None = None,
    scope: str = "",
) -> Choice:
    """Draw the rows (each with `id` and `label`); the current one is kept in the address under `name`.

    `scope` says which list and which page of it this is: on another one the first row is current, on the same one a row
    that left is followed by the one in its place.
    """
    ids = [str(row["id"]) for row in rows]
    key = f"grid-{name}"
    told, number = _told(key, ids)
    current, asked = _current(name, ids, told, scope)
    data = {
        "label": label,
        "columns": [{"key": c.key, "label": c.label, "help": c.help} for c in columns],
        "rows": [dict(row) for row in rows],
        "verbs": [{"key": v.key, "name": v.name, "label": v.label, "focus": v.focus, "many": v.many} for v in verbs],
        "first": first,
        "total": -1 if total is None else total,
        "asked": asked,
    }
    result = _component(key=key, data=data, on_choice_change=_noted, on_act_change=_noted)
    verb = result.get("act")
    known = {one.name for one in verbs} | {"undo"}
    choice = Choice(current, told.chosen, verb if isinstance(verb, str) and verb in known else None)
    # Only here it was heard: a run that is cut off before, where the browser is told, leaves it to the next one.
    st.session_state[f"{key} seen"] = number
    return choice


def _noted() -> None:
    """Streamlit reruns the script when a state changes that has a callback; the script reads it itself."""


def _told(key: str, ids: list[str]) -> tuple[Choice, Any]:
    """What the browser said last, of what it may say: rows that are shown; and the number of that time."""
    state = st.session_state.get(key)
    said = state.get("choice") if isinstance(state, Mapping) else None
    before = st.session_state.get(f"{key} seen")
    if not isinstance(said, Mapping):
        return Choice(None), before
    fresh = said.get("count") != before
    chosen = said.get("chosen")
    asked = set(chosen) if isinstance(chosen, list) and all(isinstance(id, str) for id in chosen) else set()
    current = said.get("current")
    return Choice(current if fresh and current in ids else None, [id for id in ids if id in asked]), said.get("count")


def _current(name: str, ids: list[str], told: Choice, scope: str) -> tuple[str | None, list[Any]]:
    """The current row; and which one something other than the grid decided for last, with the number of that time.

    What is sent to the browser does not change when the reader moves: no row is drawn again for it.
    """
    begin: dict[str, Any] = {"id": None, "place": 0, "scope": scope, "turn": 0, "asked": None}
    memory = st.session_state.setdefault(f"grid-{name} memory", begin)
    asked = st.query_params.get(name)
    if told.current is not None:
        current: str | None = told.current
    else:
        current = _placed(asked, ids, memory if memory["scope"] == scope else {**memory, "place": 0})
        if current != memory["id"] or memory["turn"] == 0:
            memory.update(turn=memory["turn"] + 1, asked=current)
    memory.update(id=current, scope=scope)
    if current is not None:
        memory["place"] = ids.index(current)
        if asked != current:
            st.query_params[name] = current
    return current, [memory["asked"], memory["turn"]]


def _placed(asked: str | None, ids: list[str], memory: Mapping[str, Any]) -> str | None:
    """The row asked for; none when that one is somewhere else; the next one when it has just left the list."""
    if not ids:
        return None
    if asked is None or asked in ids:
        return asked or ids[0]
    return ids[min(memory["place"], len(ids) - 1)] if asked == memory["id"] else None
