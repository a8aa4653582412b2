"""My reviews: what is given to the reader to decide, by keys, mouse or touch, and signed when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import streamlit as st

from governance import campaigns
from governance.access import Actor
from governance.errors import DecisionError
from governance.house import House
from governance.pages import EVERYBODY, Page
from governance.parts.acting import attempt
from governance.parts.burn_down import burn_down
from governance.parts.deputy import standing_in
from governance.parts.filters import status_tabs, text_search
from governance.parts.links import go
from governance.parts.listing import nothing
from governance.parts.notes import note, note_in
from governance.parts.opening import opening
from governance.parts.review_progress import freshness, passed_on, progress, sentence
from governance.parts.reviewing import place, reviewing, take_in
from governance.parts.text import bold, plain
from governance.views import reviews
from governance.views.reviews import FILTERS, SIZE, VIEWS, Assigned, Board
from governance.views.words import count, moment

PAGE = Page("My reviews", ":material/inbox:", "Review", 1, EVERYBODY)
CAMPAIGN, SHOW, BY, FIND = "campaign", "show", "by", "find"


def render(house: House, actor: Actor, now: datetime) -> None:
    """One review, where the address asks for it or there is only one; otherwise those that wait."""
    asked = st.query_params.get(CAMPAIGN)
    given = [] if asked else reviews.mine(house, actor, now)
    chosen = asked or (given[0].campaign.id if len(given) == 1 else None)
    if chosen:
        take_in(house, actor, now, chosen)
    board = _board(house, actor, now, chosen) if chosen else None
    if board and board.assigned.given:
        _review(house, actor, now, board)
        return
    given = given or reviews.mine(house, actor, now)
    opening(house, now, "My reviews", _sentence(given))
    standing_in(house, actor, now)
    if not passed_on(board) and not given:
        nothing(False, ":green[✓] Nothing is given to you to review.")
    for one in given:
        _card(one, now)


def _sentence(given: list[Assigned]) -> str:
    if not given:
        return "Nothing waits for your review."
    left = sum(one.given - one.decided for one in given)
    return f"{bold(f'{left:,}')} left to decide in {plain(count(len(given), 'review', 'reviews'))}."


def _card(one: Assigned, now: datetime) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        due = f", due {moment(one.campaign.due_at, now)}" if one.campaign.due_at else ""
        said = "signed" if one.signed else f"{one.decided:,} of {one.given:,} decided{due}"
        st.markdown(f"{bold(one.campaign.title)}: {plain(said)}", width="content")
        st.button("Open", key=f"open-{one.campaign.id}", on_click=st.query_params.update,
                  args=({CAMPAIGN: one.campaign.id},))  # fmt: skip


def _board(house: House, actor: Actor, now: datetime, id: str) -> Board | None:
    """The part of a review that the address asks for; None when there is no such review."""
    try:
        chosen = (_asked(SHOW, FILTERS), _asked(BY, VIEWS), place(), st.query_params.get(FIND, "")[:120])
        return reviews.board(house, actor, now, id, *chosen)
    except DecisionError:
        return None


def _asked(key: str, known: Mapping[str, str]) -> str:
    value = st.query_params.get(key, "")
    return value if value in known else next(iter(known))


def _review(house: House, actor: Actor, now: datetime, board: Board) -> None:
    """The head, the filters, the list, and the end."""
    head, chart = st.columns([3, 1], gap="medium", vertical_alignment="bottom")
    with head:
        opening(house, now, board.assigned.campaign.title, sentence(board, now))
        with st.container(gap="xxsmall"):
            standing_in(house, actor, now)
            note(plain(freshness(board, now)))
            progress(board)
    with chart:
        burn_down(board, now)
    chips = st.container(horizontal=True, horizontal_alignment="distribute")
    labels = {key: f"{title} {board.filters[key]:,}" for key, title in FILTERS.items()}
    wanted = status_tabs(chips, SHOW, labels, pills=True)
    view = status_tabs(chips, BY, VIEWS, "Order")
    asked, under = st.query_params.get(FIND, ""), f"under “{plain(FILTERS[wanted])}”"
    if asked or board.assigned.given > SIZE:  # on one page the filter of the list itself finds everything
        text_search(st.container(width=420), "Person, account or entitlement, on every page", FIND)
    if board.rows:
        reviewing(house, actor, now, board, f"{wanted} {asked}", view)
    else:
        nothing(False, f"No row {under} has “{plain(asked)}”." if asked else f"No row is left {under}.")
    _end(house, actor, now, board)


def _end(house: House, actor: Actor, now: datetime, board: Board) -> None:
    """Later, or signed: a reviewer's word that everything given to them is decided."""
    one, left = board.assigned, board.assigned.given - board.assigned.decided
    if one.campaign.status != "running":
        return
    row = st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center")
    if one.signed:
        note_in(row, ":green[✓] You have signed this review; a new decision takes the signature back.", width="content")
    row.button("Finish later", on_click=go, args=("overview",))
    label = "Sign and submit" if not left else f"Sign and submit, {left:,} to decide"
    if row.button(label, type="primary", disabled=bool(left) or one.signed, key="sign"):
        attempt(lambda: campaigns.sign(house, actor, now, one.campaign.id), "Signed: thank you")
