"""Coverage on screen: one line, and a matrix of applications and rules with its text beside it."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from governance.parts.charts import FONT
from governance.parts.colours import Palette, palette
from governance.parts.links import link
from governance.parts.notes import note, note_in
from governance.parts.text import bold, dim, plain, small_row
from governance.views.coverage import SIGNS, Coverage, Place, sentence
from governance.views.words import rule_title

_ROW: Final = 26  # two lines of a rule's title
_PHONE: Final = 440  # pixels of the chart; below it two letters stand above each column, as on the cards
_SHORT: Final = 11  # signs of an application's name above its column


def coverage_line(found: Coverage) -> None:
    """The figure of the overview: how many places are judged, how many not, and where to read why."""
    if not found.asked:
        return
    parts = [f":green[✓] {bold(f'{found.green:,}')} of {plain(f'{found.asked:,}')} places judged on recent facts"]
    if found.amber:
        parts.append(f":orange[**◆ {found.amber:,} on outdated facts**]")
    if partly := found.number("partly"):
        parts.append(dim(f"{SIGNS['partly']} {partly:,} partly"))
    if blind := found.number("not evaluable"):
        parts.append(dim(f"{SIGNS['not evaluable']} {blind:,} not evaluable"))
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    row.markdown(small_row([f"{bold('Coverage')}", *parts]), width="content")
    with row:
        link("applications", "Where and why", coverage="gaps")


def coverage_matrix(found: Coverage, *, gaps_only: bool) -> None:
    """Every rule in every application: judged, partly, not evaluable with the reason, or amber."""
    with st.container(border=True):
        head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        head.subheader("What can be judged where", anchor=False, width="content")
        note_in(
            head,
            ":green[✓] evaluable\u2003◐ partly\u2003▨ not evaluable\u2003:orange[◆ outdated facts]\u2003– about nobody",
            width="content",
        )
        note(plain(sentence(found)))
        rules = found.with_gaps() if gaps_only else [r for r in found.rules if any(p.about for p in found.of(r))]
        applications = [name for name in found.applications if any((name, r) in found.places for r in rules)]
        if not rules or not applications:
            st.markdown("Every rule could be judged wherever it is about anybody." if found.asked else "Nothing yet.")
            return
        chosen = st.echarts_chart(
            _option(found, rules, applications),
            height=54 + _ROW * len(rules),
            key="coverage",
            alt=f"Applications by rules. {sentence(found)} The text below says the same.",
            on_select="rerun",
        )
        _say_chosen(found, rules, applications, chosen["selection"]["selected"])
        with st.expander("The same as text"):
            _as_text(found, rules)


def _option(found: Coverage, rules: list[str], applications: list[str]) -> dict[str, Any]:
    colours = palette()
    text = {"color": colours.text_dim, "fontFamily": FONT, "fontSize": 11}
    axis = {"axisLine": {"show": False}, "axisTick": {"show": False}, "splitLine": {"show": False}}
    cells = [_cell(place, row, column, found, colours) for row, column, place in _cells(found, rules, applications)]
    heads = [_cut(found.applications[name]) for name in applications]
    base = {
        "animation": False,
        "grid": {"left": 4, "right": 4, "top": 2, "bottom": 2, "containLabel": True},
        "tooltip": {"formatter": "{b}", "confine": True, "extraCssText": "max-width: 420px; white-space: normal"},
        "xAxis": {**axis, "type": "category", "position": "top",
                  "axisLabel": {**text, "interval": 0, "width": 62, "overflow": "break", "lineHeight": 12,
                                "fontSize": 10.5}},
        "yAxis": {**axis, "type": "category", "data": [rule_title(rule) for rule in rules], "inverse": True,
                  "axisLabel": {**text, "color": colours.text, "width": 190, "overflow": "break",
                                "lineHeight": 12, "height": 24, "lineOverflow": "truncate"}},
        "series": [{"type": "heatmap", "data": cells, "selectedMode": "single", "emphasis": {"disabled": True},
                    "label": {"show": True, "formatter": "", "fontFamily": FONT, "fontSize": 11},
                    "itemStyle": {"borderColor": colours.panel, "borderWidth": 2, "borderRadius": 4}}],
    }  # fmt: skip
    narrow = {"xAxis": {"data": [name[:2] for name in heads]}, "yAxis": {"axisLabel": {"width": 120}}}
    wide = {"xAxis": {"data": heads}, "yAxis": {"axisLabel": {"width": 190}}}
    return {"baseOption": base, "media": [{"query": {"maxWidth": _PHONE}, "option": narrow}, {"option": wide}]}


def _cells(found: Coverage, rules: list[str], applications: list[str]) -> list[tuple[int, int, Place]]:
    return [
        (row, column, place)
        for row, rule in enumerate(rules)
        for column, application in enumerate(applications)
        if (place := found.places.get((application, rule))) is not None
    ]


def _cell(place: Place, row: int, column: int, found: Coverage, colours: Palette) -> dict[str, Any]:
    fill, ink, sign = colours.counts[0], colours.text_dim, SIGNS[place.state]
    if place.warning:
        fill, ink, sign = colours.counts[0], colours.high_text, "◆"
    elif place.state == "evaluable":
        ink = colours.good
    elif place.state in ("partly", "not evaluable"):
        fill, ink = colours.counts[1 if place.state == "partly" else 2], colours.text
    return {
        "value": [column, row, 0],
        "name": f"{rule_title(place.rule)}, {found.applications[place.application]}: {place.said}",
        "itemStyle": {"color": fill},
        "label": {"formatter": sign, "color": ink},
    }


def _cut(label: str) -> str:
    return label if len(label) <= _SHORT * 2 else f"{label[: _SHORT * 2 - 1]}…"


def _say_chosen(found: Coverage, rules: list[str], applications: list[str], selected: list[dict[str, Any]]) -> None:
    cells = _cells(found, rules, applications)
    for group in selected:
        for index in group["data_indices"][:1]:
            place = cells[index][2]
            where = found.applications[place.application]
            st.markdown(f"{bold(rule_title(place.rule))} in {bold(where)}: {plain(place.said)}.")


def _as_text(found: Coverage, rules: list[str]) -> None:
    """For each rule: where it is not wholly judged on recent facts, and why."""
    for rule in rules:
        places = [place for place in found.of(rule) if place.state != "nobody"]
        poor = [place for place in places if not place.sound]
        good = len(places) - len(poor)
        lines = [f"{bold(rule_title(rule))}: evaluable in {plain(good)} of {plain(len(places))}"]
        lines += [f"{SIGNS[p.state]} {plain(found.applications[p.application])}: {plain(p.said)}" for p in poor]
        st.markdown(":small[" + "]  \n:small[".join(lines) + "]")
