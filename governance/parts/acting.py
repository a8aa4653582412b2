"""Carrying out one verb of the domain for a page: done and said, or refused and said why."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from governance.errors import LeaverwatchError
from governance.parts.text import plain

_SAID = "said after the next run"


def attempt(verb: Callable[[], object], done: str) -> bool:
    """Call a verb; say it is done on the freshly drawn page, or show the refusal where the reader is."""
    try:
        verb()
    except LeaverwatchError as refusal:
        st.error(plain(refusal), icon=":material/block:")
        return False
    say_after(done)
    st.rerun()
    return True


def say_after(done: str) -> None:
    """Say this once the page is drawn anew."""
    st.session_state[_SAID] = done


def say_what_was_done() -> None:
    """Show the confirmation of the last verb, once."""
    if done := st.session_state.pop(_SAID, None):
        st.toast(plain(done), icon=":material/check:")
