"""What must be done today: who left, what they still hold, and where to act first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator as GridContainer

from governance.access import Actor
from governance.house import House
from governance.pages import EVERYBODY, Page
from governance.parts.charts import closure_chart, heat_map
from governance.parts.links import go, link
from governance.parts.notes import note_in
from governance.parts.opening import opening
from governance.parts.population import population_statement
from governance.parts.severity import severity_chip
from governance.parts.text import bold, hot, plain
from governance.views.closures import POLICY
from governance.views.findings import short, since
from governance.views.overview import Overview, overview
from governance.views.paging import Row
from governance.views.population import population
from governance.views.words import UNKNOWN, count, share, span

PAGE = Page("Overview", ":material/dashboard:", "Operate", 0, EVERYBODY)


def render(house: House, actor: Actor, now: datetime) -> None:
    """The sentence, four numbers, what to do first, and where it is worst."""
    seen = overview(house, now)
    ran = f"all rules ran {span(now - seen.run.as_of)} ago" if seen.run else "no rule has run yet"
    opening(house, now, "Overview", _sentence(seen), f"{now:%A} {now.day} {now:%B %Y, %H:%M} UTC · {ran}")
    if seen.run is None:
        _empty(house)
        return
    _cards(seen)
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    left, right = st.columns(2, gap="small")
    with left.container(border=True, height="stretch"):
        _act_first(seen, titles, now)
    with right.container(border=True):
        heat_map(seen.grid)
    with right.container(border=True, height="stretch"):
        closure_chart(seen.closures)
    population_statement(
        population(house, now),
        f"{count(seen.tally.of('open'), 'open finding', 'open findings')} by {len(seen.tally.rules())} rules over",
    )


def _sentence(seen: Overview) -> str:
    said = seen.headline
    if said is None:
        return "Nothing has been judged yet, so nobody can say who still gets in."
    if said.left is None or not said.ghosts:
        return plain(said.sentence)
    first, _, rest = said.sentence.partition("; ")
    accounts = count(said.ghosts, "active account", "active accounts")
    before, _, after = rest.partition(accounts)
    return f"{plain(first)}; {plain(before)} {hot(accounts)}{plain(after)}"


def _empty(house: House) -> None:
    with st.container(border=True):
        st.subheader("Three steps to the first answer", anchor=False)
        feeds = len(house.settings.source) + len(house.settings.application)
        st.markdown(
            f"1. Configure a source of truth and an application in `leaverwatch.toml` ({feeds} configured).\n"
            "2. Pull them: `leaverwatch pull`, or **Run now** on the page Jobs.\n"
            "3. Judge them: `leaverwatch detect`; the worker does it after every pull."
        )
        link("jobs", "Open Jobs", ":material/schedule:")


def _cards(seen: Overview) -> None:
    covered, closed = seen.coverage, seen.closures
    grid = st.grid(4, min_column_width=220, gap="small")
    held = [count(seen.holders, "identity", "identities")]
    held += [f"{seen.ghosts_in_remediation:,} being closed"] if seen.ghosts_in_remediation else []
    trend = [*seen.ghost_history, seen.headline.ghosts if seen.headline else 0]
    change = trend[-1] - trend[-2] if len(trend) > 1 else None
    said = ["since the last run", *held] if change else held
    _card(
        grid,
        "Ghosts open",
        f"{seen.ghosts_open:,}",
        ", ".join(said),
        trend,
        "bar" if len(trend) > 7 else "area",
        change,
    )
    value, of = UNKNOWN, "nobody left in 30 days"
    if covered is None:
        of = "unknown"
    elif covered.share is not None:
        value, of = f"{covered.share:.1f} %", f"{covered.closed:,} of {covered.held:,} closed, left in 30 days"
    _card(grid, "Leaver coverage", value, of)
    value, of = UNKNOWN, "no closure in 90 days"
    if closed.median is not None:
        hours = POLICY.total_seconds() / 3600
        number = count(len(closed.hours), "closure", "closures")
        value, of = _long(closed.median), f"policy {hours:.0f} h, {number}, 90 days"
    _card(grid, "Median time to verified closure", value, of)
    value, of = UNKNOWN, "unknown"
    if seen.checks and seen.not_evaluable is not None:
        value, of = share(seen.not_evaluable, seen.checks), f"{seen.not_evaluable:,} of {seen.checks:,} checks"
    _card(grid, "Not evaluable", value, of, seen.unjudged_history, "area")


def _long(hours: float) -> str:
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:,.1f} d"


def _card(
    grid: GridContainer,
    label: str,
    value: str,
    description: str,
    trend: Sequence[float] = (),
    kind: Literal["area", "bar"] = "area",
    change: int | None = None,
) -> None:
    grid.metric(
        label,
        value,
        delta=change or None,
        delta_color="green" if change is not None and change < 0 else "red" if change is not None else "off",
        delta_description=description,
        border=True,
        height=148,
        chart_data=list(trend) if len(trend) > 1 else None,
        chart_type=kind,
    )


def _act_first(seen: Overview, titles: dict[str, str], now: datetime) -> None:
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Act first", anchor=False, width="content")
    with head.container(width="content"):
        link("findings", f"All {seen.tally.of('open'):,} open findings")
    if not seen.first:
        st.success("No finding is open. What was checked stands at the foot of the page.", icon=":material/check:")
    for row in seen.first:
        _row(row, titles, now)


def _row(row: Row, titles: dict[str, str], now: datetime) -> None:
    what, act = st.columns([1.7, 1], vertical_alignment="center", gap="small")
    who = row["identity_name"] or row["username"]
    where = titles.get(row["application"], row["application"] or UNKNOWN)
    reason = plain(short(row, where, now))
    reason = reason.replace(plain(who), bold(who), 1) if who else reason
    what.markdown(f"{severity_chip(row['severity'])}\u2002{reason}")
    line = act.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    note_in(line, plain(where), width="stretch")
    line.markdown(plain(span(now - since(row))), text_alignment="right", width=44)
    if line.button("Review", key=f"first-{row['fingerprint']}"):
        go("findings", finding=row["fingerprint"])
