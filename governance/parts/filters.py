"""Filters of a list: the page's address holds them, and every change goes back to the first page."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from governance.parts.pager import begin_again
from governance.parts.text import plain


def status_tabs(
    place: DeltaGenerator, key: str, labels: Mapping[str, str], label: str = "Show", *, pills: bool = False
) -> str:
    """One of several parts of a list, as one bar or as pills; the first is the default."""
    options = list(labels)
    name = _from_address(key, labels, options[0])
    draw = place.pills if pills else place.segmented_control
    chosen = draw(
        label,
        options,
        required=True,
        format_func=lambda option: plain(labels.get(option, option)),
        key=name,
        label_visibility="collapsed",
        wrap=True,  # on a phone one line would end at the edge of the screen, and nothing shows that there is more
        on_change=_to_address,
        args=(key, name, options[0]),
    )
    return str(chosen) if chosen in labels else options[0]


def choice(place: DeltaGenerator, label: str, key: str, labels: Mapping[str, str]) -> str | None:
    """One of many values, or all of them (None)."""
    name = _from_address(key, labels, None)
    chosen = place.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda option: labels.get(option, option),
        placeholder=f"{label}: all",
        key=name,
        label_visibility="collapsed",
        on_change=_to_address,
        args=(key, name, None),
        width=150,
    )
    return chosen if chosen in labels else None


def text_search(place: DeltaGenerator, what: str, key: str = "search") -> str:
    """A search box; empty means everything."""
    name = f"filter-{key}"
    st.session_state[name] = st.query_params.get(key, "")[:120]
    text = place.text_input(
        "Search",
        key=name,
        placeholder=what,
        icon=":material/search:",
        label_visibility="collapsed",
        on_change=_to_address,
        args=(key, name, ""),
        max_chars=120,
    )
    return text or ""


def _from_address(key: str, labels: Mapping[str, str], otherwise: str | None) -> str:
    """Give a widget the value of the address, so that a link to the page it stands on changes it too."""
    name = f"filter-{key}"
    asked = st.query_params.get(key)
    st.session_state[name] = asked if asked in labels else otherwise
    return name


def _to_address(key: str, name: str, otherwise: str | None) -> None:
    """Keep what was chosen in the address; the default leaves no trace there."""
    begin_again()
    value = st.session_state.get(name)
    if value is None or value == otherwise:
        st.query_params.pop(key, None)
    else:
        st.query_params[key] = value
