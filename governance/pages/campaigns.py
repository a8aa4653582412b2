"""Campaigns: access reviews that run, that ended, and how one is begun."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from governance import campaigns
from governance.access import Actor, Verb, may
from governance.errors import DecisionError
from governance.house import House
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.acting import attempt
from governance.parts.campaign_cards import campaign_card, schedule_list, sentence
from governance.parts.campaign_form import asked_already, new_campaign
from governance.parts.campaign_plan import plan_in_words
from governance.parts.campaign_progress import campaign_progress, statement
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.review_preview import review_preview
from governance.parts.text import bold, plain, warm
from governance.views import campaigns as views
from governance.views.previews import foreseen
from governance.views.words import count, day, span

PAGE = Page("Campaigns", ":material/fact_check:", "Review", 10, frozenset({ADMIN, SECURITY, AUDITOR}))


def render(house: House, actor: Actor, now: datetime) -> None:
    """The list, a new one, or the one the address names."""
    if asked := st.query_params.get("campaign"):
        _one(house, actor, now, asked)
        return
    if st.query_params.get("new") and may(actor, Verb.CAMPAIGN):
        opening(house, now, "New review", "What is reviewed, who decides, and until when.")
        _back()
        new_campaign(house, actor, now)
        return
    cards = views.cards(house, actor)
    opening(house, now, "Campaigns", sentence(cards, now), action=_begin if may(actor, Verb.CAMPAIGN) else None)
    if not cards:
        with st.container(border=True):
            st.markdown(
                "No review was begun yet. A review freezes who holds what, asks those who can tell whether it is still"
                " needed, and proves what became of it."
            )
    grid = st.grid(2, min_column_width=340, gap="small")
    for card in cards:
        with grid:
            campaign_card(card, now)
    schedule_list(house, actor, now, views.schedules(house, actor))


def _begin(place: DeltaGenerator) -> None:
    if place.button("New review", type="primary", icon=":material/add:"):
        st.query_params.from_dict({"new": "1"})
        st.rerun()


def _back() -> None:
    st.button("All campaigns", type="tertiary", icon=":material/arrow_back:", on_click=st.query_params.clear)


def _one(house: House, actor: Actor, now: datetime, id: str) -> None:
    try:
        seen = views.progress(house, actor, id)
    except DecisionError:
        opening(house, now, "Campaigns", "There is no such review any more.")
        _back()
        return
    row = seen.card.campaign
    opening(house, now, row.title, _sentence(seen, now))
    _back()
    if row.status == "draft":
        _draft(house, actor, now, seen)
        return
    campaign_progress(house, actor, now, seen)


def _sentence(seen: views.Progress, now: datetime) -> str:
    row, card = seen.card.campaign, seen.card
    if row.status == "draft":
        return "A draft: nothing is frozen and nobody is asked yet."
    decided = f"{bold(f'{card.decided:,}')} of {count(card.items, 'item', 'items')} decided"
    if row.status == "running":
        due = row.due_at or now
        late = warm(f"overdue by {span(now - due)}") if due <= now else f"{plain(span(due - now))} left"
        return f"{decided} by {count(len(seen.reviewers), 'reviewer', 'reviewers')}; {late}."
    if row.status == "cancelled":
        return f"{decided} when it was ended without an outcome."
    proved = card.removals.get("verified", 0)
    total = sum(card.removals.values())
    removed = f"{proved:,} of {count(total, 'removal', 'removals')} proved" if total else "nothing was to be removed"
    return f"Closed {plain(day(row.closed_at, now))}: {decided}; {plain(removed)}."


def _draft(house: House, actor: Actor, now: datetime, seen: views.Progress) -> None:
    row = seen.card.campaign
    left, right = st.columns([1.4, 1], gap="small")
    with left.container(border=True):
        st.subheader("Scope and plan", anchor=False)
        plan_in_words(house, row.scope or {}, row.plan or {})
    with right.container(border=True):
        if not may(actor, Verb.CAMPAIGN):
            statement(seen, now)
            return
        found = foreseen(house, actor, now, row.scope or {}, row.plan or {}).numbers
        st.markdown(f"{bold(f'{found.items:,}')} items for {count(len(found.reviewers), 'reviewer', 'reviewers')}.")
        asked_already(found, now)
        for one in found.unresolved[:8]:
            note(f":red[▲] {plain(one['application'])}/{plain(one['username'])}: {plain(one['why'])}")
        if st.button("Freeze and begin", type="primary", width="stretch", disabled=bool(found.unresolved)):
            attempt(lambda: campaigns.launch(house, actor, now, row.id), "The review has begun: its reviewers are told")
        if st.button("Throw the draft away", width="stretch"):
            attempt(lambda: campaigns.cancel(house, actor, now, row.id, "draft thrown away"), "The draft is gone")
    review_preview(house, actor, now, row.scope or {}, row.plan or {}, found.reviewers)
