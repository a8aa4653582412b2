"""Where it is worst: open findings by application and rule, as a heat map that fits a phone too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import streamlit as st

from governance.parts.charts import FONT
from governance.parts.colours import palette
from governance.parts.links import go
from governance.parts.notes import note, note_in
from governance.parts.text import plain
from governance.views.coverage import SIGNS
from governance.views.overview import Cell, Grid
from governance.views.words import count

_PHONE: Final = 440  # pixels of the chart; below it only the columns that hold most are shown, and the rest as one
_ON_PHONE: Final = 4
_ON_DESK: Final = 7  # half a page has no room for the label of more
_LINES: Final = 4  # of a label, which is never rotated; the tooltip has the full name
_LETTERS: Final = 8  # in a line of it
_WHY: Final = ("applications", {"coverage": "gaps"})  # what could be judged where, and why not
PARTLY, BLIND = SIGNS["partly"], SIGNS["not evaluable"]


@dataclass(frozen=True)
class _Column:
    """One column: a rule, or the sum of those a phone has no room for."""

    label: str
    title: str
    rules: Sequence[int]


def heat_map(grid: Grid) -> None:
    """Open findings by application and rule: ghosts in their own red, what could not be judged hatched, never 0."""
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Open findings by application and rule", anchor=False, width="content")
    note_in(head, f"{PARTLY} partly judged\u2003{BLIND} not evaluable", width="content")
    if not grid.applications or not grid.rules:
        note("No rule holds anywhere, and none was unable to judge.")
        return
    said = "; ".join(
        f"{name}: {'not evaluable' if total is None else f'{total} open'}"
        for name, total in zip(grid.applications, grid.totals, strict=True)
    )
    wide, narrow = _columns(grid, _ON_DESK), _columns(grid, _ON_PHONE)
    layers = [_layers(grid, wide), _layers(grid, narrow)]
    event = st.echarts_chart(
        _option(grid, wide, narrow, layers),
        height=20 + 13 * _LINES + 32 * len(grid.applications),
        key="heat-map",
        alt=f"Open findings by application and rule. {said}",
        on_select="rerun",
    )
    _follow(layers, event["selection"]["selected"])
    said = gaps(grid)
    if said:
        note(plain(said))


def gaps(grid: Grid) -> str:
    """How many places could not be judged or only partly, in the words and numbers of the coverage; empty for none."""
    parts = []
    if blind := grid.number("not evaluable"):
        parts.append(f"{count(blind, 'place is', 'places are')} not evaluable (hatched, not zero)")
    if partly := grid.number("partly"):
        parts.append(f"{partly:,} only partly judged ({PARTLY} where nothing was found)")
    unread = len({cell.application for cell in grid.cells if cell.state == "never read"})
    if unread:
        parts.append(f"{count(unread, 'application has', 'applications have')} not been read yet")
    return f"{', '.join(parts)}. Choose one to see why." if parts else ""


def _columns(grid: Grid, most: int) -> list[_Column]:
    """A column for each of the `most` rules that hold most, and one for all others together."""
    every = [_Column(label_of(rule), rule, [place]) for place, rule in enumerate(grid.rules)]
    if len(every) <= most + 1:
        return every
    number = [sum(cell.count or 0 for cell in grid.cells if cell.rule == place) for place in range(len(every))]
    shown = set(sorted(range(len(every)), key=lambda place: (grid.rules[place] != "Ghost", -number[place]))[:most])
    others = [place for place in range(len(every)) if place not in shown]
    return [every[place] for place in sorted(shown)] + [_Column("Other", f"{len(others)} other rules", others)]


def label_of(title: str) -> str:
    """The title in short lines: words that are too long are parted in the middle, and what does not fit is left out."""
    lines: list[str] = []
    for word in title.replace("-", "- ").split():
        middle = (len(word) + 1) // 2
        for part in [word] if len(word) <= _LETTERS else [f"{word[:middle]}-", word[middle:]]:
            joined = f"{lines[-1]} {part}" if lines and not lines[-1].endswith("-") else ""
            if joined and len(joined) <= _LETTERS:
                lines[-1] = joined
            else:
                lines.append(part)
    return "\n".join(lines if len(lines) <= _LINES else [*lines[: _LINES - 1], f"{lines[_LINES - 1].rstrip('-')}…"])


@dataclass(frozen=True)
class _Layers:
    """What is drawn over each other: counted cells, hatched ones, totals; and where each counted cell leads."""

    counted: list[dict[str, Any]]
    hatched: list[dict[str, Any]]
    totals: list[dict[str, Any]]
    ways: list[tuple[str, dict[str, str]]]


def _layers(grid: Grid, columns: list[_Column]) -> _Layers:
    colours = palette()
    by_place = {(cell.application, cell.rule): cell for cell in grid.cells}
    merged = [
        (row, place, column, [by_place[row, rule] for rule in column.rules])
        for row in range(len(grid.applications))
        for place, column in enumerate(columns)
    ]
    most = max((_sum(cells) or 0 for *_, cells in merged), default=0)
    found = _Layers([], [], [], [])
    for row, place, column, cells in merged:
        number, title = _sum(cells), f"{grid.applications[row]}, {column.title}"
        reasons = "; ".join(dict.fromkeys(cell.reason for cell in cells if cell.reason))
        partly = any(cell.state in ("partly", "not evaluable", "never read") for cell in cells)
        if number is None:
            found.hatched.append({"value": [place, row, 0], "name": f"{title}: not evaluable ({reasons})"})
            continue
        fill, ink = _shade(number, most, ghost=column.title == "Ghost")
        found.counted.append(
            {
                "value": [place, row, number],
                "name": f"{title}: {number}{f' (not all judged: {reasons})' if reasons else ''}",
                "itemStyle": {"color": fill},
                "label": {"show": number > 0 or partly, "color": ink, "fontWeight": 500}
                | ({"formatter": PARTLY} if number == 0 else {}),
            }
        )
        way = {"application": grid.application_names[row]}
        one = {} if len(column.rules) > 1 else {"rule": grid.rule_names[column.rules[0]]}
        found.ways.append(_WHY if partly and number == 0 else ("findings", {**way, **one}))
    for row, total in enumerate(grid.totals):
        text = "–" if total is None else f"{total:,}"
        label = {"formatter": text, "color": colours.text}
        found.totals.append({"value": [len(columns), row, 0], "name": grid.applications[row], "label": label})
    return found


def _sum(cells: list[Cell]) -> int | None:
    """How many there are; None when nothing here could be judged."""
    known = [cell.count for cell in cells if cell.count is not None]
    return sum(known) if known else None


def _follow(layers: list[_Layers], selected: list[dict[str, Any]]) -> None:
    """A cell that was chosen leads to its findings or to why there is none: a desk has three series, a phone too."""
    for group in selected:
        screen, layer = divmod(group["series_index"], 3)
        if layer < 2 and group["data_indices"]:
            page, way = layers[screen].ways[group["data_indices"][0]] if layer == 0 else _WHY
            go(page, **way)


def _option(grid: Grid, wide: list[_Column], narrow: list[_Column], layers: list[_Layers]) -> dict[str, Any]:
    colours = palette()
    axis = {"axisLine": {"show": False}, "axisTick": {"show": False}, "splitLine": {"show": False}}
    text = {"color": colours.text_dim, "fontFamily": FONT, "fontSize": 11}
    base = {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 2, "bottom": 2, "containLabel": True},
        "tooltip": {"formatter": "{b}", "confine": True},
        "xAxis": {**axis, "type": "category", "position": "top",
                  "axisLabel": {**text, "interval": 0, "fontSize": 10.5, "lineHeight": 13}},
        "yAxis": {**axis, "type": "category", "data": grid.applications, "inverse": True,
                  "axisLabel": {**text, "color": colours.text, "width": 110, "overflow": "truncate"}},
        "series": _series() * 2,
    }  # fmt: skip
    none = _Layers([], [], [], [])
    return {
        "baseOption": base,
        "media": [
            {"query": {"maxWidth": _PHONE}, "option": _fill(narrow, none, layers[1], label=78)},
            {"option": _fill(wide, layers[0], none, label=110)},
        ],
    }


def _series() -> list[dict[str, Any]]:
    """The three layers without data."""
    colours = palette()
    border = {"borderColor": colours.panel, "borderWidth": 2, "borderRadius": 4}
    decal = {"symbol": "rect", "dashArrayX": [1, 0], "dashArrayY": [2, 4], "rotation": -0.785, "color": colours.unknown}
    layer = {"type": "heatmap", "emphasis": {"disabled": True}}
    return [
        {**layer, "selectedMode": "single", "itemStyle": border, "label": {"fontSize": 11, "fontFamily": FONT}},
        {**layer, "selectedMode": "single", "label": {"show": False},
         "itemStyle": {**border, "color": colours.counts[0], "decal": decal}},
        {**layer, "itemStyle": {"color": "transparent"}, "tooltip": {"show": False},
         "label": {"show": True, "fontWeight": 500, "fontFamily": FONT}},
    ]  # fmt: skip


def _fill(columns: list[_Column], wide: _Layers, narrow: _Layers, label: int) -> dict[str, Any]:
    data = [part for layer in (wide, narrow) for part in (layer.counted, layer.hatched, layer.totals)]
    return {
        "xAxis": {"data": [column.label for column in columns] + ["All"]},
        "yAxis": {"axisLabel": {"width": label}},
        "series": [{"data": one} for one in data],
    }


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
