"""Filters of a list: kept in the page's address, and every change goes back to the first page."""

from __future__ import annotations

from collections.abc import Mapping

from streamlit.delta_generator import DeltaGenerator

from governance.parts.pager import begin_again
from governance.parts.text import plain


def status_tabs(place: DeltaGenerator, key: str, labels: Mapping[str, str], label: str = "Show") -> str:
    """One of several parts of a list; the first is the default."""
    options = list(labels)
    chosen = place.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        format_func=lambda option: plain(labels.get(option, option)),
        key=key,
        label_visibility="collapsed",
        on_change=begin_again,
        bind="query-params",
    )
    return chosen if chosen in labels else options[0]


def choice(place: DeltaGenerator, label: str, key: str, labels: Mapping[str, str]) -> str | None:
    """One of many values, or all of them (None)."""
    chosen = place.selectbox(
        label,
        list(labels),
        index=None,
        format_func=lambda option: labels.get(option, option),
        placeholder=f"{label}: all",
        key=key,
        label_visibility="collapsed",
        on_change=begin_again,
        bind="query-params",
        width=150,
    )
    return chosen if chosen in labels else None


def text_search(place: DeltaGenerator, what: str, key: str = "search") -> str:
    """A search box; empty means everything."""
    text = place.text_input(
        "Search",
        key=key,
        placeholder=what,
        icon=":material/search:",
        label_visibility="collapsed",
        on_change=begin_again,
        bind="query-params",
        max_chars=120,
    )
    return text or ""
