"""What the reader asked for is brought on the screen, and the keyboard goes on from there.

Where a page draws something else in the place of what was there, the browser stays as far down as it was: on a phone
nothing would seem to have happened.
"""

from __future__ import annotations

from typing import Final

import streamlit as st

_TITLE: Final = "title that was opened last"
_ASKED: Final = "asked to be on the screen"
_SCRIPT: Final = """
export default function ({ data }) {
  let left = 40;
  const look = () => {
    const found = document.querySelector(data.where);
    if (!found) return left-- > 0 && setTimeout(look, 50);
    found.style.scrollMarginTop = "5rem"; // below the header, which lies over the page
    found.scrollIntoView({ block: "start" });
    found.tabIndex = -1;
    found.focus({ preventScroll: true });
  };
  requestAnimationFrame(look);
}
"""
_component = st.components.v2.component("leaverwatch_into_view", js=_SCRIPT)


def title_into_view(title: str) -> None:
    """Begin at the top when another thing is opened than in the run before; what is loaded anew begins there anyway."""
    before = st.session_state.get(_TITLE, title)
    if before != title:
        _component(key="title-into-view", data={"where": "[data-testid=stMain] h1", "title": title})
    st.session_state[_TITLE] = title


def ask_into_view(key: str) -> None:
    """Bring the container of this key on the screen in the next run that draws it."""
    st.session_state[_ASKED] = key


def into_view(key: str) -> None:
    """Right after the container of this key was drawn: on the screen with it, when that was asked for."""
    if st.session_state.get(_ASKED) == key:
        _component(key=f"{key}-into-view", data={"where": f".st-key-{key}"})
        del st.session_state[_ASKED]
