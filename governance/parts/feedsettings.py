"""The settings of one feed, new or there already: the form left, what its connector declares right."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from governance import configuring
from governance.access import Actor, Verb, may
from governance.configuring import FILE, Standing
from governance.house import House
from governance.parts.declaration import declaration
from governance.parts.filling import filled_in
from governance.parts.links import link
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.text import bold, plain
from governance.views import connecting
from governance.views.connecting import Declared


def changed_feed(house: House, actor: Actor, now: datetime, name: str, asked: dict[str, Any]) -> bool:
    """The form of a feed that is there, filled in with what the file says now; False when there is no such feed."""
    before = configuring.standing(house.home, name)
    connector = connecting.declared(house, str(before.table.get("connector"))) if before else None
    if before is None or connector is None:
        opening(house, now, "Change a feed", f"No feed of `{FILE}` is named {bold(name)}.")
        return False
    title = str(before.table.get("title") or name)
    opening(house, now, f"Change {title}", "It is read as before until the change is written and proved.")
    with st.container(horizontal=True):
        link("applications", f"Back to {plain(title)}", icon=":material/arrow_back:", feed=name)
    over = connecting.overridden(house, name)
    if over:
        st.warning(f"Set from outside, so a change here is without effect: {plain(', '.join(over))}.")
    feed_settings(house, actor, now, connector, {**before.table, **asked}, before)
    return True


def feed_settings(
    house: House,
    actor: Actor,
    now: datetime,
    connector: Declared,
    given: dict[str, Any],
    before: Standing | None = None,
) -> None:
    """The form left, what the connector declares right."""
    left, right = st.columns([1.5, 1], gap="medium")
    with right, st.container(border=True):
        st.subheader(plain(connector.title), anchor=False)
        declaration(connector)
    with left, st.container(border=True):
        if not may(actor, Verb.CONFIGURE):
            does = "changes" if before else "connects"
            note(f"Your roles do not include configuring: an administrator {does} it.")
            return
        why = configuring.not_writable(house.home)
        if why:
            st.warning(
                f"`{FILE}` cannot be written from here: {plain(why)}. Fill in the form and copy the lines instead."
            )
        filled_in(house, actor, now, connector, given, writable=not why, before=before)
