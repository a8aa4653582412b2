"""Notifications: how you are told what waits for you, and what you were told."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance import notices
from governance.access import Actor
from governance.house import House
from governance.notices import KINDS
from governance.pages import EVERYBODY, Page
from governance.parts.deputy import deputy
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.text import bold, dim, plain
from governance.parts.wishes import wishes_form
from governance.views.notices import Told, listed, said, together
from governance.views.words import moment

PAGE = Page("Notifications", ":material/notifications:", "Decide", 90, EVERYBODY)

_SHOWN = 6
_SIGNS = {"sent": ":green[✓]", "waiting": ":gray[○]", "failed": ":red[▲]", "dropped": ":gray[–]"}


def render(house: House, actor: Actor, now: datetime) -> None:
    """How this actor is told in a sentence, the form to change it, and what they were told lately."""
    personal = tuple(channel.name for channel in house.settings.notify.personal)
    wishes = notices.preference(house, actor.email)
    opening(house, now, "Notifications", _sentence(house, actor, said(wishes, personal) if personal else ""))
    left, right = st.columns([1, 1.25], gap="small")
    with left, st.container(border=True):
        st.subheader("How you are told", anchor=False)
        if not actor.email:
            note("Only who may act here has preferences.")
        elif not personal:
            note("An admin adds a channel of the kind mail or webhook to `leaverwatch.toml`: `[[notify.channel]]`.")
        else:
            wishes_form(house, actor, now, wishes)
    with left:
        deputy(house, actor, now)
    with right:
        with st.container(border=True):
            st.subheader("What you were told lately", anchor=False)
            _lately(together(listed(house, to=actor.email, limit=300)) if actor.email else [], now)
        with st.container(border=True, gap="small"):
            st.subheader("What you are told about", anchor=False)
            st.markdown("  \n".join(f":small[{plain(kind.about)}]" for kind in KINDS.values()))
            note("Numbers, applications and reviews are named; never a person, an account or why access should go.")


def _sentence(house: House, actor: Actor, how: str) -> str:
    if not actor.email:
        return "Read-only: who does not act is not told."
    if how:
        return f"You are told {bold(how)}."
    rooms = house.settings.notify.rooms
    if rooms:
        return f"Nobody is told in person; what waits is announced in {plain(', '.join(room.name for room in rooms))}."
    return "Nobody is told anything: no channel is configured."


def _lately(told: list[Told], now: datetime) -> None:
    if not told:
        note("Nothing yet.")
    for one in told[:_SHOWN]:
        waits = f"comes {moment(one.due_at, now)} UTC" if one.status == "waiting" else f"{moment(one.at, now)} UTC"
        how = f"by {' and '.join(one.channels)}" if one.channels else ""
        why = one.error if one.status != "sent" else ""
        st.markdown(
            f":small[{_SIGNS[one.status]} {bold(one.title)}]  \n:small[{plain('; '.join(one.lines))}]  \n"
            f":small[{dim(' · '.join(part for part in (waits, how, why) if part))}]"
        )
