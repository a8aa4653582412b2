"""The banner that stands on every page while a guard holds something: which limit, and how to release it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance import guards
from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.notes import note
from governance.parts.text import bold, code, plain


def held_banner(house: House, actor: Actor | None, now: datetime) -> None:
    """One box for everything that is held; a form to release it for those who may."""
    for held in guards.list_held(house):
        with st.container(border=True, key=f"held-{held.id}"):
            what = _title(house, held.what) if held.kind == "feed" else held.what
            before = "The last good snapshot stays in force." if held.kind == "feed" else "No call was made."
            st.markdown(
                f":orange-badge[◆ Held by a guard] {bold(what)}: {plain(held.why)}. {before}"
                f" {_releases(held.released_by)}"
            )
            if actor is None or not may(actor, Verb.RELEASE):
                continue  # how it is released says nothing to whom it is not offered
            note(f"SHA-256 {plain(held.sha256[:16])}… · in a terminal: {code(f'leaverwatch guard release {held.id}')}")
            if not any(map(actor.is_same, held.released_by)):
                _release(house, actor, now, held.id)


def _release(house: House, actor: Actor, now: datetime, id: str) -> None:
    with st.form(f"release-{id}", border=False):
        row = st.container(horizontal=True, vertical_alignment="bottom")
        reason = row.text_input("Why this change is right", key=f"release-why-{id}")
        sent = row.form_submit_button("Release")
    if sent:
        attempt(lambda: guards.release(house, actor, now, id, reason), "Your release is noted in the audit")


def _releases(released_by: tuple[str, ...]) -> str:
    if not released_by:
        return "Two different actors may release exactly this."
    return f"{plain(released_by[0])} has released it; one more actor is needed."


def _title(house: House, name: str) -> str:
    feeds = (*house.settings.source, *house.settings.application)
    return next((feed.label for feed in feeds if feed.name == name), name)
