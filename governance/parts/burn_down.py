"""The way of a review's open items: as it was, as an even pace would be, and as it goes on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from governance.parts.charts import FONT
from governance.parts.colours import palette
from governance.parts.notes import note
from governance.parts.review_progress import done_at
from governance.parts.text import bold, plain
from governance.views.reviews import Board
from governance.views.words import day


def burn_down(board: Board, now: datetime) -> None:
    """How many were open when: as it was, as an even pace would be, and as it goes on."""
    campaign = board.assigned.campaign
    if campaign.launched_at is None or campaign.due_at is None or not board.assigned.given:
        return
    left = board.assigned.given - board.assigned.decided
    begun, due = day(campaign.launched_at, now), day(campaign.due_at, now)
    alt = f"{left:,} of {board.assigned.given:,} left, begun {begun}, due {due}"
    with st.container(border=True, key="pace"):
        note(f"{bold(f'{left:,} left')}, due {plain(due)}")
        st.echarts_chart(_burn_down(board, now, left), height=96, key="burn-down", alt=alt)


def _burn_down(board: Board, now: datetime, left: int) -> dict[str, Any]:
    colours, campaign, given = palette(), board.assigned.campaign, board.assigned.given
    begun, due = campaign.launched_at, campaign.due_at
    assert begun is not None
    assert due is not None
    was = [[_ms(at), n] for at, n in board.burn_down if at < now]
    if campaign.status == "running":
        was.append([_ms(now), left])
    done = done_at(board, now)
    text = {
        "color": colours.text_dim,
        "fontFamily": FONT,
        "fontSize": 11,
        "formatter": "{d} {MMM}",
        "customValues": [_ms(begun), _ms(due)],
        "alignMinLabel": "left",
        "alignMaxLabel": "right",
    }
    return {
        "animation": False,
        "grid": {"left": 4, "right": 8, "top": 4, "bottom": 18, "containLabel": False},
        "xAxis": {"type": "time", "min": _ms(begun), "max": _ms(max(due, now)), "axisLabel": text,
                  "axisTick": {"show": False}, "axisLine": {"lineStyle": {"color": colours.line}}},
        "yAxis": {"type": "value", "show": False, "min": 0, "max": given},
        "series": [
            _line([[_ms(begun), given], [_ms(due), 0]], colours.unknown, "dashed"),
            _line([[_ms(now), left], [_ms(done), 0]] if done else [], colours.accent, "dotted"),
            _line(was, colours.accent, "solid") | {"areaStyle": {"color": colours.accent, "opacity": 0.1}},
        ],
    }  # fmt: skip


def _line(points: list[list[float]], colour: str, kind: str) -> dict[str, Any]:
    style = {"color": colour, "type": kind, "width": 1.5}
    return {"type": "line", "data": points, "symbol": "none", "silent": True, "lineStyle": style}


def _ms(at: datetime) -> float:
    return at.timestamp() * 1_000
