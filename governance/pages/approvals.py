"""Approvals: what waits for your decision as cards, what is being carried out, and what was proved."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.pages import ADMIN, APPROVER, AUDITOR, MANAGER, OWNER, SECURITY, Page
from governance.parts.approval import CARDS, approval_card, decided_meanwhile
from governance.parts.approving_many import announced, approving_many, open_card, refused_before
from governance.parts.into_view import into_view
from governance.parts.opening import opening
from governance.parts.progress import ended_list, under_way_list
from governance.parts.text import bold, plain
from governance.views import approvals
from governance.views.approvals import Waiting

PAGE = Page(
    "Approvals",
    ":material/done_all:",
    "Decide",
    10,
    frozenset({ADMIN, SECURITY, MANAGER, OWNER, APPROVER, AUDITOR}),
)


def render(house: House, actor: Actor, now: datetime) -> None:
    """The cards that wait, then everything that moves."""
    waiting = approvals.waiting(house, actor, now)
    opening(house, now, "Approvals", _sentence(waiting))
    mine = [card for card in waiting if card.bar is None]
    others = [card for card in waiting if card.bar is not None]
    cards, moving = st.columns([1, 1.25], gap="medium")
    with cards, st.container(key=CARDS):
        refused_before()
        decided_meanwhile(house, actor, waiting)
        if not waiting:
            with st.container(border=True):
                st.markdown(":green[✓] Nothing waits for a decision.")
        _asked_first(house, actor, now, mine)
        for place, card in enumerate(_order(others)):
            if place == 0:
                approval_card(house, actor, now, card)
            else:
                _announced(card, "For somebody else")
    into_view(CARDS)
    with moving:
        under_way_list(house, actor, now)
        ended_list(house, actor, now)


def _sentence(waiting: list[Waiting]) -> str:
    mine = sum(card.bar is None for card in waiting)
    rest = len(waiting) - mine
    if not waiting:
        return "Nothing waits for your decision."
    said = (
        f"{bold(mine)} wait{'s' if mine == 1 else ''} for your decision" if mine else "Nothing waits for your decision"
    )
    return f"{said}{plain(f'; {rest} for somebody else') if rest else ''}."


def _asked_first(house: House, actor: Actor, now: datetime, mine: list[Waiting]) -> None:
    """One card in full; the next ones are only announced. An address with an id opens exactly that card."""
    order = _order(mine)
    for card in order[:1]:
        approval_card(house, actor, now, card)
    groups, others = approvals.together(house, order[1:])
    for card in others:
        _announced(card)
    for group in groups:
        approving_many(house, actor, now, group)


def _order(cards: list[Waiting]) -> list[Waiting]:
    asked = st.query_params.get("id")
    return sorted(cards, key=lambda card: card.remediation.id != asked)


def _announced(card: Waiting, what: str = "Next") -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", wrap=False):
        st.markdown(f"{what}: {announced(card)}", width="stretch")
        st.button("Open", key=f"next-{card.remediation.id}", on_click=open_card, args=(card.remediation.id,))
