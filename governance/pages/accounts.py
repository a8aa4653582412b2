"""Accounts: every login record of every application, those that should worry first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.pages import EVERYTHING, Page
from governance.parts.export import export_button
from governance.parts.filters import choice, status_tabs, text_search
from governance.parts.links import link
from governance.parts.listing import chosen_row, nothing
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.pager import cursor, pager
from governance.parts.population import population_statement
from governance.parts.text import bold, plain, warm
from governance.views import accounts
from governance.views.paging import Row, Slice
from governance.views.population import Population, population
from governance.views.words import MATCH_KEYS, STATES, UNKNOWN, count, day, rule_title, severity, span

PAGE = Page("Accounts", ":material/badge:", "Operate", 3, EVERYTHING)


def render(house: House, actor: Actor, now: datetime) -> None:
    """Filters, the population, and the list a page at a time."""
    drawn = population(house, now)
    opening(house, now, "Accounts", _sentence(drawn))
    filters = _filters(house)
    with st.skeleton(height=520):
        found = accounts.page(house, filters, now, cursor(accounts.KEY))
    population_statement(drawn, f"{found.counted('account', 'accounts')}, out of")
    if not found.rows:
        _nothing(drawn, filters)
        return
    row = _list(house, found, now)
    pager(found, "accounts of leavers and of nobody first, then privileged ones")
    _about(row)
    columns = accounts.COLUMNS
    export_button(house, actor, now, "accounts", lambda: accounts.export(house, filters, now), columns)


def _sentence(drawn: Population) -> str:
    if drawn.accounts is None:
        return "No account has been read yet."
    loose = (drawn.unmatched or 0) + (drawn.ambiguous or 0)
    first = f"{bold(f'{drawn.accounts:,}')} accounts in {count(drawn.applications, 'application', 'applications')}; "
    if drawn.unmatched is None:
        return f"{first}how many have no certain owner is unknown."
    return f"{first}{warm(f'{loose:,} without a certain owner') if loose else 'every one has an owner'}."


def _filters(house: House) -> accounts.Filters:
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    scope = status_tabs(row, "scope", accounts.SCOPES)
    application = choice(row, "Application", "application", {a.name: a.label for a in house.settings.application})
    return accounts.Filters(scope, application, text_search(row, "Account, address or owner"))


def _list(house: House, found: Slice, now: datetime) -> Row:
    titles = {a.name: a.label for a in house.settings.application}
    ids = [f"{row['application']}/{row['account_id']}" for row in found.rows]
    frame = pd.DataFrame([_shown(row, titles, now) for row in found.rows])
    age = st.column_config.TextColumn(width=72, alignment="right")
    config: dict[str, Any] = {"Last use": age, "Data age": age, "Account": st.column_config.TextColumn(width=190)}
    chosen = chosen_row(
        "account", frame, ids, alt="Accounts, those to worry about first", column_config=config, row_height=34
    )
    return found.rows[ids.index(chosen)] if chosen in ids else found.rows[0]


def _shown(row: Row, titles: dict[str, str], now: datetime) -> dict[str, Any]:
    state = {True: "▲ Active" if row["owner_state"] == "ended" else "Active", False: "Inactive", None: "? Not told"}
    finding = row["finding"]
    return {
        "Application": titles.get(row["application"], row["application"]),
        "Account": row["username"] or row["account_id"],
        "State": state[row["active"]],
        "Owner": row["owner_name"] or {"ambiguous": "? Several fit", "unmatched": "Nobody"}.get(row["match"], UNKNOWN),
        "Employment": STATES.get(row["owner_state"] or "", UNKNOWN),
        "Found by": MATCH_KEYS.get(row["match_key"] or "", UNKNOWN),
        "Privileged": {True: "Yes", False: "No", None: UNKNOWN}[row["privileged"]],
        "MFA": {True: "On", False: "Off", None: UNKNOWN}[row["mfa"]],
        "Last use": _last_use(row, now),
        "Worst finding": f"{severity(finding['severity'])}: {rule_title(finding['rule'])}" if finding else "",
        "Data age": span(now - datetime.fromtimestamp(row["as_of_s"], UTC)) if row["as_of_s"] else UNKNOWN,
    }


def _last_use(row: Row, now: datetime) -> str:
    if row["last_seen_at"] is not None:
        return day(row["last_seen_at"], now)
    return "never" if row["last_seen_known"] else "unknown"


def _about(row: Row) -> None:
    """Where the chosen account leads to."""
    with st.container(horizontal=True, vertical_alignment="center"):
        note(f"Chosen: {plain(row['username'] or row['account_id'])}", width="content")
        if row["owner_id"]:
            link(
                "identities",
                f"Open {plain(row['owner_name'] or row['owner_id'])}",
                ":material/person:",
                id=row["owner_id"],
            )
        if row["finding"]:
            link("findings", "Open its worst finding", ":material/flag:", finding=row["finding"]["fingerprint"])


def _nothing(drawn: Population, filters: accounts.Filters) -> None:
    judged = drawn.accounts is not None
    first = "Accounts appear here after the first pull and detect run; the page Jobs starts them."
    nothing(judged and filters.narrowed, "The feeds of accounts that were read hold no account." if judged else first)
