"""Approving several proposals of one review or rule at once: each named and chosen, one reason, nothing critical."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import streamlit as st

from governance import remediation
from governance.access import Actor
from governance.house import House
from governance.parts.acting import demand_signed_in
from governance.parts.each import each, still_refused, tell
from governance.parts.into_view import ask_into_view
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.views.approvals import Together, Waiting
from governance.views.words import taken_away

PLACE: Final = "approvals"


def approving_many(house: House, actor: Actor, now: datetime, group: Together) -> None:
    """The proposals with a box each, none chosen at first; the reason; and one approval for each that is chosen."""
    with st.container(border=True, key=f"together-{group.key}", gap="xsmall"):
        line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        line.subheader(f"{plain(group.title)}: {len(group.cards)} more", anchor=False, width="content")
        chosen = [card for card in group.cards if st.session_state.get(_box(card))]
        every = len(chosen) == len(group.cards)
        label = "Choose none" if every else f"Choose all {len(group.cards)}"
        line.button(label, key=f"all-{group.key}", on_click=_choose, args=(group, not every))
        for card in group.cards:
            _one(card)
        reason = st.text_input("Why you agree to those chosen", key=f"agree-many-{group.key}", max_chars=500)
        sent = st.button(
            f"Approve {len(chosen)}" if chosen else "Approve those chosen",
            type="primary",
            width="stretch",
            disabled=not chosen,
            key=f"approve-many-{group.key}",
        )
        note("Each is checked and carried out by itself. What is critical is approved one at a time.")
        showed = f"showed {group.key}"  # somebody may have decided about one of them since the button was drawn
        seen: list[Waiting] = st.session_state.get(showed, chosen)
        st.session_state[showed] = chosen
        if sent:  # a box may have been emptied in the same moment
            _approve(house, actor, now, [card for card in seen if st.session_state.get(_box(card))], reason)


def refused_before() -> None:
    """What the last approval of several could not do, by name, until it is dismissed."""
    still_refused(PLACE)


def announced(card: Waiting) -> str:
    """Whose access it is, where, and which entitlement goes where it is not the whole account, as markdown."""
    return f"{bold(_who(card))}, {plain(_where(card))}"


def _one(card: Waiting) -> None:
    with st.container(gap=None):
        row = st.container(horizontal=True, vertical_alignment="center", wrap=False)
        row.checkbox(f"{plain(_who(card))}, {plain(_where(card))}", key=_box(card), width="stretch")
        row.button(
            "Open", type="tertiary", key=f"next-{card.remediation.id}", on_click=open_card, args=(card.remediation.id,)
        )
        note(plain(card.why))


def open_card(id: str) -> None:
    """Show this proposal in full next."""
    st.query_params["id"] = id
    ask_into_view(f"card-{id}")


def _box(card: Waiting) -> str:
    return f"chosen-{card.remediation.id}"


def _choose(group: Together, every: bool) -> None:
    for card in group.cards:
        st.session_state[_box(card)] = every


def _approve(house: House, actor: Actor, now: datetime, chosen: list[Waiting], reason: str) -> None:
    if not demand_signed_in():
        return
    half: list[Waiting] = []

    def one(card: Waiting) -> None:
        [approved] = remediation.approve(house, actor, now, [card.remediation.id], reason)
        if approved.status == "proposed":
            half.append(card)

    done, refused = each(chosen, one, lambda card: f"{_who(card)}, {_where(card)}")
    more = f"; {len(half)} more once a second person agrees" if half else ""
    tell(PLACE, f"{done - len(half)} approved{more}", done, refused)


def _who(card: Waiting) -> str:
    return card.remediation.identity_name or card.remediation.username or card.remediation.account_id


def _where(card: Waiting) -> str:
    return f"{card.closing.title if card.closing else card.remediation.application}{taken_away(card.remediation)}"
