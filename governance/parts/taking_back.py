"""Taking back the proposals just made, while nobody has approved them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import streamlit as st

from governance import remediation
from governance.access import Actor
from governance.house import House
from governance.parts.acting import attempt
from governance.views.words import count

_LAST: Final = "proposed last"


def remember(ids: list[str]) -> None:
    """These were proposed just now, by this reader."""
    if ids:
        st.session_state[_LAST] = ids


def take_back(house: House, actor: Actor, now: datetime) -> None:
    """Withdraw the last proposals; the findings are open again."""
    ids = st.session_state.pop(_LAST, None)
    if not ids:
        st.toast("Nothing to take back: no proposal was made on this page.", icon=":material/undo:")
        return
    taken = count(len(ids), "proposal", "proposals")
    attempt(
        lambda: remediation.cancel(house, actor, now, ids, "taken back right away"),
        f"{taken} taken back; open again",
    )
