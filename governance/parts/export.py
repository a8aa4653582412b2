"""The button that hands out a list as CSV: audited, and shown only to those who may export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from governance.access import Actor, Verb, may
from governance.exports import export
from governance.house import House

Rows = Callable[[], Iterable[Mapping[str, Any]]]


def export_button(house: House, actor: Actor, now: datetime, what: str, rows: Rows, columns: Sequence[str]) -> None:
    """A download of the whole filtered list; the file is made when it is asked for."""
    if not may(actor, Verb.EXPORT):
        return
    st.download_button(
        "Export as CSV",
        data=lambda: export(house, actor, now, what, rows(), columns).encode("utf-8-sig"),
        file_name=f"leaverwatch-{what}-{now:%Y-%m-%d}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"export-{what}",
        help="The whole list as it is filtered now. The audit notes who took it.",
    )
