"""What stands in small grey type: the captions of the theme are too pale to read on some grounds."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def note(text: str, **how: Any) -> None:
    """A line in small grey type. `text` is markdown made of escaped parts."""
    st.markdown(_grey(text), **how)


def note_in(place: DeltaGenerator, text: str, **how: Any) -> None:
    """The same, inside a container."""
    place.markdown(_grey(text), **how)


def _grey(text: str) -> str:
    return f":small[:gray[{text}]]"
