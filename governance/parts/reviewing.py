"""The list of a review: drawn page by page, and what is decided in it given to the domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final

import streamlit as st

from governance import campaigns
from governance.access import Actor
from governance.errors import DecisionError
from governance.house import House
from governance.parts.pager import AT, ways_of
from governance.parts.review_grid import Decided, heard, review_grid
from governance.parts.text import seen
from governance.views.reviews import SIZE, VIEWS, Board
from governance.views.words import STATES

_LAST: Final = 1_000  # answers remembered for a browser that did not hear them
_EVERY_NUMBER: Final = range(1, 2**31)  # which of them this campaign has, and whose they are, the domain says
USUAL: Final = ("", STATES["current"])


def place() -> int:
    """The page of the list that the address asks for, from 1."""
    asked = st.query_params.get(AT, "")
    return int(asked) if asked.isascii() and asked.isdecimal() and 0 < len(asked) < 7 else 1


def reviewing(house: House, actor: Actor, now: datetime, board: Board, narrowed: str, view: str) -> None:
    """Draw one page of the board; what only the component itself could tell is stored and the page drawn anew."""
    campaign = board.assigned.campaign
    key = _key(campaign.id, actor)
    answers = _answers(key)
    at = min(max(1, place()), board.pages)
    first = (at - 1) * SIZE + 1
    told = review_grid(
        key,
        [harmless(row) for row in board.rows],
        label=f"{seen(campaign.title)}: what you decide",
        scope=f"{narrowed} {view} {at}",
        saved=answers["saved"],
        closed=campaign.status != "running",
        first=first,
        total=board.total,
        refused=answers["refused"],
        known=_EVERY_NUMBER,
    )
    last = first + len(board.rows) - 1
    said = f"{first:,} to {last:,} of {board.total:,}, {VIEWS[view].lower()}"
    ways_of(said, str(at - 1) if at > 1 else None, str(at + 1) if at < board.pages else None)
    if told:
        _answer(house, actor, now, campaign.id, told)
        st.rerun()


def take_in(house: House, actor: Actor, now: datetime, campaign: str) -> None:
    """Store what the browser decided before anything is drawn: one run of the script shows it and says it is stored."""
    key = _key(campaign, actor)
    answers = _answers(key)
    told = [one for one in heard(key, _EVERY_NUMBER) if one.nonce not in answers["saved"]]
    if told := [one for one in told if one.nonce not in answers["refused"]]:
        _answer(house, actor, now, campaign, told)


def _key(campaign: str, actor: Actor) -> str:
    return f"{campaign} {actor.email}"


def _answers(key: str) -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.setdefault(f"answers {key}", {"saved": [], "refused": {}})
    return found


def _answer(house: House, actor: Actor, now: datetime, campaign: str, told: Sequence[Decided]) -> None:
    answers = _answers(_key(campaign, actor))
    saved, refused = store(house, actor, now, campaign, told)
    answers["saved"] = [*answers["saved"], *saved][-_LAST:]
    answers["refused"] = dict(list({**answers["refused"], **refused}.items())[-_LAST:])


def store(
    house: House, actor: Actor, now: datetime, campaign: str, told: Sequence[Decided]
) -> tuple[list[str], dict[str, str]]:
    """Store these decisions; gives the nonces that are stored, and those refused with why.

    The domain takes all or none: where one is refused they go press by press, so that one does not hold up the others.
    """
    try:
        campaigns.decide(house, actor, now, campaign, [_decision(one) for one in told])
        return [one.nonce for one in told], {}
    except DecisionError:
        saved: list[str] = []
        refused: dict[str, str] = {}
    for _, together in groupby(told, key=lambda one: one.press):
        press = list(together)
        try:
            campaigns.decide(house, actor, now, campaign, [_decision(one) for one in press])
            saved += [one.nonce for one in press]
        except DecisionError as why:
            refused |= {one.nonce: str(why) for one in press}
    return saved, refused


def _decision(one: Decided) -> campaigns.Decision:
    return campaigns.Decision(one.number, one.decision, one.reason, one.seconds, one.bulk, one.nonce)


def harmless(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with every text made harmless; an employment that is not the usual one stands beside the name."""
    texts = {key: seen(value) if isinstance(value, str) else value for key, value in row.items()}
    earlier = [seen(text) for text in row["earlier_decisions"]]
    return texts | {"earlier_decisions": earlier, "notable": row["employment"] not in USUAL}
