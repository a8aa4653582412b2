"""Ways from one page to another: a page never names another's address itself."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from governance.parts.notes import note

_LINKS: Final = "links"


def remember_links(links: dict[str, Any]) -> None:
    """Keep the pages this actor may open, for the run that follows."""
    st.session_state[_LINKS] = links


def can_open(name: str) -> bool:
    """Whether this actor's sidebar holds that page."""
    return name in st.session_state.get(_LINKS, {})


def link(name: str, label: str, icon: str | None = None, **query: str) -> None:
    """A link to another page with its filters; the label (markdown) alone where this actor may not open it."""
    if can_open(name):
        st.page_link(st.session_state[_LINKS][name], label=label, icon=icon, query_params=query or None)
    else:
        note(label)


def go(name: str, **query: str) -> None:
    """Open another page now."""
    if can_open(name):
        st.switch_page(st.session_state[_LINKS][name], query_params=query or None)
