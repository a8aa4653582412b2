"""Bringing a role mapping in: keep the draft, ask a second person, agree or refuse, and the versions there were."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

import streamlit as st

from governance import mappings
from governance.access import Actor, Verb, may
from governance.house import House
from governance.mappings.comparing import Comparison
from governance.parts.acting import attempt
from governance.parts.being_written import being_written
from governance.parts.mapping_choosing import show_kept
from governance.parts.notes import note
from governance.parts.text import bold, dim, plain
from governance.tables import MappingVersion
from governance.views.mappings import changes, record_of
from governance.views.words import moment

COLOURS: Final = {"live": "green", "waiting": "orange", "draft": "blue", "approved": "orange"}


def next_step(
    house: House, actor: Actor, now: datetime, application: str, kept: MappingVersion | None, compared: Comparison
) -> None:
    """What the reader may do with what is on the page. `kept`: the version that is shown, if it is one."""
    if not may(actor, Verb.MAP, application=application):
        note("Your roles do not include changing role mappings.")
        return
    if kept is not None and kept.status == "waiting":
        _decide(house, actor, now, kept)
        return
    if kept is not None and kept.status == "approved":
        note(f"Approved by {plain(kept.decided_by or '')}.")
        being_written(partial(mappings.writing, house, kept.id), now)
        return
    draft = compared.draft.mapping
    if draft == compared.live.mapping or (kept is not None and kept.status == "live"):
        note("Edit the lines to see here what that would change, before it does.")
        return
    reason = st.text_input("Why the mapping changes", key="mapping-reason", max_chars=500)
    left, right = st.columns(2)
    save = partial(mappings.save, house, actor, now, application, draft, reason)
    if left.button("Save draft", width="stretch"):
        attempt(lambda: show_kept(save()), "The draft is kept")
    told = changes(compared)
    if right.button("Ask for approval", type="primary", width="stretch", disabled=not reason.strip()):
        attempt(
            lambda: show_kept(mappings.ask(house, actor, now, save().id, reason, told)),
            "A second person is asked to agree",
        )


def _decide(house: House, actor: Actor, now: datetime, kept: MappingVersion) -> None:
    own = actor.is_same(kept.actor)
    st.markdown(f"{bold(kept.actor)} asks: {plain(kept.reason)}")
    reason = st.text_input("Why you decide so", key="mapping-why", max_chars=500)
    left, right = st.columns(2)
    refuse = partial(mappings.reject, house, actor, now, kept.id, reason)
    if left.button("Withdraw" if own else "Reject", width="stretch", disabled=not reason.strip()):
        attempt(refuse, "Withdrawn" if own else "Rejected")
    if own:
        note("A second person must agree: nobody approves their own change.")
        return
    agree = partial(mappings.agree, house, actor, now, kept.id, reason)
    if right.button("Approve", type="primary", width="stretch", disabled=not reason.strip()):
        attempt(agree, "Approved: the worker writes it into the settings in seconds")


def versions_list(house: House, actor: Actor, now: datetime, kept: list[MappingVersion]) -> None:
    """Every version, the newest first, each with its sealed record."""
    for version in kept[:12]:
        by = "the operator" if version.actor == mappings.OPERATOR else plain(version.actor)
        badge = f":{COLOURS.get(version.status, 'gray')}-badge[{version.status}]"
        agreed = (
            f", agreed by {plain(version.decided_by)}" if version.decided_by and version.status != "rejected" else ""
        )
        lines = [f"{bold(f'Version {version.number}')} {badge} {dim(moment(version.at, now))} by {by}{agreed}"]
        if version.reason:
            lines.append(plain(version.reason))
        if said := (version.changes or {}).get("sentence"):
            lines.append(f":gray[{plain(said)}]")
        row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        row.markdown("  \n".join(f":small[{line}]" for line in lines), width="stretch")
        if may(actor, Verb.EXPORT) or may(actor, Verb.MAP, application=version.application):
            row.download_button(
                "Record",
                data=partial(record_of, house, actor, now, version),
                file_name=f"mapping-{version.application}-{version.number}.zip",
                mime="application/zip",
                key=f"record-{version.id}",
                type="tertiary",
                icon=":material/download:",
                help="What, who, why and for whom, signed: `leaverwatch evidence verify` proves it.",
            )
    if len(kept) > 12:
        note(f"{len(kept) - 12} older ones: `leaverwatch mapping list`.")
