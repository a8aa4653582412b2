"""Audit: who did what, on what, why and when, in a chain that shows every later change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas as pd
import streamlit as st

from governance import audit
from governance.access import Actor
from governance.house import House
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.export import export_button
from governance.parts.filters import status_tabs, text_search
from governance.parts.listing import sideways
from governance.parts.notes import note, note_in
from governance.parts.opening import opening
from governance.parts.pager import cursor, pager
from governance.parts.text import bold, plain
from governance.views import trail
from governance.views.paging import Row
from governance.views.words import UNKNOWN, count, moment, span

PAGE = Page("Audit", ":material/receipt_long:", "Admin", 20, frozenset({ADMIN, SECURITY, AUDITOR}))


def render(house: House, actor: Actor, now: datetime) -> None:
    """The chain in a sentence, a button that proves it, and the entries."""
    chain = trail.chain(house, now)
    opening(house, now, "Audit", _sentence(chain, now))
    _verify(house, chain)
    row = st.container(horizontal=True, vertical_alignment="center")
    filters = trail.Filters(status_tabs(row, "scope", trail.SCOPES), text_search(row, "Actor, verb, object or reason"))
    found = trail.page(house, filters, cursor(trail.KEY))
    match = " match" if filters != trail.Filters() else ""
    note(f"{found.total_text} of {count(chain.entries, 'entry', 'entries')} in the chain{match}.")
    if not found.rows:
        with st.container(border=True):
            st.markdown("No entry matches." if chain.entries else "Nothing was decided or done yet.")
        return
    frame = pd.DataFrame([_shown(entry, now) for entry in found.rows])
    widths = {"When (UTC)": 100, "Actor": 165, "Verb": 110, "Object": 310, "Reason": 325, "Hash": 80}  # a desk's width
    config: dict[str, Any] = {"Number": st.column_config.NumberColumn(width=60)}
    config |= {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    st.dataframe(frame, hide_index=True, row_height=34, height="content" if len(frame) <= 18 else 650, key="entries",
                 column_config=config, alt="Audit entries")  # fmt: skip
    sideways("entries")
    pager(found, "the newest first")
    export_button(house, actor, now, "audit", lambda: trail.export(house, filters), tuple(found.rows[0]))


def _sentence(chain: trail.Chain, now: datetime) -> str:
    if not chain.entries:
        return "The audit is empty: nothing was decided or done yet."
    last = f"the last one {plain(span(now - chain.last))} ago" if chain.last else "the last one at an unknown time"
    number = bold(count(chain.entries, "entry", "entries"))
    return f"{number} in one chain, {plain(f'{chain.today:,}')} in 24 hours; {last}."


def _verify(house: House, chain: trail.Chain) -> None:
    """Walk the chain when asked: what was proved is said with how far it reaches."""
    row = st.container(horizontal=True, vertical_alignment="center")
    asked = row.button("Verify the chain", icon=":material/verified_user:", key="verify")
    note_in(row, f"Tip {plain(chain.tip or UNKNOWN)}… Note it outside: with it a cut tail shows too.", width="content")
    if not asked:
        return
    with st.spinner("Walking the chain"):
        result = audit.verify(house.store)
    entries = count(result.entries, "entry holds", "entries hold")
    if result.ok:
        st.success(f"Every entry follows the one before: {entries}.", icon=":material/check:")
    else:
        st.error(f"{plain(result.why)}. Before it {entries}.", icon=":material/error:")


def _shown(entry: Row, now: datetime) -> dict[str, Any]:
    return {
        "Number": entry["seq"],
        "When (UTC)": moment(entry["at"], now),
        "Actor": entry["actor"],
        "Verb": entry["verb"].replace("_", " "),
        "Object": entry["object"],
        "Reason": entry["reason"] or "",
        "Hash": entry["hash"][:8],
    }
