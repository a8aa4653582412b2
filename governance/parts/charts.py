"""The charts of the overview, in ECharts: light to load, and drawn in the colours of the reader's theme."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from governance.parts.colours import palette
from governance.parts.links import go
from governance.parts.notes import note, note_in
from governance.parts.text import plain
from governance.views.closures import POLICY, Closures
from governance.views.overview import Grid
from governance.views.words import count

_SHORT: Final = {  # no label is rotated: two short lines; the tooltip has the full name
    "Login after leaving": "Used\nafter",
    "Admin without MFA": "No\nMFA",
    "Contract expired": "Past\nend",
    "Over-privileged": "Over-\npriv.",
    "Ambiguous owner": "Ambi-\nguous",
    "Contradictory source": "Contra-\ndicts",
    "Missing from source": "Miss-\ning",
    "Never used": "Never\nused",
    "Orphaned": "Or-\nphan",
}
FONT: Final = "Inter, sans-serif"


def heat_map(grid: Grid) -> None:
    """Open findings by application and rule: ghosts in their own red, what could not be judged hatched, never 0."""
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Open findings by application and rule", anchor=False, width="content")
    note_in(head, "▨ not evaluable", width="content")
    if not grid.applications or not grid.rules:
        note("No rule holds anywhere, and none was unable to judge.")
        return
    said = "; ".join(
        f"{name}: {'not evaluable' if total is None else f'{total} open'}"
        for name, total in zip(grid.applications, grid.totals, strict=True)
    )
    event = st.echarts_chart(
        _heat_option(grid),
        height=40 + 32 * len(grid.applications),
        key="heat-map",
        alt=f"Open findings by application and rule. {said}",
        on_select="rerun",
    )
    _follow(grid, event["selection"]["selected"])
    blind = sum(cell.count is None for cell in grid.cells)
    if blind:
        note(f"{plain(blind)} places could not be judged: hatched, not zero. Hover one for the reason.")


def _follow(grid: Grid, selected: list[dict[str, Any]]) -> None:
    """A cell that was chosen leads to its findings."""
    counted = [cell for cell in grid.cells if cell.count is not None]
    for group in selected:
        if group["series_index"] == 0 and group["data_indices"]:
            cell = counted[group["data_indices"][0]]
            go("findings", application=grid.application_names[cell.application], rule=grid.rule_names[cell.rule])


def _heat_option(grid: Grid) -> dict[str, Any]:
    colours = palette()
    most = max((cell.count or 0 for cell in grid.cells), default=0)
    columns = [_SHORT.get(rule, rule) for rule in grid.rules] + ["All"]
    data, hatched = [], []
    for cell in grid.cells:
        place, title = [cell.rule, cell.application], f"{grid.applications[cell.application]}, {grid.rules[cell.rule]}"
        if cell.count is None:
            hatched.append({"value": [*place, 0], "name": f"{title}: not evaluable ({cell.reason})"})
            continue
        also = f" (not all judged: {cell.reason})" if cell.reason else ""
        fill, ink = _shade(cell.count, most, ghost=grid.rules[cell.rule] == "Ghost")
        data.append(
            {
                "value": [*place, cell.count],
                "name": f"{title}: {cell.count}{also}",
                "itemStyle": {"color": fill},
                "label": {"show": cell.count > 0, "color": ink, "fontWeight": 500},
            }
        )
    totals = [
        {"value": [len(grid.rules), row, 0], "name": grid.applications[row], "label": {"formatter": _total(total)}}
        for row, total in enumerate(grid.totals)
    ]
    axis = {"axisLine": {"show": False}, "axisTick": {"show": False}, "splitLine": {"show": False}}
    text = {"color": colours.text_dim, "fontFamily": FONT, "fontSize": 11}
    border = {"borderColor": colours.panel, "borderWidth": 2, "borderRadius": 4}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 2, "bottom": 2, "containLabel": True},
        "tooltip": {"formatter": "{b}", "confine": True},
        "xAxis": {**axis, "type": "category", "data": columns, "position": "top",
                  "axisLabel": {**text, "interval": 0, "fontSize": 10.5, "lineHeight": 13}},
        "yAxis": {**axis, "type": "category", "data": grid.applications, "inverse": True,
                  "axisLabel": {**text, "color": colours.text, "width": 110, "overflow": "truncate"}},
        "series": [
            {"type": "heatmap", "data": data, "selectedMode": "single", "itemStyle": border,
             "label": {"fontSize": 11, "fontFamily": FONT}, "emphasis": {"disabled": True}},
            {"type": "heatmap", "data": hatched, "label": {"show": False}, "emphasis": {"disabled": True},
             "itemStyle": {**border, "color": colours.counts[0],
                           "decal": {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4],
                                     "rotation": -0.785, "color": colours.unknown}}},
            {"type": "heatmap", "data": totals, "itemStyle": {"color": "transparent"},
             "label": {"show": True, "color": colours.text, "fontWeight": 500, "fontFamily": FONT},
             "emphasis": {"disabled": True}, "tooltip": {"show": False}},
        ],
    }  # fmt: skip


def _total(total: int | None) -> str:
    return "–" if total is None else f"{total:,}"


def _shade(count: int, most: int, *, ghost: bool) -> tuple[str, str]:
    """The fill of a cell and the ink that can be read on it."""
    colours = palette()
    if count == 0:
        return colours.counts[0], colours.text
    if ghost:
        step = min(4, count)
        return colours.ghosts[step], "#ffffff" if step >= 3 else colours.text
    step = min(7, 1 + round(6 * count / max(most, 7)))
    return colours.counts[step], colours.on_dark_cell if step >= 6 else colours.text


def closure_chart(closures: Closures) -> None:
    """How long it takes from the last working day to the proof: a median hides the tail, so the tail is shown."""
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Time from last working day to verified closure", anchor=False, width="content")
    if not closures.hours:
        note_in(head, "no closure in 90 days", width="content")
        note("Once leavers' accounts are closed and proved, the hours each took stand here beside the policy.")
        return
    note_in(head, f"{count(len(closures.hours), 'closure', 'closures')} in 90 days", width="content")
    late = f"{closures.late} later" if closures.late else "none later"
    st.echarts_chart(
        _closure_option(closures, late),
        height=200,
        key="closures",
        alt=f"{len(closures.hours)} closures, median {closures.median:.1f} hours, {late} than 24 hours",
    )


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
