"""Connect: every system that can be read, what it tells and needs, and the form that adds it to the settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.declaration import summary
from governance.parts.feedsettings import changed_feed, feed_settings
from governance.parts.filling import ANSWER
from governance.parts.links import link
from governance.parts.opening import opening
from governance.parts.steps import steps
from governance.parts.text import bold, plain
from governance.views import connecting
from governance.views.connecting import Declared

PAGE = Page("Connect", ":material/add_link:", "Admin", 8, frozenset({ADMIN, SECURITY, AUDITOR}))


def render(house: House, actor: Actor, now: datetime) -> None:
    """The steps of one feed, the form of one connector, or every connector to choose from."""
    asked = st.query_params
    given = connecting.asked_table(house, asked.get("again", ""))
    chosen = connecting.declared(house, asked.get("connector") or given.get("connector", ""))
    if name := asked.get("change"):
        if not changed_feed(house, actor, now, name, given):
            st.button("All connectors", type="tertiary", icon=":material/arrow_back:", on_click=_choose)
    elif name := asked.get("feed"):
        _steps(house, actor, now, name)
    elif chosen is not None:
        _form(house, actor, now, chosen, given)
    else:
        _catalogue(house, now)


def _catalogue(house: House, now: datetime) -> None:
    groups = connecting.catalogue(house)
    number = sum(len(group) for group in groups.values())
    closing = sum("deactivate" in one.capabilities for group in groups.values() for one in group)
    opening(house, now, "Connect", f"{bold(number)} connectors; {bold(closing)} of them can close accounts from here."
            if number else "No connector is known yet: they are announced when Leaverwatch starts.")  # fmt: skip
    used = [feed.connector for feed in house.settings.feeds]
    for title, group in groups.items():
        st.subheader(title, anchor=False)
        grid = st.grid(4, min_column_width=240, gap="small")
        for one in group:
            with grid, st.container(border=True, height="stretch", gap="xsmall"):
                summary(one, used.count(one.name))
                st.button(f"Connect {plain(one.title)}", key=f"choose-{one.name}", type="tertiary",
                          icon=":material/arrow_forward:", on_click=_choose, args=(one.name,))  # fmt: skip


def _choose(connector: str | None = None) -> None:
    st.query_params.clear()
    st.session_state.pop(ANSWER, None)
    if connector:
        st.query_params["connector"] = connector


def _form(house: House, actor: Actor, now: datetime, connector: Declared, given: dict[str, Any]) -> None:
    where = "people" if connector.kind == "source" else "accounts"
    opening(house, now, f"Connect {connector.title}",
            f"Connecting only reads: no {where} are changed by it.")  # fmt: skip
    st.button("All connectors", type="tertiary", icon=":material/arrow_back:", on_click=_choose)
    feed_settings(house, actor, now, connector, given)


def _steps(house: House, actor: Actor, now: datetime, name: str) -> None:
    found = connecting.progress(house, name)
    title = next((feed.label for feed in house.settings.feeds if feed.name == name), name)
    if found.asked is None and not found.in_force:
        opening(house, now, "Connect", f"No feed is named {bold(name)}.")
    else:
        opening(house, now, f"Connect {title}", _said(found, title))
        steps(house, actor, name)
    row = st.container(horizontal=True, vertical_alignment="center")
    row.button("Connect another", type="tertiary", icon=":material/add_link:", on_click=_choose)
    with row:
        link("applications", "See it among the applications", icon=":material/apps:", feed=name)


def _said(found: connecting.Progress, title: str) -> str:
    if found.asked is not None and found.asked.status == "failed":
        if found.asked.arguments.get("change"):
            return f"{bold(title)} was not changed; it is read as before."
        return f"{bold(title)} was not connected; nothing was changed."
    if found.untried:
        return f"The change to {bold(title)} is written. Check it, or pull now: what stands below came before it."
    if found.pull is not None and found.pull.status == "ok":
        return f"{bold(title)} is connected and was read: {bold(f'{found.pull.kept:,}')} rows."
    return f"{bold(title)} is being connected." if found.moves else f"{bold(title)} is connected."
