"""Evidence: the signed files of closed reviews, and which removals are still to be proved."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from governance.access import Actor, Verb, may
from governance.house import House
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.acting import attempt
from governance.parts.evidence_key import evidence_key
from governance.parts.links import link
from governance.parts.notes import note, note_in
from governance.parts.opening import opening
from governance.parts.severity import chip
from governance.parts.text import bold, plain, warm
from governance.tables import EvidencePack
from governance.views import campaigns as views
from governance.views import packs
from governance.views.words import REMEDIATION, count, day, moment, span, taken_away

PAGE = Page("Evidence", ":material/verified:", "Review", 30, frozenset({ADMIN, SECURITY, AUDITOR}))
STATUS = {
    "waiting": ("Waits for the worker", "gray"),
    "building": ("Being built", "blue"),
    "ready": ("Signed", "green"),
    "failed": ("Failed", "red"),
}


def render(house: House, actor: Actor, now: datetime) -> None:
    """The sentence, a card for each closed review, and the key that proves them."""
    closed = [card for card in views.cards(house, actor) if card.campaign.status == "closed"]
    found = packs.by_campaign(house, actor)
    opening(house, now, "Evidence", _sentence(closed, found))
    if not closed:
        with st.container(border=True):
            st.markdown(
                "Once a review is closed, its evidence is built here: who held what, who decided, what was done."
            )
    for card in closed:
        _card(house, actor, now, card, found.get(card.campaign.id, []))
    _overdue(house, actor, now)
    if closed:
        evidence_key(house)


def _sentence(closed: list[views.Card], found: dict[str, list[EvidencePack]]) -> str:
    if not closed:
        return "No review is closed yet, so there is nothing to prove."
    ready = sum(any(pack.status == "ready" for pack in found.get(card.campaign.id, [])) for card in closed)
    proved = sum(card.removals.get("verified", 0) for card in closed)
    total = sum(sum(card.removals.values()) for card in closed)
    removed = f"{bold(f'{proved:,}')} of {count(total, 'removal', 'removals')} proved by reading again"
    reviews = count(len(closed), "closed review", "closed reviews")
    return f"{bold(f'{ready:,}')} of {reviews} with signed evidence; {removed}."


def _card(house: House, actor: Actor, now: datetime, card: views.Card, own: list[EvidencePack]) -> None:
    row = card.campaign
    with st.container(border=True, key=f"evidence-{row.id}"):
        head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        head.subheader(plain(row.title), anchor=False, width="stretch")
        if own:
            head.markdown(chip(*STATUS.get(own[0].status, (own[0].status, "gray"))), width="content")
        proved, total = card.removals.get("verified", 0), sum(card.removals.values())
        note(
            f"Closed {plain(day(row.closed_at, now))} by {plain(row.closed_by or '')};"
            f" {count(card.items, 'item', 'items')};"
            f" {proved:,} of {count(total, 'removal', 'removals')} proved. Population `{row.population_sha256[:16]}…`"
        )
        line = st.container(horizontal=True, vertical_alignment="center", gap="small")
        newest = next((pack for pack in own if pack.status == "ready"), None)
        if newest is not None and may(actor, Verb.EXPORT):
            line.download_button(
                f"Download ({newest.size / 2**20:,.1f} MiB)",
                data=partial(packs.taken, house, actor, now, newest.id),
                file_name=f"{row.id}.zip",
                mime="application/zip",
                icon=":material/download:",
                key=f"take-{newest.id}",
            )
        elif newest is not None:
            note_in(line, "Who may export, such as an auditor, downloads it.", width="content")
        if may(actor, Verb.EXPORT) and line.button(
            "Build anew", key=f"anew-{row.id}", help="With what was proved since."
        ):
            attempt(partial(packs.ask, house, actor, now, row.id), "Asked: the worker builds it")
        if newest is not None:
            note_in(line, f"Built {plain(moment(newest.built_at, now))} UTC, SHA-256 `{newest.sha256[:16]}…`")
        if own and own[0].error:
            note(f":orange[◆] {plain(own[0].error)}")


def _overdue(house: House, actor: Actor, now: datetime) -> None:
    """Removals that were decided and are not proved, the oldest first: a decision alone closes nothing."""
    rows = packs.not_carried_out(house, actor)
    if not rows:
        return
    titles = {application.name: application.label for application in house.settings.application}
    with st.container(border=True):
        st.subheader(f"Decided, not proved ({len(rows):,})", anchor=False)
        for r in rows[:20]:
            age = span(now - r.proposed_at)
            line = st.container(horizontal=True, vertical_alignment="center", wrap=False)
            who = r.identity_name or r.username or r.account_id
            where = f"{plain(titles.get(r.application, r.application))}{plain(taken_away(r))}"
            state = REMEDIATION.get(r.status, r.status)
            line.markdown(f"{bold(who)} in {where} :small[:gray[{plain(state)}]]", width="stretch")
            line.markdown(f":small[{warm(age) if (now - r.proposed_at).days >= 7 else plain(age)}]", width="content")
        if len(rows) > 20:
            note(f"and {len(rows) - 20:,} more")
        link("approvals", "To the approvals", ":material/done_all:")
