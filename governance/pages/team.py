"""Team access: what one's own people can do, what of it is unusual, and asking to take it away."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from governance import campaigns
from governance.access import Actor
from governance.house import House
from governance.pages import MANAGER, Page
from governance.parts.acting import attempt
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.severity import chip
from governance.parts.text import bold, plain, warm
from governance.views.reviews import last_use
from governance.views.team import Held, Member, on_its_way, team
from governance.views.words import REMEDIATION, STATES, UNKNOWN, count

PAGE = Page("Team access", ":material/groups:", "Decide", 20, frozenset({MANAGER}))
SHOWN = 60
TONES = {"remove": "red", "change": "blue", "keep": "green", "judge": "gray"}
WORDS = {"remove": "Remove?", "change": "Too much?", "keep": "Usual", "judge": "Look"}


def render(house: House, actor: Actor, now: datetime) -> None:
    """The people, unusual access first; or one of them."""
    with st.skeleton(height=420):
        members = team(house, actor, now)
    asked = st.query_params.get("person")
    chosen = next((member for member in members if member.identity_id == asked), None)
    if chosen is not None:
        _one(house, actor, now, chosen)
        return
    opening(house, now, "Team access", _sentence(members))
    if not members:
        with st.container(border=True):
            st.markdown("Nobody reports to you, as far as the source of truth tells, or nobody of them can sign in.")
    grid = st.grid(3, min_column_width=300, gap="small")
    for member in members[:SHOWN]:
        with grid:
            _row(member)
    if len(members) > SHOWN:
        note(f"and {len(members) - SHOWN} more with nothing unusual")


def _sentence(members: list[Member]) -> str:
    if not members:
        return "Nobody of your team can sign in anywhere."
    unusual = sum(member.unusual for member in members)
    accounts = sum(member.accounts for member in members)
    said = f"{bold(count(len(members), 'person', 'people'))} with {count(accounts, 'account', 'accounts')}"
    return f"{said}; {warm(f'{unusual:,} worth a look') if unusual else 'nothing unusual'}."


def _row(member: Member) -> None:
    with st.container(border=True, height="stretch", gap="xsmall"):
        tone = chip(f"{member.unusual} worth a look", "orange") if member.unusual else ":small[:gray[Nothing unusual]]"
        power = f" {chip(f'{member.privileged} privileged', 'gray')}" if member.privileged else ""
        state = "" if member.employment == "current" else f" · {plain(STATES.get(member.employment, UNKNOWN))}"
        told = f"{plain(member.position)}{state} · {count(member.accounts, 'account', 'accounts')}"
        st.markdown(f"{bold(member.name)}  \n:small[:gray[{told}]]")
        row = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
        row.markdown(f"{tone}{power}", width="content")
        row.button("Open", key=f"person-{member.identity_id}", on_click=_open, args=(member.identity_id,))


def _open(id: str) -> None:
    st.query_params["person"] = id


def _one(house: House, actor: Actor, now: datetime, member: Member) -> None:
    opening(house, now, member.name, f"{plain(member.position)}: {count(len(member.held), 'grant', 'grants')}.")
    st.button("All of my team", type="tertiary", icon=":material/arrow_back:", on_click=st.query_params.clear)
    titles = {a.name: a.label for a in house.settings.application}
    going = on_its_way(house, member)
    for held in member.held:
        facts = held.facts
        status = going.get((facts["application"], facts["account_id"], facts["entitlement_id"]))
        _held(house, actor, now, held, titles, status)


def _held(house: House, actor: Actor, now: datetime, held: Held, titles: dict[str, str], status: str | None) -> None:
    facts, advice = held.facts, held.advice
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        what = bold(facts["entitlement"] or "The account itself")
        power = f" {chip('Privileged', 'orange')}" if facts["privileged"] else ""
        why = f"{chip(WORDS[advice.recommendation], TONES[advice.recommendation])} :small[{plain(advice.because)}]"
        where = plain(titles.get(facts["application"], facts["application"]))
        st.markdown(
            f"{what}{power} :small[:gray[{where}, last used {plain(last_use(facts, now))}]]  \n{why}", width="stretch"
        )
        if status:  # asking again would be refused
            st.markdown(f":small[:gray[Removal: {plain(REMEDIATION.get(status, status).lower())}]]", width="content")
            return
        key = f"{facts['application']}-{facts['account_id']}-{facts['entitlement_id']}"
        with st.popover("Ask to remove", key=f"ask-{key}"), st.form(f"form-{key}", border=False):
            note("Somebody else approves it; until then nothing changes.")
            reason = st.text_input("Why it is not needed", max_chars=500, key=f"why-{key}")
            if st.form_submit_button("Ask for the removal", type="primary", width="stretch"):
                verb = partial(
                    campaigns.ask_removal,
                    house,
                    actor,
                    now,
                    facts["application"],
                    facts["account_id"],
                    facts["entitlement_id"],
                    reason,
                )
                attempt(verb, "Asked: now somebody else approves it")
