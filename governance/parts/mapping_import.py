"""A role mapping read from what a system is set up to give: asked for, being read, and what no line can say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import streamlit as st

from governance import mappings
from governance.access import Actor
from governance.house import House
from governance.mappings.importing import asked, importable
from governance.mappings.versions import IMPORTED
from governance.parts.acting import attempt, leave_when_out
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.tables import MappingVersion
from governance.views.mappings import everybody
from governance.views.words import count, moment

MOVING: Final = ("waiting", "doing")
SHOWN: Final = 12


def ask_for_import(house: House, actor: Actor, now: datetime, application: str) -> None:
    """The tab of the editor: which system to ask. What it answers becomes a draft of the actor."""
    note(
        "What an identity provider is set up to give here: groups assigned to the application with the roles they set,"
        " and the rules that fill those groups; or the default groups of the application itself. The worker reads it"
        " and keeps it as your draft, in the place of one you have open."
    )
    names = importable(house, application)
    if not names:
        st.info("No connected system tells what it gives here.")
        return
    opening = everybody(house, application).opened_by
    likely = next((place for place, name in enumerate(names) if name in opening), 0)
    provider = st.selectbox("System", list(names), likely, format_func=names.__getitem__, key="import-from")
    if st.button("Read it now", type="primary"):
        attempt(
            lambda: mappings.ask_import(house, actor, now, application, provider),
            f"Asked: what {names[provider]} is set up to give is read within seconds",
        )


def import_under_way(house: House, now: datetime, application: str) -> None:
    """While a reading is on its way: looked at again every two seconds; why it failed, until another is asked for."""
    request = asked(house, application)
    if request is not None and request.status in MOVING:
        st.fragment(_under_way, run_every="2s", key="import-under-way")(house, application)
    elif request is not None and request.status == "failed":
        at = plain(moment(request.finished_at, now))
        st.warning(
            f"{bold(_from(house, request.arguments))} could not be read ({at} UTC): {plain(request.error or '')}"
        )


def _under_way(house: House, application: str) -> None:
    leave_when_out()
    request = asked(house, application)
    if request is None or request.status not in MOVING:
        if request is not None and request.status == "done":
            st.session_state[f"mapping-imported-{application}"] = request.actor
        st.rerun()  # the whole page, with the draft on it
    note(
        f"Reading what {bold(_from(house, request.arguments))} is set up to give. If this stays: is the worker running?"
    )


def show_imported(application: str, kept: list[MappingVersion]) -> None:
    """After a reading came to its end: put its draft on the page. Before the widgets are drawn."""
    actor = st.session_state.pop(f"mapping-imported-{application}", None)
    found = (one for one in kept if one.status == "draft" and one.actor == actor and IMPORTED in (one.changes or {}))
    if actor is not None and (draft := next(found, None)) is not None:
        st.session_state[f"mapping-version-{application}"] = str(draft.number)
        st.session_state.pop(f"mapping-edited-{application}", None)


def left_out(house: House, shown: MappingVersion | None) -> None:
    """From where a version was read, and what there no line says."""
    told = (shown.changes or {}).get(IMPORTED) if shown is not None else None
    if not told:
        return
    said = told.get("left_out") or []
    with st.container(border=True):
        what = f"{count(len(said), 'thing', 'things')} no line says" if said else "every part of it is a line"
        note(f"Read from {bold(_from(house, told))}: {what}.")
        for one in said[:SHOWN]:
            st.markdown(f":small[:orange[◆] {plain(one)}]")
        if len(said) > SHOWN:
            note(f"{len(said) - SHOWN} more: `leaverwatch jobs list`.")


def _from(house: House, told: Mapping[str, object] | None) -> str:
    """What people call the system that was asked."""
    name = str((told or {}).get("from"))
    return next((a.label for a in house.settings.application if a.name == name), name)
