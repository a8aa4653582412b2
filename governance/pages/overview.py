"""What must be done today: who left, what they still hold, and where to act first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.pages import EVERYBODY, Page
from governance.parts.charts import closure_chart, heat_map
from governance.parts.links import go, link
from governance.parts.opening import opening
from governance.parts.population import population_statement
from governance.parts.severity import severity_chip
from governance.parts.text import bold, hot, plain
from governance.views.closures import POLICY
from governance.views.findings import since
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
    with right.container(border=True, height="stretch"):
        heat_map(seen.grid)
    with st.container(border=True):
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
    ghosts, covered, closed = seen.ghost_history, seen.coverage, seen.closures
    grid = st.grid(4, min_column_width=220, gap="small")
    change = ghosts[-1] - ghosts[-2] if len(ghosts) > 1 else None
    waiting = f", {seen.ghosts_in_remediation} in remediation" if seen.ghosts_in_remediation else ""
    _card(
        grid, "Ghosts open", f"{seen.ghosts_open:,}", change, "inverse",
        f"{count(seen.holders, 'identity', 'identities')}{waiting}", ghosts, "bar",
    )  # fmt: skip
    held = "nobody left in 30 days" if covered is None or covered.share is None else (
        f"{covered.closed:,} of {covered.held:,} closed, 30 days"
    )  # fmt: skip
    value = f"{covered.share:.1f} %" if covered and covered.share is not None else UNKNOWN
    _card(grid, "Leaver coverage", value, None, "normal", held, [], "area")
    hours = POLICY.total_seconds() / 3600
    median = f"{closed.median:.1f} h" if closed.median is not None else UNKNOWN
    of = f"{len(closed.hours):,} closures in 90 days, policy {hours:.0f} h" if closed.hours else "no closure in 90 days"
    _card(grid, "Median time to verified closure", median, None, "inverse", of, [], "area")
    checks, unjudged = seen.checks, seen.not_evaluable
    known = checks is not None and unjudged is not None
    _card(
        grid, "Not evaluable", share(unjudged or 0, checks or 0) if known else UNKNOWN, None, "off",
        f"{unjudged:,} of {checks:,} checks" if known else "unknown", seen.unjudged_history, "area",
    )  # fmt: skip


def _card(
    grid: Any, label: str, value: str, delta: int | None, colour: Any, description: str, trend: list[Any], kind: Any
) -> None:
    grid.metric(
        label, value, delta=delta if delta is not None else description, delta_color=colour if delta is not None else "off",
        delta_arrow="auto" if delta is not None else "off", border=True, height=148,
        chart_data=trend if len(trend) > 1 else None, chart_type=kind,
        delta_description=f"since the last run, {description}" if delta is not None else None,
    )  # fmt: skip


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
    chip, what, where, age, act = st.columns([1.05, 3.2, 1.1, 0.6, 0.9], vertical_alignment="center", wrap=False)
    chip.markdown(severity_chip(row["severity"]))
    who = row["identity_name"] or row["username"]
    reason = plain(row["reason"])
    what.markdown(reason.replace(plain(who), bold(who), 1) if who else reason)
    where.caption(plain(titles.get(row["application"], row["application"] or UNKNOWN)))
    age.markdown(plain(span(now - since(row))), text_alignment="right")
    if act.button("Review", key=f"first-{row['fingerprint']}", width="stretch"):
        go("findings", finding=row["fingerprint"])
