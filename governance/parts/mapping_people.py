"""What a role mapping does to everybody: people per role, who gains privilege, what no line covers, who changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pandas as pd
import polars as pl
import streamlit as st

from governance.mappings.comparing import CAUSES, EFFECTS, Comparison, Drift
from governance.parts.charts import FONT
from governance.parts.colours import palette
from governance.parts.listing import sideways
from governance.parts.notes import note, note_in
from governance.parts.text import bold, code, hot, plain, seen
from governance.views.words import count

ROLES: Final = 12
PEOPLE: Final = 6
ROWS: Final = 500


def role_bars(compared: Comparison) -> None:
    """People per role, live against draft; privileged roles in red."""
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Whole workforce, per role", anchor=False, width="content")
    before, after = compared.live, compared.draft
    named = sorted({*before.roles, *after.roles}, key=lambda name: (-max(_both(compared, name)), name))
    rows = [(name, *_both(compared, name), after.workforce.privileged(name)) for name in named[:ROLES]]
    rows.append(("No line fires", before.nobody + before.fallen, after.nobody + after.fallen, False))
    same = before.mapping == after.mapping
    note_in(head, "red: privileged" if same else "grey live, blue draft, red privileged", width="content")
    said = "; ".join(f"{name}: {live} live, {draft} draft" for name, live, draft, _ in rows)
    st.echarts_chart(_bars(rows, same), height=30 * len(rows) + 16, key="roles", alt=f"People per role. {said}")
    if len(named) > ROLES:
        note(f"{len(named) - ROLES} roles of fewer people are left out.")


def _both(compared: Comparison, name: str) -> tuple[int, int]:
    return compared.live.roles.get(name, 0), compared.draft.roles.get(name, 0)


def _bars(rows: Sequence[tuple[str, int, int, bool]], same: bool) -> dict[str, Any]:
    colours = palette()
    text = {"color": colours.text, "fontFamily": FONT, "fontSize": 12}
    names = [seen(name) for name, *_ in rows][::-1]
    live = [n for _, n, _, _ in rows][::-1]
    draft = []
    for name, before, after, privileged in rows[::-1]:
        colour = colours.unknown if name == "No line fires" else colours.critical if privileged else colours.accent
        moved = (
            f"{after:,}" if after == before else f"{after:,}  {'+' if after > before else '−'}{abs(after - before):,}"
        )
        draft.append({"value": after, "itemStyle": {"color": colour, "borderRadius": 2},
                      "label": {"show": True, "position": "right", "formatter": moved, **text}})  # fmt: skip
    frame = {"color": colours.grid, "borderColor": colours.line, "borderWidth": 1, "borderRadius": 2}
    was = {"type": "bar", "name": "Live", "data": live, "barWidth": 8, "itemStyle": frame}
    return {
        "animation": False,
        "grid": {"left": 4, "right": 64, "top": 4, "bottom": 2, "containLabel": True},
        "tooltip": {"trigger": "axis", "confine": True, "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "value", "show": False},
        "yAxis": {"type": "category", "data": names, "axisTick": {"show": False}, "axisLine": {"show": False},
                  "axisLabel": {**text, "width": 150, "overflow": "truncate"}},
        "series": [
            {"type": "bar", "name": "Draft", "data": draft, "barWidth": 8, "barGap": "10%"},
            *([] if same else [was]),
        ],
    }  # fmt: skip


def privilege_gained(compared: Comparison) -> None:
    """Who would gain privilege, and privileged roles nobody would hold any more."""
    gained = compared.people.filter(pl.col("effect") == "gains_privilege")
    if gained.height:
        head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        head.subheader(f":red[{gained.height:,} would gain privilege]", anchor=False, width="content")
        lines = gained["line"].drop_nulls().unique().sort().to_list()
        if lines:
            note_in(head, f"line {', '.join(map(str, lines[:4]))}", width="content")
        for row in gained.head(PEOPLE).iter_rows(named=True):
            before = plain(", ".join(row["before"]) or "no role")
            st.markdown(
                f"{bold(row['display_name'])} :small[:gray[{plain(row['title'] or '')}]]  \n"
                f":small[{before} → {hot(', '.join(row['gains']))}]"
            )
        if gained.height > PEOPLE:
            note(f"{gained.height - PEOPLE:,} more stand first in the list below.")
    else:
        st.subheader("Nobody would gain privilege", anchor=False)
    for name in compared.lockouts:
        st.error(f"Lockout: nobody with an account would hold “{plain(name)}” any more.", icon=":material/lock:")


def uncovered(compared: Comparison) -> None:
    """Values that no line knows, of people whom no line fits, and what was probably meant."""
    found = compared.draft.uncovered
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Values no line covers", anchor=False, width="content")
    left = compared.draft.nobody + compared.draft.fallen
    note_in(head, count(left, "person", "people"), width="content")
    if not found:
        note("Every value that people have stands in some line.")
    for one in found[:8]:
        hint = f" :orange[{one.trap}: a line says {code(one.like)}]" if one.trap else ""
        value = f"{one.attribute} = “{seen(one.value)}{'␠' if one.value != one.value.rstrip() else ''}”"
        st.markdown(f":small[{code(value)} {bold(f'{one.people:,}')}{hint}]")
    if len(found) > 8:
        note(f"{len(found) - 8} more.")


def people_changed(compared: Comparison) -> None:
    """Everybody for whom anything changes, privilege first."""
    rows = compared.people
    st.subheader(f"{count(rows.height, 'person whose role', 'people whose role')} would change", anchor=False)
    shown = rows.head(ROWS)
    frame = pd.DataFrame(
        {
            "Identity": shown["display_name"].to_list(),
            "Department": shown["department"].to_list(),
            "Title": shown["title"].to_list(),
            "Live": [", ".join(names) or "no role" for names in shown["before"]],
            "Draft": [", ".join(names) or "no role" for names in shown["after"]],
            "Line": shown["line"].to_list(),
            "Effect": [EFFECTS[effect] for effect in shown["effect"]],
            "Next sign-in takes": [", ".join(names) for names in shown["next_revokes"]],
        }
    )
    st.dataframe(frame, hide_index=True, key="changed", placeholder="–", alt="People whose role would change")
    sideways("changed")
    if rows.height > ROWS:
        note(f"{rows.height - ROWS:,} more: `leaverwatch mapping diff` and the change record hold everybody.")


def drift_list(found: Drift) -> None:
    """What people hold against what the live mapping gives."""
    parts = [f"{bold(f'{people:,}')} {plain(CAUSES[cause])}" for cause, people in found.causes.items() if people]
    st.markdown(":small[" + "\u2003".join(parts) + "]" if parts else "What people hold is what the mapping gives.")
    shown = found.rows.head(ROWS)
    if not shown.height:
        return
    frame = pd.DataFrame(
        {
            "Identity": shown["display_name"].to_list(),
            "Department": shown["department"].to_list(),
            "Title": shown["title"].to_list(),
            "Entitlement": shown["name"].to_list(),
            "Privileged": shown["privileged"].to_list(),
            "Why they part": [CAUSES[cause] for cause in shown["cause"]],
        }
    )
    st.dataframe(
        frame, hide_index=True, key="drift", placeholder="–", alt="What people hold against what the mapping gives"
    )
    sideways("drift")
    if found.rows.height > ROWS:
        note(f"{found.rows.height - ROWS:,} more: `leaverwatch mapping drift`.")
