"""Mapping lab: what single sign-on makes of whom, tried on one assertion and on everybody before it is live."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from governance import mappings
from governance.access import Actor
from governance.errors import DecisionError
from governance.house import House
from governance.mappings.comparing import Comparison
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.filters import status_tabs
from governance.parts.mapping_choosing import choose_mapping, shown_version
from governance.parts.mapping_import import import_under_way, left_out, show_imported
from governance.parts.mapping_lines import mapping_changes, mapping_lines
from governance.parts.mapping_people import drift_list, people_changed, privilege_gained, role_bars, uncovered
from governance.parts.mapping_sign_in import one_sign_in
from governance.parts.mapping_steps import next_step, versions_list
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.text import bold, plain
from governance.tables import MappingVersion
from governance.views.mappings import choices, compared, drifted, sentence

PAGE = Page("Mapping lab", ":material/science:", "Admin", 15, frozenset({ADMIN, SECURITY, AUDITOR}))


def render(house: House, actor: Actor, now: datetime) -> None:
    """The sentence; lines, one sign-in and the workforce beside each other; who changes, what drifted, the versions."""
    names = choices(house)
    if not names:
        opening(house, now, "Mapping lab", "No application is connected, so there is nothing to map.")
        return
    asked = st.query_params.get("application")
    application = st.session_state.setdefault("mapping-application", asked if asked in names else next(iter(names)))
    kept = mappings.history(house, application)
    show_imported(application, kept)
    shown, draft = shown_version(house, application, kept)
    try:
        with st.skeleton(height=480):
            found = compared(house, application, draft)
    except DecisionError as error:
        opening(house, now, "Mapping lab", plain(error))
        return
    opening(house, now, "Mapping lab", _sentence(names[application], found, shown))
    choose_mapping(house, actor, now, application, names, kept, draft)
    import_under_way(house, now, application)
    left, middle, right = st.columns([1.15, 1.05, 1.1], gap="small")
    with middle.container(border=True):
        fired = one_sign_in(house, application, draft, now)
    with left:
        with st.container(border=True):
            mapping_lines(found, fired)
        left_out(house, shown)
        if found.live.mapping != found.draft.mapping:
            with st.container(border=True):
                mapping_changes(found)
    with right:
        step = partial(next_step, house, actor, now, application, shown)
        same = found.live.mapping == found.draft.mapping
        for part in (role_bars, uncovered, step) if same else (role_bars, privilege_gained, uncovered, step):
            with st.container(border=True):
                part(found)
    with st.container(border=True):
        _below(house, actor, now, application, found, kept)


def _sentence(title: str, found: Comparison, shown: MappingVersion | None) -> str:
    if not found.live.mapping.lines and not found.draft.mapping.lines:
        return f"{bold(title)} has no role mapping yet: read one, propose one, or take a table."
    if found.live.mapping == found.draft.mapping:
        left = found.live.nobody + found.live.fallen
        covered = found.live.people.height - left
        return f"The mapping of {bold(title)} covers {bold(f'{covered:,}')} of {found.live.people.height:,} people."
    name = f"Version {shown.number} ({shown.status})" if shown else "This draft"
    return f"{plain(name)} for {bold(title)} {plain(sentence(found))}."


def _below(
    house: House, actor: Actor, now: datetime, application: str, found: Comparison, kept: list[MappingVersion]
) -> None:
    tabs = {"drift": "Drift", "versions": f"Versions {len(kept)}"}
    if found.live.mapping != found.draft.mapping:
        tabs = {"changes": f"Who changes {found.people.height:,}", **tabs}
    chosen = status_tabs(st.container(horizontal=True), "mapping-below", tabs)
    if chosen == "versions":
        versions_list(house, actor, now, kept)
    elif chosen == "changes":
        people_changed(found)
    elif found.live.mapping.lines:
        drift_list(drifted(house, application))
    else:
        note("There is no live mapping to hold what people have against.")
