"""Severity and state as sign, word and colour together."""

from __future__ import annotations

from typing import Final

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from governance.parts.text import plain
from governance.views.words import SIGNS, severity

COLOURS: Final = {"critical": "red", "high": "orange", "medium": "yellow", "low": "gray", "informational": "blue"}


def severity_chip(word: str) -> str:
    """A severity as a chip in markdown."""
    return f":{COLOURS.get(word, 'gray')}-badge[{plain(severity(word))}]"


def chip(word: object, colour: str = "gray") -> str:
    """Any word as a chip in markdown."""
    return f":{colour}-badge[{plain(word)}]"


def chips(*marked: str) -> None:
    """Several chips in a row."""
    st.markdown(" ".join(marked))


def severity_column() -> ColumnConfig:
    """A column of chips for severities: each cell holds a list of one."""
    return st.column_config.MultiselectColumn(
        width=92, options=[severity(word) for word in SIGNS], color=[COLOURS[word] for word in SIGNS]
    )
