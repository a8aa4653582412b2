"""A table in which one row is chosen, by its id and never by its place: places shift when the list is read again."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from governance.parts.notes import note


def chosen_row(
    name: str,
    frame: pd.DataFrame | Styler,
    ids: list[str],
    *,
    alt: str,
    column_config: dict[str, Any],
    row_height: int = 45,
) -> str | None:
    """Draw the table; gives the id of the chosen row, kept in the address under `name`; the first one at first."""
    asked = st.query_params.get(name)
    at = ids.index(asked) if asked in ids else 0
    # Another set of rows is another table: what was chosen in the old one says nothing about the new one.
    drawn = hashlib.sha256("\x1f".join([name, *ids]).encode()).hexdigest()[:12]
    event = st.dataframe(
        frame,
        key=f"{name}-{drawn}",
        hide_index=True,
        row_height=row_height,
        height=36 + min(row_height * len(ids), 640),
        on_select="rerun",
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [at]}},
        column_config=column_config,
        alt=alt,
    )
    sideways(name)
    rows = event["selection"]["rows"]
    chosen = ids[rows[0]] if rows and rows[0] < len(ids) else ids[at] if ids else None
    if chosen is not None and chosen != asked:
        st.query_params[name] = chosen
    return chosen


def sideways(name: str) -> None:
    """Under a wide table: on a phone, that it goes on to the right. Elsewhere it is not shown."""
    with st.container(key=f"sideways-{name}"):
        note("The table goes on to the right: swipe it sideways.")


def nothing(narrowed: bool, otherwise: str) -> None:
    """What stands in the place of an empty list. `otherwise` is markdown made of escaped parts."""
    with st.container(border=True):
        if narrowed:
            st.markdown("Nothing matches these filters.")
            st.button("Clear the filters", on_click=st.query_params.clear)
        else:
            st.markdown(otherwise)
