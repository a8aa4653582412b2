"""How a campaign goes, drawn: open items day by day against an even pace, and each application's share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from governance.parts.charts import FONT
from governance.parts.colours import palette
from governance.parts.notes import note_in
from governance.views.campaigns import Progress, forecast
from governance.views.words import day

SHOWN = 12


def burn_down_chart(seen: Progress, now: datetime) -> None:
    """Open items against an even pace, and when it is done at the pace so far."""
    row = seen.card.campaign
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Open items", anchor=False, width="content")
    left = seen.card.items - seen.card.decided
    done = forecast(seen.burn_down, now)
    said = (
        "everything is decided"
        if not left
        else f"{left:,} left" + (f", at this pace done {day(done, now)}" if done else "")
    )
    note_in(head, said, width="content")
    if row.launched_at is None or row.due_at is None:
        return
    end = row.closed_at or now
    points = [(at, n) for at, n in seen.burn_down if at < end]
    points.append((end, left))
    st.echarts_chart(
        _option(points, row.launched_at, row.due_at, seen.card.items),
        height=190,
        key="burn-down",
        alt=f"Open items from {seen.card.items} at the beginning to {left} now; due {day(row.due_at, now)}",
    )


def _option(points: list[tuple[datetime, int]], begun: datetime, due: datetime, items: int) -> dict[str, Any]:
    colours = palette()
    text = {"color": colours.text_dim, "fontFamily": FONT, "fontSize": 11}
    real = [[at.isoformat(), n] for at, n in points]
    even = [[begun.isoformat(), items], [due.isoformat(), 0]]
    return {
        "animation": False,
        "grid": {"left": 4, "right": 16, "top": 12, "bottom": 2, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "time", "axisLabel": {**text, "hideOverlap": True},
                  "axisLine": {"lineStyle": {"color": colours.line}}},
        "yAxis": {"type": "value", "min": 0, "minInterval": 1, "axisLabel": text,
                  "splitLine": {"lineStyle": {"color": colours.grid}}},
        "series": [
            {"type": "line", "name": "Even pace", "data": even, "symbol": "none",
             "lineStyle": {"color": colours.text_dim, "type": "dashed", "width": 1}},
            {"type": "line", "name": "Open", "data": real, "symbol": "none", "step": False,
             "lineStyle": {"color": colours.accent, "width": 2},
             "areaStyle": {"color": colours.accent, "opacity": 0.12}},
        ],
    }  # fmt: skip


def application_bars(seen: Progress) -> None:
    """Each application as one bar: kept, removed, changed, open."""
    st.subheader("By application", anchor=False)
    colours = palette()
    shown = dict(list(seen.applications.items())[:SHOWN])
    text = {"color": colours.text_dim, "fontFamily": FONT, "fontSize": 11}
    parts = {"keep": ("Keep", colours.good), "remove": ("Remove", colours.critical),
             "change": ("Change", colours.accent), "open": ("Open", colours.unknown)}  # fmt: skip
    names = list(reversed(shown))
    series = [
        {"type": "bar", "stack": "all", "name": name, "barMaxWidth": 14, "itemStyle": {"color": colour},
         "data": [shown[title].get(word, 0) for title in names]}
        for word, (name, colour) in parts.items()
    ]  # fmt: skip
    option = {
        "animation": False,
        "legend": {"top": 0, "left": 0, "textStyle": text, "itemWidth": 10, "itemHeight": 10},
        "grid": {"left": 4, "right": 16, "top": 30, "bottom": 2, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "value", "minInterval": 1, "axisLabel": text,
                  "splitLine": {"lineStyle": {"color": colours.grid}}},
        "yAxis": {"type": "category", "data": names, "axisLabel": text, "axisTick": {"show": False},
                  "axisLine": {"lineStyle": {"color": colours.line}}},
        "series": series,
    }  # fmt: skip
    said = "; ".join(f"{title}: {sum(n.values())} items, {n['open']} open" for title, n in shown.items())
    st.echarts_chart(option, height=60 + 24 * len(shown), key="by-application", alt=said or "no items")
    if len(seen.applications) > SHOWN:
        st.markdown(f":small[:gray[and {len(seen.applications) - SHOWN} more]]")
