"""What must be done today: who left, what they still hold, and where to act first."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.pages import EVERYTHING, Page
from governance.parts.charts import closure_chart
from governance.parts.coverage import coverage_line
from governance.parts.first import act_first, arrangement
from governance.parts.heat_map import heat_map
from governance.parts.leaving import leaving_strip
from governance.parts.links import link
from governance.parts.notes import note
from governance.parts.numbers import four_numbers
from governance.parts.opening import opening
from governance.parts.population import population_statement
from governance.parts.text import hot, plain
from governance.views.overview import Overview, overview
from governance.views.population import population
from governance.views.words import count, span

PAGE = Page("Overview", ":material/dashboard:", "Operate", 0, EVERYTHING)


def render(house: House, actor: Actor, now: datetime) -> None:
    """The sentence, four numbers, what to do first, and where it is worst."""
    with st.skeleton(height=640):
        seen = overview(house, now)
    ran = f"all rules ran {span(now - seen.run.as_of)} ago" if seen.run else "no rule has run yet"
    opening(house, now, "Overview", _sentence(seen), f"{now:%A} {now.day} {now:%B %Y, %H:%M} UTC · {ran}")
    if seen.run is None:
        _empty(house)
        return
    four_numbers(seen)
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    left, right = st.columns(2, gap="small")
    plan = arrangement(len(seen.grid.applications), times=bool(seen.closures.hours))
    with left.container(border=True, height="stretch"):
        act_first(seen, titles, now, plan.rows)
    with right.container(border=True, height="stretch"):
        heat_map(seen.grid)
    with (left if plan.times_below_first else right).container(border=True):
        closure_chart(seen.closures, seen.coverage)
    leaving_strip(seen.provisioned, seen.ways_out)
    coverage_line(seen.judged)
    population_statement(
        population(house, now),
        f"{count(seen.tally.of('open'), 'open finding', 'open findings')} by"
        f" {count(len(seen.tally.rules()), 'rule', 'rules')} over",
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
        sources, applications = len(house.settings.source), len(house.settings.application)
        so_far = (
            f"{count(sources, 'source', 'sources')} and {count(applications, 'application', 'applications')} so far"
        )
        st.markdown(
            f"1. Connect a source of truth and applications, on the page Connect or in `leaverwatch.toml`: {so_far}.\n"
            "2. Pull them: the worker does it when they are due; **Run now** on the page Jobs does it at once.\n"
            "3. Judge them: the worker does it after every pull."
        )
        if len(house.settings.actor) < 2:
            note("Then name at least two people under `[[actor]]`: what one proposes, another must approve.")
        with st.container(horizontal=True):
            link("connect", "Open Connect", ":material/add_link:")
            link("jobs", "Open Jobs", ":material/schedule:")
