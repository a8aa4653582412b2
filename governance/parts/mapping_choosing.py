"""Which role mapping the page is about: the application, the version, and what was edited here and not kept yet."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance import mappings
from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.mapping_editor import edit_mapping
from governance.parts.notes import note
from governance.provisioning import RoleMap
from governance.tables import MappingVersion


def choose_mapping(
    house: House,
    actor: Actor,
    now: datetime,
    application: str,
    names: dict[str, str],
    kept: list[MappingVersion],
    draft: RoleMap,
) -> None:
    """Application and version; and the way to edit."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    row.selectbox("Application", list(names), format_func=names.__getitem__, key="mapping-application", width=240)
    labels = {str(one.number): f"{one.status.capitalize()} {one.number}" for one in kept}
    if labels:
        asked = str(st.query_params.get("version"))
        row.selectbox(
            "Version", list(labels), list(labels).index(asked) if asked in labels else None, width=180,
            format_func=labels.__getitem__, placeholder="Live", key=f"mapping-version-{application}",
            on_change=forget, args=(application,),
        )  # fmt: skip
    place = _edited(application)
    if may(actor, Verb.MAP, application=application) and row.button("Edit", icon=":material/edit:"):
        edit_mapping(house, actor, now, application, draft, lambda made: st.session_state.update({place: made}))
    if place in st.session_state and row.button("Drop changes", type="tertiary"):
        forget(application)
        st.rerun()
    with row:
        note("A simulation: nothing is written to any application from here.")


def shown_version(house: House, application: str, kept: list[MappingVersion]) -> tuple[MappingVersion | None, RoleMap]:
    """The version on the page, and the mapping: what was edited here, the version chosen, else what is live."""
    if (kept_now := st.session_state.pop(_to_show(application), None)) is not None:
        st.session_state[f"mapping-version-{application}"] = kept_now  # before the widget of that key is drawn
        forget(application)
    edited: RoleMap | None = st.session_state.get(_edited(application))
    if edited is not None:
        return None, edited
    number = st.session_state.get(f"mapping-version-{application}") or st.query_params.get("version")
    chosen = next((one for one in kept if str(one.number) == str(number)), None)
    if chosen is None or chosen.status == "live":
        return chosen, mappings.live(house, application)
    return chosen, mappings.mapping_of(chosen)


def forget(application: str) -> None:
    """Drop what was edited and not kept."""
    st.session_state.pop(_edited(application), None)


def show_kept(version: MappingVersion) -> MappingVersion:
    """From the next run on the page is about this version: what was edited is kept in it."""
    st.session_state[_to_show(version.application)] = str(version.number)
    return version


def _to_show(application: str) -> str:
    return f"mapping-kept-{application}"


def _edited(application: str) -> str:
    return f"mapping-edited-{application}"
