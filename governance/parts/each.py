"""One verb called for each of several: what went through is done, what was refused is said by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import streamlit as st

from governance.errors import LeaverwatchError
from governance.parts.acting import ask_to_sign_in_again, say_after, words
from governance.parts.notes import note
from governance.parts.text import bold, plain, sentence

_OUTCOME: Final = "refused of many"
_LISTED: Final = 8
One = TypeVar("One")


def each(
    chosen: Iterable[One], verb: Callable[[One], object], name: Callable[[One], str]
) -> tuple[int, list[tuple[str, str]]]:
    """Call a verb for every one by itself: how many it did, and by name why it refused the others."""
    done, refused = 0, []
    for one in chosen:
        try:
            verb(one)
            done += 1
        except LeaverwatchError as refusal:
            ask_to_sign_in_again(refusal)
            refused.append((name(one), words(refusal)))
    return done, refused


def tell(place: str, said: str, done: int, refused: list[tuple[str, str]]) -> None:
    """Say what was done on the page drawn anew; where nothing was, say why on the spot."""
    if not done and len({why for _, why in refused}) == 1:
        st.error(sentence(refused[0][1]), icon=":material/block:")
        return
    st.session_state[_key(place)] = refused
    say_after(said)
    st.rerun()


def still_refused(place: str) -> None:
    """What the last decision about several could not do there, by name, until it is dismissed."""
    refused: list[tuple[str, str]] = st.session_state.get(_key(place), [])
    if refused:
        with st.container(border=True, gap="xsmall"):
            st.markdown(f":orange[◆] {bold(f'{len(refused)} refused')}")
            list_refused(refused)
            st.button("Understood", key="refused-understood", on_click=st.session_state.pop, args=(_key(place), None))


def list_refused(refused: list[tuple[str, str]]) -> None:
    """The first of those that were refused, a line each, and how many more there are."""
    for name, why in refused[:_LISTED]:
        note(f":orange[◆] {bold(name)}: {plain(why)}")
    if len(refused) > _LISTED:
        note(f"and {len(refused) - _LISTED} more")


def _key(place: str) -> str:
    return f"{_OUTCOME} {place}"
