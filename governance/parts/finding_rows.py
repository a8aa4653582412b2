"""The table of findings: one row each, the chosen one kept by its fingerprint."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.parts.export import export_button
from governance.parts.listing import chosen_row
from governance.parts.pager import pager
from governance.parts.severity import coloured
from governance.views import findings
from governance.views.paging import Row, Slice
from governance.views.words import UNKNOWN, rule_title, severity


def finding_rows(house: House, actor: Actor, found: Slice, filters: findings.Filters, now: datetime) -> str | None:
    """Draw the page of findings; gives the fingerprint of the chosen one."""
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
