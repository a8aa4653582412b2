"""The form of one's own preferences: over what, when, and when not."""

from __future__ import annotations

from datetime import datetime, time
from functools import partial
from typing import Final, Literal
from zoneinfo import available_timezones

import streamlit as st

from governance import notices
from governance.access import Actor
from governance.house import House
from governance.notices import Preference
from governance.parts.acting import attempt
from governance.parts.notes import note

_WHEN: Final[dict[Literal["at_once", "daily"], str]] = {"at_once": "At once", "daily": "Once a day, at 08:00"}
_EVENING, _MORNING = time(20), time(7)


def wishes_form(house: House, actor: Actor, now: datetime, wishes: Preference) -> None:
    """Fields that hold what is in force, and the button that takes them down."""
    personal = [channel.name for channel in house.settings.notify.personal]
    chosen = [name for name in personal if name in wishes.channels] or personal
    over = st.pills(
        "Over", personal, selection_mode="multi", default=chosen, key="wish-over",
        help="Mail goes to your own address. With none chosen, all of them are used.",
    )  # fmt: skip
    when = st.segmented_control(
        "When", list(_WHEN), default=wishes.digest, format_func=lambda w: _WHEN[w], required=True, key="wish-when"
    )
    note("What cannot wait, such as a guard that holds a change, comes at once in either case.")
    quiet = st.toggle("Quiet hours", wishes.quiet_from is not None, key="wish-quiet")
    grid = st.grid(2, min_column_width=120, gap="small")
    with grid:
        begin = st.time_input("From", _time(wishes.quiet_from, _EVENING), step=900, key="wish-from", disabled=not quiet)
    with grid:
        end = st.time_input(
            "until", _time(wishes.quiet_until, _MORNING), step=900, key="wish-until", disabled=not quiet
        )
    zones = sorted(available_timezones())
    zone = st.selectbox("Time zone", zones, index=zones.index(_zone(wishes, zones)), key="wish-zone")
    wanted = Preference(
        channels=() if set(over) == set(personal) else tuple(name for name in personal if name in over),
        digest=when or "at_once",
        quiet_from=begin.isoformat("minutes") if quiet and begin else None,
        quiet_until=end.isoformat("minutes") if quiet and end else None,
        time_zone=zone,
    )
    if st.button("Save", type="primary", key="wish-save", disabled=wanted == wishes, width=140):
        attempt(partial(notices.prefer, house, actor, now, wanted), "Saved: you are told as you wish")


def _time(text: str | None, otherwise: time) -> time:
    return time.fromisoformat(text) if text else otherwise


def _zone(wishes: Preference, zones: list[str]) -> str:
    """What was chosen; before anything was, the zone of the browser."""
    here = st.context.timezone if wishes == Preference() else wishes.time_zone
    return here if here in zones else "UTC"
