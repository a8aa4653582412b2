"""Identities: who needs a look, and everything about one of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.pages import EVERYTHING, Page
from governance.parts.filters import status_tabs, text_search
from governance.parts.links import go
from governance.parts.listing import chosen_row
from governance.parts.opening import opening
from governance.parts.pager import cursor, pager
from governance.parts.person import person
from governance.parts.population import population_statement
from governance.parts.severity import severity_column
from governance.parts.text import bold, hot, plain
from governance.views import identities, runs
from governance.views.paging import Row
from governance.views.population import population
from governance.views.words import STATES, UNKNOWN, count, day, severity

PAGE = Page("Identities", ":material/group:", "Operate", 2, EVERYTHING)


def render(house: House, actor: Actor, now: datetime) -> None:
    """The list, or the one the address names."""
    if asked := st.query_params.get("id"):
        person(house, actor, now, asked)
        return
    run = runs.last_run(house)
    opening(house, now, "Identities", _sentence(run))
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    filters = identities.Filters(status_tabs(row, "scope", identities.SCOPES), text_search(row, "Name, address, team"))
    by_finding = filters.scope == "findings" and not filters.text.strip()
    with st.skeleton(height=520):
        found = identities.page(house, filters, cursor(identities.BY_FINDING if by_finding else identities.BY_END))
    population_statement(population(house, now), f"{found.counted('identity', 'identities')}, out of")
    if not found.rows:
        with st.container(border=True):
            st.markdown(
                "Nobody matches these filters." if run else "Identities appear here after the first detect run."
            )
        return
    frame = pd.DataFrame([_shown(row, now) for row in found.rows])
    ids = [str(row["identity_id"]) for row in found.rows]
    config: dict[str, Any] = {"Worst finding": severity_column()}
    chosen = chosen_row("identity", frame, ids, alt="Identities", column_config=config, row_height=34)
    pager(found, "worst finding first" if by_finding else "who left last first")
    if chosen and st.button("Open this identity", type="primary", icon=":material/person:"):
        go("identities", id=chosen)


def _sentence(run: runs.Run | None) -> str:
    if run is None:
        return "No source of truth has been read and judged yet."
    leavers, holding = run.number("leavers"), run.number("leavers_with_access")
    known = f"{bold(count(run.number('identities') or 0, 'identity', 'identities'))}; "
    if leavers is None or holding is None:
        return f"{known}how many of them left is unknown."
    still = hot(f"{holding:,} could still get in") if holding else "none of them could still get in"
    return f"{known}{plain(count(leavers, 'leaver', 'leavers'))}, {still} at the last run."


def _shown(row: Row, now: datetime) -> dict[str, Any]:
    accounts = row["accounts"]
    return {
        "Name": row.get("display_name") or row["identity_id"],
        "Worst finding": [severity(row["severity"])] if row.get("severity") else [],
        "Open findings": row["findings"],
        "Employment": STATES.get(row.get("state") or "", UNKNOWN),
        "Left": day(row.get("ended_at"), now),
        "Department": row.get("department") or UNKNOWN,
        "Title": row.get("title") or UNKNOWN,
        "Active accounts": f"{accounts[0]} of {accounts[1]}" if accounts else "0 of 0",
    }
