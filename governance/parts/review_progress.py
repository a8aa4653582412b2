"""How far a review is: decided of what, how it is split, and when it is done at this pace."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import streamlit as st

from governance.parts.colours import palette
from governance.parts.text import bold, plain, small_row
from governance.views.campaigns import forecast
from governance.views.reviews import Assigned, Board
from governance.views.words import count, day, days, moment, span

LEGEND: Final = (("keep", "Keep", "green"), ("remove", "Remove", "red"), ("change", "Change", "blue"))


def sentence(board: Board, now: datetime) -> str:
    """What a review opens with: how much is left, and until when."""
    left = board.assigned.given - board.assigned.decided
    if board.assigned.campaign.status != "running":
        return f"This review is {plain(board.assigned.campaign.status)}: its decisions stand."
    return f"{bold(f'{left:,}')} left to decide, {plain(until(board, now))}." if left else "Everything is decided."


def freshness(board: Board, now: datetime) -> str:
    """Of when the facts are, and what changed since."""
    number, last = board.refreshed
    begun = f"Access as of {moment(board.assigned.campaign.launched_at, now)}"
    if last is None:
        return f"{begun}; no recommendation has changed since."
    return (
        f"{begun}; {count(number, 'recommendation', 'recommendations')} changed since, the last {span(now - last)} ago."
    )


def progress(board: Board) -> None:
    """The bar and its legend."""
    given, decided = board.assigned.given, board.assigned.decided
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with row.container():
        said = ", ".join(f"{label.lower()} {board.assigned.counts[word]:,}" for word, label, _ in LEGEND)
        st.echarts_chart(
            _bar(board.assigned), height=20, key="review-progress", alt=f"{decided:,} of {given:,} decided: {said}"
        )
    row.markdown(bold(f"{decided:,} of {given:,}"), width="content")
    legend = [f":{colour}[■] :gray[{label} {board.assigned.counts[word]:,}]" for word, label, colour in LEGEND]
    if board.assigned.handed_on:
        legend.append(f":gray[■ Not mine {board.assigned.handed_on:,}]")
    if board.assigned.passed_on:
        legend.append(f":gray[■ Kept, and with the next reviewer {board.assigned.passed_on:,}]")
    st.markdown(small_row(legend))


def passed_on(board: Board | None) -> bool:
    """Say that a review has nothing left for its reader where somebody else looks again at what they kept."""
    if board is None or not board.assigned.passed_on:
        return False
    said = count(board.assigned.passed_on, "item you kept is", "items you kept are")
    title = plain(board.assigned.campaign.title)
    st.success(f"Nothing is left for you in “{title}”: {said} with the next reviewer.", icon=":material/check:")
    return True


def until(board: Board, now: datetime) -> str:
    """`due in 11 days, at this pace done on 3 Dec`."""
    due = board.assigned.campaign.due_at
    if board.assigned.campaign.status != "running" or due is None:
        return board.assigned.campaign.status
    when = f"due in {days(due - now)}" if due > now else f"{days(now - due)} over time"
    done = done_at(board, now)
    return f"{when}, at this pace done on {day(done, now)}" if done else when


def done_at(board: Board, now: datetime) -> datetime | None:
    """When everything is decided at the pace so far."""
    left = board.assigned.given - board.assigned.decided
    return forecast([*board.burn_down[:1], (now, left)], now)


def _bar(assigned: Assigned) -> dict[str, Any]:
    colours = palette()
    tones = {"keep": colours.good, "remove": colours.critical, "change": colours.accent}
    parts = [(assigned.counts[word], tones[word]) for word in tones]
    parts.append((assigned.given - assigned.decided, colours.grid))
    return {
        "animation": False,
        "grid": {"left": 0, "right": 0, "top": 6, "bottom": 6},
        "xAxis": {"type": "value", "show": False, "max": max(1, assigned.given)},
        "yAxis": {"type": "category", "show": False, "data": [""]},
        "series": [{"type": "bar", "stack": "all", "silent": True, "barWidth": 8, "data": [n],
                    "itemStyle": {"color": tone, "borderColor": colours.panel, "borderWidth": 0.5}}
                   for n, tone in parts if n],
    }  # fmt: skip
