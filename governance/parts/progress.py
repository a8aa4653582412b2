"""Remediations on their way and at their end: looked at again every two seconds, but only while something moves."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance import findings, remediation
from governance.access import ONLY_DECIDE, Actor, Verb, may
from governance.house import House
from governance.parts.acting import attempt, leave_when_out
from governance.parts.clock import read_clock
from governance.parts.notes import note, note_in
from governance.parts.severity import chip
from governance.parts.text import bold, plain
from governance.tables import Remediation
from governance.views import approvals
from governance.views.words import REMEDIATION, moment, span

_COLOURS = {"verified": "green", "failed": "red", "expired": "orange", "rejected": "gray", "undone": "gray"}


def under_way_list(house: House, actor: Actor, now: datetime) -> None:
    """What was approved and is not proved yet."""
    moving = approvals.moving(approvals.under_way(house, actor), now)
    st.fragment(_under_way, run_every="2s" if moving else None, key="under-way")(house, actor, moving)


def _under_way(house: House, actor: Actor, was_moving: bool) -> None:
    leave_when_out()
    now = read_clock()  # a fragment runs by itself, between two runs of the shell
    found = approvals.under_way(house, actor)
    if was_moving and not approvals.moving(found, now):
        st.rerun()  # it has come to rest: draw the whole page once more
    with st.container(border=True):
        st.subheader(f"Being carried out ({len(found)})", anchor=False)
        if not found:
            note("Nothing is on its way.")
        for r in found:
            _moving(house, actor, now, r)


def _moving(house: House, actor: Actor, now: datetime, r: Remediation) -> None:
    with st.container(border=True, key=f"moving-{r.id}"):
        line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        line.markdown(_what(house, r), width="stretch")
        line.markdown(chip(_state(r, now), "blue"), width="content")
        st.markdown(_way(r, now))
        if r.error:
            note(f":orange[◆] {plain(r.error)}")
        elif approvals.overdue(r, now) and not house.settings.act.enabled:
            note(
                ":orange[◆] Not begun: acting is switched off (`[act] enabled = true` in `leaverwatch.toml` allows it)."
            )
        elif approvals.overdue(r, now):
            note(":orange[◆] Not begun yet: either a guard holds it, or the worker does not run (`leaverwatch up`).")
        if r.action == "manual":
            _task(house, actor, now, r)


def _task(house: House, actor: Actor, now: datetime, r: Remediation) -> None:
    """A manual task: the owner says it is done, the next file proves it."""
    if by := approvals.claimed(r):
        note(f"{plain(by)} says it is done; the next file of the application proves it.")
    elif may(actor, Verb.DONE, application=r.application, identity_id=r.identity_id):
        if st.button("I have done it", key=f"done-{r.id}", icon=":material/check:"):
            attempt(lambda: remediation.done(house, actor, now, r.id), "Noted; the next file proves it")
    else:
        owner = house.settings.application_named(r.application).owner
        note(f"A task for {plain(owner or 'the owner of the application')}.")


def ended_list(house: House, actor: Actor, now: datetime) -> None:
    """What came to an end lately, and the way back."""
    found = approvals.ended(house, actor)
    with st.container(border=True):
        st.subheader("Ended lately", anchor=False)
        if not found:
            note("Nothing was carried out yet.")
        for r in found:
            _ended(house, actor, now, r)


def _ended(house: House, actor: Actor, now: datetime, r: Remediation) -> None:
    st.markdown(f"{_what(house, r)}  \n:small[:gray[{_end(actor, r, now)}]]")
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small")
    sign = "✓ " if r.status == "verified" else ""
    line.markdown(chip(f"{sign}{REMEDIATION.get(r.status, r.status)}", _COLOURS.get(r.status, "gray")), width="content")
    if approvals.undo_asked(r):
        note_in(line, "undo asked", width="content")
    elif _may_undo(house, r, actor, now) and line.button("Undo", key=f"undo-{r.id}", icon=":material/undo:"):
        attempt(
            lambda: findings.ask(house, actor, now, "remediate", {"undo": r.id}),
            "Asked: the account is switched on again within seconds",
        )


def _may_undo(house: House, r: Remediation, actor: Actor, now: datetime) -> bool:
    allowed = may(actor, Verb.PROPOSE, application=r.application, identity_id=r.identity_id)
    return allowed and approvals.can_undo(r, now) and remediation.gives_back(house, r)


def _what(house: House, r: Remediation) -> str:
    title = next((a.label for a in house.settings.application if a.name == r.application), r.application)
    return f"{bold(r.identity_name or r.username or r.account_id)} in {plain(title)}"


def _state(r: Remediation, now: datetime) -> str:
    if approvals.overdue(r, now):
        return "Approved, waits"
    if r.action == "manual" and r.status == "executing":
        return "With its owner"
    return REMEDIATION.get(r.status, r.status)


def _way(r: Remediation, now: datetime) -> str:
    """Every step with its time: done ones in green, the rest in grey."""
    parts = []
    for name, at in approvals.steps(r):
        parts.append(f":green[✓ {name}] :small[:gray[{at:%H:%M:%S}]]" if at else f":gray[○ {name}]")
    return " → ".join(parts)


def _end(actor: Actor, r: Remediation, now: datetime) -> str:
    """When and how it ended; the call itself only for who runs something here."""
    at = r.verified_at or r.executed_at or r.approved_at or r.proposed_at
    if r.status == "verified":
        receipt = None if actor.roles <= ONLY_DECIDE else ((r.evidence or {}).get("receipt") or {}).get("call")
        how = f" · {plain(receipt)}" if receipt else ""
        took = (
            f", {plain(span(r.verified_at - r.approved_at))} after the approval"
            if r.verified_at and r.approved_at
            else ""
        )
        return f"{plain(moment(at, now))} UTC{took}{how}"
    return f"{plain(moment(at, now))} UTC{': ' + plain(r.error) if r.error else ''}"
