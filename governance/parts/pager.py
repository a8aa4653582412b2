"""The ways on and back under a list, and the place of a list in the page's address."""

from __future__ import annotations

import streamlit as st

from governance.parts.notes import note_in
from governance.parts.text import plain
from governance.views.paging import Cursor, Slice

AT = "at"


def cursor(types: tuple[type, ...]) -> Cursor | None:
    """Where the address says the page begins."""
    return Cursor.decode(st.query_params.get(AT), types)


def begin_again() -> None:
    """Back to the first page: what every filter does when it changes."""
    st.query_params.pop(AT, None)


def pager(found: Slice, order: str) -> None:
    """Which rows are shown and by which order, with the ways on and back."""
    ways_of(f"{found.said}, {order}", found.previous, found.next)


def ways_of(said: str, previous: str | None, following: str | None) -> None:
    """The same for any list: what is said of the page, and what the address holds of the one before and the next."""
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    note_in(row, plain(said), width="content")
    ways = row.container(horizontal=True, width="content")
    _way(ways, "Previous", ":material/chevron_left:", previous, "left")
    _way(ways, "Next", ":material/chevron_right:", following, "right")


def _way(place: st.delta_generator.DeltaGenerator, label: str, icon: str, to: str | None, side: str) -> None:
    place.button(
        label,
        icon=icon,
        icon_position="left" if side == "left" else "right",
        type="tertiary",
        disabled=to is None,
        key=f"pager-{label}",
        on_click=_go,
        args=(to,),
    )


def _go(to: str | None) -> None:
    if to:
        st.query_params[AT] = to
