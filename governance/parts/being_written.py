"""A change of the settings on its way into the file: the page looks again by itself, and says why one failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import streamlit as st

from governance.configuring import FILE
from governance.parts.acting import leave_when_out
from governance.parts.notes import note
from governance.parts.text import plain
from governance.tables import Request
from governance.views.words import moment

MOVING: Final = ("waiting", "doing")
NewestRequest = Callable[[], Request | None]


def being_written(newest: NewestRequest, now: datetime) -> None:
    """Say that the worker has yet to write what was asked for last, or that it could not; nothing once it is there."""
    request = newest()
    if request is not None and request.status in MOVING:
        st.fragment(_under_way, run_every="2s", key="being-written")(newest)
    elif request is not None and request.status == "failed":
        why = (request.error or "no reason was noted").removeprefix("nothing was written: ")
        st.warning(f"What was asked for at {plain(moment(request.at, now))} UTC was not written: {plain(why)}")


def _under_way(newest: NewestRequest) -> None:
    leave_when_out()
    request = newest()
    if request is None or request.status not in MOVING:
        st.rerun()  # the whole page, with what is in force now
    note(f":blue[◐] Being written into `{FILE}`. The worker looks every two seconds; if this stays, is it running?")
