"""Findings: the list, most severe first, and beside it the evidence and the decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.pages import EVERYBODY, Page
from governance.parts.export import export_button
from governance.parts.filters import choice, status_tabs, text_search
from governance.parts.listing import chosen_row
from governance.parts.opening import opening
from governance.parts.pager import cursor, pager
from governance.parts.panel import panel
from governance.parts.population import population_statement
from governance.parts.severity import coloured
from governance.parts.text import bold, hot, plain
from governance.views import findings
from governance.views.paging import CAP, Row, Slice, capped
from governance.views.population import population
from governance.views.tallies import Tally, tally
from governance.views.words import SIGNS, STATUSES, UNKNOWN, count, rule_names, rule_title, severity

PAGE = Page("Findings", ":material/flag:", "Operate", 1, EVERYBODY)


def render(house: House, actor: Actor, now: datetime) -> None:
    """Filters, the population, the list on the left and the evidence on the right."""
    counted = tally(house)
    opening(house, now, "Findings", _sentence(counted))
    filters = _filters(house, counted)
    found = findings.page(house, filters, cursor(findings.KEY))
    drawn = population(house, now)
    rules = len(counted.rules(filters.status))
    word = STATUSES[filters.status].lower()
    narrowed = f"of {capped(counted.of(filters.status))} " if filters.narrowed else ""
    population_statement(drawn, f"{found.total_text} {narrowed}{word} findings by {rules} rules over")
    left, right = st.columns([1.75, 1], gap="small")
    with left:
        fingerprint = _list(house, actor, found, filters, now) if found.rows else _nothing(filters, drawn.looked_at)
    asked = st.query_params.get("finding")
    with right:
        panel(house, actor, now, fingerprint or asked)


def _sentence(counted: Tally) -> str:
    critical, opened = counted.of("open", severity="critical"), counted.of("open")
    waiting = counted.of("in_remediation")
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
    chosen_rule = choice(row, "Rule", "rule", {name: rule_title(name) for name in rule_names()})
    chosen_severity = choice(row, "Severity", "severity", {word: severity(word) for word in SIGNS})
    application = choice(row, "Application", "application", titles)
    text = text_search(row, "Identity, account or entitlement")
    identity = st.query_params.get("identity")
    return findings.Filters(status, chosen_rule, chosen_severity, application, text, identity)


def _list(house: House, actor: Actor, found: Slice, filters: findings.Filters, now: datetime) -> str | None:
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    frame = pd.DataFrame([_shown(row, titles, now) for row in found.rows])
    chosen = chosen_row(
        "finding",
        coloured(frame, "Severity"),
        [row["fingerprint"] for row in found.rows],
        alt="Findings, the most severe first",
        column_config={
            "Score": st.column_config.NumberColumn(width=50, help="Severity, privilege, criticality and use, 0 to 100"),
            "Severity": st.column_config.TextColumn(width=80),
            "Rule": st.column_config.TextColumn(width=126),
            "Identity": st.column_config.TextColumn(width=116),
            "Application": st.column_config.TextColumn(width=84),
            "Why": st.column_config.TextColumn(width=176),
            "Open for": st.column_config.NumberColumn(format="%d d", width=62, help="For a leaver: since leaving"),
        },
        row_height=57,  # the least at which the table breaks lines
    )
    pager(found, "by score (severity, privilege, criticality, use)")
    export_button(house, actor, now, "findings", lambda: findings.export(house, filters), findings.COLUMNS)
    return chosen


def _shown(row: Row, titles: dict[str, str], now: datetime) -> dict[str, Any]:
    where = titles.get(row["application"], row["application"] or UNKNOWN)
    why = findings.short(row, where, now)
    if row["identity_name"] and why.startswith(f"{row['identity_name']} "):
        why = why[len(row["identity_name"]) + 1 :]
    return {
        "Score": row["score"],
        "Severity": severity(row["severity"]),
        "Rule": rule_title(row["rule"]),
        "Identity": row["identity_name"] or row["username"] or UNKNOWN,
        "Application": where,
        "Why": why[:1].upper() + why[1:],
        "Open for": (now - findings.since(row)).days,
    }


def _nothing(filters: findings.Filters, looked_at: str) -> None:
    with st.container(border=True):
        if filters.narrowed:
            st.markdown("Nothing matches these filters.")
            st.button("Clear the filters", on_click=st.query_params.clear)
        elif filters.status == "open":
            st.markdown(f"No finding is open. Looked at were {plain(looked_at)}.")
        else:
            st.markdown(f"No finding is {plain(STATUSES[filters.status].lower())}.")
