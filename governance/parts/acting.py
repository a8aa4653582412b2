"""Carrying out one verb of the domain for a page: done and said, or refused and said why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

import streamlit as st

from governance.errors import LeaverwatchError, SignInAgain, StoreError
from governance.parts.into_view import ask_into_view
from governance.parts.text import plain, sentence

log = logging.getLogger("leaverwatch.pages")
T = TypeVar("T")
_SAID: Final = "said after the next run"
_GATE: Final = "who acts is still signed in"
_AGAIN: Final = "deciding needs a fresh sign-in"


def attempt(verb: Callable[[], T], done: str | Callable[[T], str], then: str = "") -> bool:
    """Call a verb; say it is done on the freshly drawn page, or show the refusal where the reader is.

    `done` may depend on what the verb gave; `then` is the key of the container to go on with once it is done.
    """
    try:
        _gate(True)
        given = verb()
    except LeaverwatchError as refusal:
        _refused(refusal)
        return False
    say_after(done if isinstance(done, str) else done(given))
    if then:
        ask_into_view(then)
    st.rerun()
    return True


def demand_signed_in() -> bool:
    """Whether the session still holds before several verbs are called; where it does not, that is said."""
    try:
        _gate(True)
    except LeaverwatchError as refusal:
        _refused(refusal)
        return False
    return True


def words(refusal: LeaverwatchError) -> str:
    """What is said of a refusal: in the log alone stands what names files and tables."""
    said = inside(refusal)
    if said:
        log.error("%s", refusal)
    return said or str(refusal)


def _refused(refusal: LeaverwatchError) -> None:
    ask_to_sign_in_again(refusal)
    st.error(sentence(words(refusal)), icon=":material/block:")


def inside(error: Exception) -> str:
    """What is said instead of an error that names files and tables; empty for one that a reader can act on."""
    return "The store cannot be read or written now." if isinstance(error, StoreError) else ""


def set_gate(gate: Callable[[bool], None] | None) -> None:
    """What refuses to go on when the session was ended since the page was drawn: a part of it may run by itself.

    It is told whether the reader did something, or the page only looked again.
    """
    st.session_state[_GATE] = gate


def leave_when_out() -> None:
    """For a part that runs by itself: draw the whole page anew when the session has ended since."""
    try:
        _gate(False)
    except LeaverwatchError:
        st.rerun(scope="app")


def _gate(used: bool) -> None:
    if gate := st.session_state.get(_GATE):
        gate(used)


def ask_to_sign_in_again(refusal: LeaverwatchError) -> None:
    """When that is all that is missing, draw the page anew with the way to it; else do nothing."""
    if isinstance(refusal, SignInAgain):
        st.session_state[_AGAIN] = True
        st.rerun(scope="app")


def must_sign_in_again() -> bool:
    """Whether a verb was refused for that reason just now; told once."""
    return bool(st.session_state.pop(_AGAIN, False))


def say_after(done: str) -> None:
    """Say this once the page is drawn anew."""
    st.session_state[_SAID] = done


def say_what_was_done() -> None:
    """Show the confirmation of the last verb, once."""
    if done := st.session_state.get(_SAID):
        st.toast(plain(done), icon=":material/check:")
        del st.session_state[_SAID]  # only now: a run may be cut off before it says anything
