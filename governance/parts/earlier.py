"""What an identity had on an earlier day: a day is chosen, and whether as known then or as known now."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final, get_args

import pandas as pd
import streamlit as st

from governance.findings.time_travel import Known
from governance.house import House
from governance.parts.filters import status_tabs
from governance.parts.listing import sideways
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.views import earlier
from governance.views.earlier import Earlier
from governance.views.words import MATCH_KEYS, STATES, UNKNOWN, count, day

_DAY: Final = "as_of"
_WIDGET: Final = "filter-as_of"
KNOWN: Final[dict[str, str]] = {"then": "As known then", "now": "As known now"}


def on_a_day(house: House, identity_id: str, titles: dict[str, str], now: datetime) -> None:
    """The picker and, once a day is chosen, the answer. The page's address holds both."""
    with st.container(border=True):
        st.subheader("On an earlier day", anchor=False)
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        st.session_state[_WIDGET] = _asked(now)
        chosen = row.date_input(
            "Day (00:00 UTC)", None, key=_WIDGET, max_value=now.date(), format="YYYY-MM-DD", width=180, on_change=_kept
        )
        known = status_tabs(row, "known", KNOWN, "Known when")
        if not isinstance(chosen, date):
            note("Choose a day to see what this identity had, as it was known then or as it is known now.")
            return
        which: Known = "now" if known == get_args(Known)[1] else "then"
        with st.skeleton(height=120):
            seen = earlier.one(house, identity_id, datetime.combine(chosen, time(), UTC), which, now)
        st.markdown(_sentence(seen, now))
        if seen.accounts:
            rows = [_row(account, titles, now) for account in seen.accounts]
            st.dataframe(pd.DataFrame(rows), hide_index=True, row_height=34, key="earlier", alt="Access on that day")
            sideways("earlier")


def _asked(now: datetime) -> date | None:
    """The day the address names; none when it names no day, or one to come."""
    try:
        found = date.fromisoformat(st.query_params.get(_DAY, ""))
    except ValueError:
        return None
    return found if found <= now.date() else None


def _kept() -> None:
    chosen = st.session_state.get(_WIDGET)
    if chosen is None:
        st.query_params.pop(_DAY, None)
    else:
        st.query_params[_DAY] = chosen.isoformat()


def _sentence(seen: Earlier, now: datetime) -> str:
    when = f"On {bold(day(seen.as_of, now))}, {plain(KNOWN[seen.known or 'now'].lower())}"
    if seen.facts is None:
        return f"{when}: no source of truth had told of this identity."
    state = STATES.get(seen.facts["state"], "Unknown")
    ended = seen.facts["ended_at"]
    word = "" if not ended else f" ({'left' if ended <= seen.as_of else 'to leave'} {day(ended, now)})"
    active = sum(account["active"] is True for account in seen.accounts)
    accounts = count(len(seen.accounts), "account", "accounts")
    return f"{when}: {plain(state)}{plain(word)}; {bold(active)} of {plain(accounts)} active."


def _row(account: dict[str, Any], titles: dict[str, str], now: datetime) -> dict[str, Any]:
    active = account["active"]
    return {
        "Application": titles.get(account["application"], account["application"]),
        "Account": account["username"] or account["account_id"],
        "State": "? Not told" if active is None else "Active" if active else "Inactive",
        "Entitlements": str(account["entitlements"]) or UNKNOWN,
        "Matched by": MATCH_KEYS.get(account["match_key"] or "", "") or UNKNOWN,
        "Last use": day(account["last_seen_at"], now),
    }
