"""While somebody is away: who decides their reviews, until when and why."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial

import streamlit as st

from governance import campaigns
from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.tables import Delegation
from governance.views.words import day


def deputy(house: House, actor: Actor, now: datetime) -> None:
    """The deputies that concern this actor, and the form to name one."""
    if not actor.email or not may(actor, Verb.READ):
        return
    with st.container(border=True):
        st.subheader("While you are away", anchor=False)
        rows = campaigns.delegations(house, now)
        mine = [row for row in rows if actor.is_named(row.actor)]
        for row in rows:
            if actor.is_named(row.deputy):
                note(f"You decide the reviews of {plain(row.actor)} until {plain(_last_day(row, now))}.")
        for row in mine:
            _mine(house, actor, now, row)
        if not mine:
            _name(house, actor, now)


def standing_in(house: House, actor: Actor, now: datetime) -> None:
    """Where reviews are decided: in whose place the reader decides some of them, and who decides the reader's own."""
    for row in campaigns.delegations(house, now):
        if row.since > now:
            continue
        until = plain(_last_day(row, now))
        if actor.is_named(row.deputy):
            note(f":blue[◆] With the reviews of {plain(row.actor)}, whose deputy you are until {until}.")
        elif actor.is_named(row.actor):
            note(f":blue[◆] {plain(row.deputy)} decides them too, as your deputy, until {until}.")


def _last_day(row: Delegation, now: datetime) -> str:
    """The last day on which it holds: it ends at the first moment of the next."""
    return day(row.until - timedelta(microseconds=1), now)


def _mine(house: House, actor: Actor, now: datetime, row: Delegation) -> None:
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    begins = f" from {plain(day(row.since, now))}" if row.since > now else ""
    line.markdown(
        f"{bold(row.deputy)} decides your reviews{begins} until {plain(_last_day(row, now))}.", width="stretch"
    )
    if line.button("End it", key=f"end-{row.id}"):
        attempt(partial(campaigns.end_delegation, house, actor, now, row.id), "Ended: you decide your reviews yourself")


def _name(house: House, actor: Actor, now: datetime) -> None:
    others = [entry.email for entry in house.settings.actor if not actor.is_same(entry.email)]
    with st.form("deputy", border=False):
        who = st.selectbox("Who decides your reviews", others, index=None, accept_new_options=True)
        until = st.date_input(
            "Last day",
            value=(now + timedelta(days=14)).date(),
            min_value=(now + timedelta(days=1)).date(),
            max_value=(now + timedelta(days=89)).date(),
            format="YYYY-MM-DD",
        )
        why = st.text_input("Why", max_chars=300, placeholder="Holiday", key="why-deputy")
        sent = st.form_submit_button("Name the deputy", width="stretch")
    if sent and not who:
        st.error("Choose who decides your reviews first.", icon=":material/block:")
    elif sent and who:
        end = datetime.combine(until, time(), UTC) + timedelta(days=1)
        attempt(
            partial(campaigns.delegate, house, actor, now, who, end, why),
            "Named: from now on your reviews can be decided there",
        )
    note("Nobody decides about their own access, and a deputy has no deputy.")
