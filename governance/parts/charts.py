"""How long closures take, in ECharts: light to load, and drawn in the colours of the reader's theme."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from governance.findings import Coverage
from governance.parts.colours import palette
from governance.parts.notes import note, note_in
from governance.parts.text import plain
from governance.views.closures import POLICY, Closures
from governance.views.words import count

FONT: Final = "Inter, sans-serif"


def closure_chart(closures: Closures, covered: Coverage | None) -> None:
    """How long it takes from the last working day to the proof: a median hides the tail, so the tail is shown.

    Only ghosts count: an account that was closed before any reading found it open is covered, and was never timed.
    """
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Time from last working day to verified closure", anchor=False, width="content")
    if not closures.hours:
        note_in(head, "no ghost closed in 90 days", width="content")
        once = "Once ghosts are closed and proved, the hours each took stand here beside the policy."
        note(f"{plain(untimed(covered))} {once}".strip())
        return
    note_in(head, f"{count(len(closures.hours), 'ghost', 'ghosts')} closed in 90 days", width="content")
    late = f"{closures.late} later" if closures.late else "none later"
    st.echarts_chart(
        _closure_option(closures, late),
        height=200,
        key="closures",
        alt=f"{len(closures.hours)} closures, median {closures.median:.1f} hours, {late} than 24 hours",
    )


def untimed(covered: Coverage | None) -> str:
    """What leaver coverage counts as closed and no time is known of; empty for none."""
    number = covered.closed - covered.ghosts if covered else 0
    if number <= 0:
        return ""
    were = count(number, "account of a recent leaver was", "accounts of recent leavers were")
    return f"{were} closed before any reading found a ghost, and not timed here."


def _closure_option(closures: Closures, late: str) -> dict[str, Any]:
    colours, limit = palette(), POLICY.total_seconds() / 3600
    bins = closures.histogram()
    text = {"color": colours.text_dim, "fontFamily": FONT, "fontSize": 11}
    bars = [
        {"value": n, "itemStyle": {"color": colours.high if hour >= limit else colours.accent, "borderRadius": 2}}
        for hour, n in bins
    ]
    names = [f"{hour} h" if hour < bins[-1][0] else f"{hour} h +" for hour, _ in bins]
    line = {"color": colours.text, "type": "dashed", "width": 1}
    at = next(i for i, (hour, _) in enumerate(bins) if hour >= limit)
    return {
        "animation": False,
        "grid": {"left": 4, "right": 8, "top": 24, "bottom": 2, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True},
        "xAxis": {"type": "category", "data": names, "axisLabel": text, "axisTick": {"show": False},
                  "axisLine": {"lineStyle": {"color": colours.line}}},
        "yAxis": {"type": "value", "minInterval": 1, "axisLabel": text,
                  "splitLine": {"lineStyle": {"color": colours.grid}}},
        "series": [{"type": "bar", "name": "Closures", "data": bars, "barCategoryGap": "12%",
                    "markLine": {"silent": True, "symbol": "none", "data": [{"xAxis": at}], "lineStyle": line,
                                 "label": {"formatter": f"Policy {limit:.0f} h · {late}", "position": "end",
                                           "color": colours.text, "fontFamily": FONT, "fontSize": 11}}}],
    }  # fmt: skip
