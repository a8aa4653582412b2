"""The list of campaigns as cards, and the schedules that begin them."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from governance import campaigns
from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.notes import note, note_in
from governance.parts.severity import chip
from governance.parts.text import bold, hot, plain, warm
from governance.tables import ReviewSchedule
from governance.views.campaigns import Card
from governance.views.words import count, day, span

STATUS = {
    "running": ("Running", "blue"),
    "draft": ("Draft", "gray"),
    "closed": ("Closed", "green"),
    "cancelled": ("Cancelled", "gray"),
}


def campaign_card(card: Card, now: datetime) -> None:
    """One campaign: what it is, how far, what waits."""
    row = card.campaign
    with st.container(border=True, key=f"campaign-{row.id}"):
        head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        head.subheader(plain(row.title), anchor=False, width="stretch")
        head.markdown(chip(*STATUS.get(row.status, (row.status, "gray"))), width="content")
        if row.status in ("running", "closed"):
            st.progress(card.share, text=f":small[{card.decided:,} of {card.items:,} decided]")
        foot = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        note_in(foot, _said(card, now), width="stretch")
        if foot.button("Open", key=f"open-{row.id}"):
            st.query_params.from_dict({"campaign": row.id})
            st.rerun()


def _said(card: Card, now: datetime) -> str:
    row = card.campaign
    if row.status == "draft":
        return f"drafted {plain(day(row.created_at, now))} by {plain(row.created_by)}; nobody is asked yet"
    if row.status == "cancelled":
        return f"ended {plain(day(row.closed_at, now))} by {plain(row.closed_by or '')}, without an outcome"
    if row.status == "closed":
        proved = card.removals.get("verified", 0)
        done = f"{proved:,} of {count(sum(card.removals.values()), 'removal', 'removals')} proved"
        return f"closed {plain(day(row.closed_at, now))}; {plain(done)}"
    due = row.due_at or now
    if due > now:
        return f"due {plain(day(due, now))}, in {plain(span(due - now))}"
    return warm(f"overdue by {span(now - due)}") if card.overdue(now) else "everything is decided: close it"


def sentence(cards: list[Card], now: datetime) -> str:
    """What somebody who opens the page must know."""
    running = [card for card in cards if card.campaign.status == "running"]
    waiting = sum(card.items - card.decided for card in running)
    late = sum(card.overdue(now) for card in running)
    left = sum(card.not_proved for card in cards)
    if not running:
        said = "No review is running."
    else:
        runs = bold(count(len(running), "review runs", "reviews run"))
        said = f"{runs}; {bold(f'{waiting:,}')} items wait for a decision"
        said += f", {hot(f'{late} overdue')}." if late else "."
    if left:
        said += f" {warm(count(left, 'removal is', 'removals are'))} not proved yet."
    return said


def schedule_list(house: House, actor: Actor, now: datetime, rows: list[ReviewSchedule]) -> None:
    """What begins by itself, when, and why it waits."""
    if not rows:
        return
    with st.container(border=True):
        st.subheader("Begin by themselves", anchor=False)
        for row in rows:
            line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
            months = "every month" if row.every_months == 1 else f"every {row.every_months} months"
            waits = f"  \n:orange[◆ waits: {plain(row.waiting)}]" if row.waiting else ""
            line.markdown(
                f"{bold(row.title)} :small[:gray[{months}, next {plain(day(row.next_at, now))}]]{waits}",
                width="stretch",
            )
            if may(actor, Verb.CAMPAIGN) and line.button("End", key=f"end-{row.id}"):
                attempt(
                    partial(campaigns.end_schedule, house, actor, now, row.id), "Ended: no further review begins by it"
                )
        note("A review begins only on fresh data: every feed it looks at recent, none held by a guard.")
