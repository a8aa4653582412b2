"""Findings: the list, most severe first, and beside it the evidence and the decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import streamlit as st

from governance.access import Actor, reach
from governance.house import House
from governance.pages import EVERYBODY, Page
from governance.parts.deciding import open_step
from governance.parts.filters import choice, status_tabs, text_search
from governance.parts.finding_rows import finding_rows
from governance.parts.grid import Choice
from governance.parts.listing import nothing
from governance.parts.many import many_panel, refused_before
from governance.parts.opening import opening
from governance.parts.pager import cursor
from governance.parts.panel import panel
from governance.parts.population import population_statement
from governance.parts.taking_back import take_back
from governance.parts.text import bold, code, hot, plain
from governance.views import findings
from governance.views.paging import CAP, Slice, capped
from governance.views.population import population
from governance.views.tallies import Tally, tally
from governance.views.words import SIGNS, STATUSES, count, rule_names, rule_title, severity

PAGE = Page("Findings", ":material/flag:", "Operate", 1, EVERYBODY)


def render(house: House, actor: Actor, now: datetime) -> None:
    """Filters, the population, the list on the left and the evidence on the right."""
    counted = tally(house, reach(actor))
    drawn = population(house, now)
    opening(house, now, "Findings", _sentence(counted, drawn.accounts is not None))
    filters = replace(_filters(house, counted), reach=reach(actor))
    with st.skeleton(height=640):
        found = findings.page(house, filters, cursor(findings.KEY))
    population_statement(drawn, _listed(found, filters, counted))
    left, right = st.columns([1.75, 1], gap="small")
    with left:
        choice = finding_rows(house, actor, found, filters, now) if found.rows else Choice(None)
        if not found.rows:
            _nothing(filters, drawn.looked_at, drawn.accounts is not None)
    with right.container(key="evidence"):
        _evidence(house, actor, now, found, choice)


def _evidence(house: House, actor: Actor, now: datetime, found: Slice, choice: Choice) -> None:
    """The evidence of the current finding, or the preview for all that are selected."""
    if choice.verb in ("propose", "exclude"):
        open_step(f"{choice.verb}-{'many' if choice.chosen else choice.current}")
    elif choice.verb == "undo":
        take_back(house, actor, now)
    refused_before()
    if chosen := [row for row in found.rows if row["fingerprint"] in choice.chosen]:
        many_panel(house, actor, now, chosen)
    else:
        panel(house, actor, now, choice.current or st.query_params.get("finding"))


def _listed(found: Slice, filters: findings.Filters, counted: Tally) -> str:
    """How many findings the list holds, of how many, by how many rules."""
    many, word = capped(counted.of(filters.status)), STATUSES[filters.status].lower()
    kind = "finding" if (many if filters.narrowed else found.total_text) == "1" else "findings"
    kind = f"{word} {kind}" if len(word.split()) == 1 else f"{kind} {word}"
    rules = count(len(counted.rules(filters.status)), "rule", "rules")
    return f"{found.total_text} {f'of {many} ' if filters.narrowed else ''}{kind} by {rules} over"


def _sentence(counted: Tally, judged: bool) -> str:
    critical, opened = counted.of("open", severity="critical"), counted.of("open")
    waiting = counted.of("in_remediation")
    if not judged:
        return "Nothing has been judged yet, so nobody can say what is wrong."
    if not opened:
        return f"Nothing is open; {count(waiting, 'finding is', 'findings are')} being closed."
    first = f"{bold(f'{opened:,}')} open; "
    hurt = f"{hot(f'{critical:,} critical')}, " if critical else "none of them critical, "
    return f"{first}{hurt}{plain(f'{waiting:,}')} being closed."


def _filters(house: House, counted: Tally) -> findings.Filters:
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    labels = {status: f"{title} {capped(min(counted.of(status), CAP + 1))}" for status, title in STATUSES.items()}
    status = status_tabs(row, "status", labels)
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    asked = st.query_params.get("rule")
    held = counted.rules(status) | {asked}  # of so many rules only those that hold, and the one that was asked for
    chosen_rule = choice(row, "Rule", "rule", {name: rule_title(name) for name in rule_names() if name in held})
    chosen_severity = choice(row, "Severity", "severity", {word: severity(word) for word in SIGNS})
    application = choice(row, "Application", "application", titles)
    text = text_search(row, "Identity, account or entitlement")
    identity = st.query_params.get("identity")
    if identity:
        one = st.container(horizontal=True, vertical_alignment="center")
        one.markdown(f"Only findings of {code(identity)}", width="content")
        one.button("Show all", type="tertiary", on_click=_everybody)
    return findings.Filters(status, chosen_rule, chosen_severity, application, text, identity)


def _everybody() -> None:
    st.query_params.pop("identity", None)


def _nothing(filters: findings.Filters, looked_at: str, judged: bool) -> None:
    word = STATUSES[filters.status].lower()
    said = f"No finding is {plain(word)}." + (
        f" Looked at were {plain(looked_at)}." if filters.status == "open" else ""
    )
    nothing(filters.narrowed, said if judged else "Findings appear here after the first pull and detect run.")
