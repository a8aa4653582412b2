"""One identity: the sentence, the facts, the lifecycle, then access, findings, remediations and audit."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.earlier import on_a_day
from governance.parts.facts import fact_row
from governance.parts.filters import status_tabs
from governance.parts.listing import sideways
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.proposing import propose_all
from governance.parts.severity import severity_column
from governance.parts.text import bold, hot, plain
from governance.parts.timeline import timeline
from governance.provisioning.telling import came_to_be
from governance.views import identities
from governance.views.identities import Whole
from governance.views.lifecycle import Lifecycle, lifecycle
from governance.views.words import (
    MATCH_KEYS,
    REMEDIATION,
    STATES,
    STATUSES,
    UNKNOWN,
    count,
    day,
    days,
    moment,
    rule_title,
    severity,
    span,
)

KINDS = {"employee": "Employee", "contractor": "Contractor", "guest": "Guest", "non_human": "Non-human"}


def person(house: House, actor: Actor, now: datetime, identity_id: str) -> None:
    """Everything about one identity."""
    with st.skeleton(height=560):
        whole = identities.one(house, identity_id)
    if whole is None:
        opening(house, now, "Identity", f"{bold(identity_id)} is not in the last estate.")
        _back()
        return
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    life = lifecycle(whole, titles, now)
    opening(house, now, whole.name, _sentence(whole, life, now))
    _back()
    _facts(whole, titles, now)
    if may(actor, Verb.PROPOSE, identity_id=identity_id):
        propose_all(house, actor, now, whole)
    with st.container(border=True):
        st.subheader("Lifecycle", anchor=False)
        timeline(life)
    _parts(whole, titles, now)
    on_a_day(house, identity_id, titles, now)


def _back() -> None:
    st.button("All identities", type="tertiary", icon=":material/arrow_back:", on_click=st.query_params.clear)


def _sentence(whole: Whole, life: Lifecycle, now: datetime) -> str:
    live, total = len(whole.live), len([a for a in whole.accounts if a["present"]])
    state = whole.facts["state"]
    if state != "ended":
        said = plain(STATES.get(state, "Unknown"))
        return f"{said}; {bold(live)} of {plain(count(total, 'account is', 'accounts are'))} active."
    ended = whole.facts["ended_at"]
    when = f"Left {bold(days(now - ended) + ' ago')}" if ended else "Left, nobody says when"
    if not live:
        unknown = sum(a["present"] and a["active"] is None for a in whole.accounts)
        rest = f"; of {unknown} it is not told" if unknown else ""
        return f"{when}; none of {plain(count(total, 'account', 'accounts'))} is known to be active{rest}."
    used = sum(bool(lane.open and life.left and lane.last_use and lane.last_use > life.left) for lane in life.lanes)
    still = hot(f"{live} of {count(total, 'account', 'accounts')} can still sign in")
    after = f", and {bold(used)} {'was' if used == 1 else 'were'} used after leaving" if used else ""
    return f"{when}; {still}{after}."


def _facts(whole: Whole, titles: dict[str, str], now: datetime) -> None:
    facts = whole.facts
    state = STATES.get(facts["state"], "Unknown")
    ended = f", {day(facts['ended_at'], now)}" if facts["ended_at"] else ""
    fact_row(
        [
            ("Employment", f"{state}{ended}"),
            ("Department", facts["department"] or UNKNOWN),
            ("Title", facts["title"] or UNKNOWN),
            ("Manager", whole.manager or UNKNOWN),
            ("Type", KINDS.get(facts["kind"], facts["kind"] or UNKNOWN)),
            ("Employee id", f"{facts['employee_id']}, {titles.get(facts['source'], facts['source'])}"),
        ]
    )
    if facts["contradictory"]:
        st.warning(
            "The source of truth contradicts itself: active, with an end date in the past.", icon=":material/help:"
        )


def _parts(whole: Whole, titles: dict[str, str], now: datetime) -> None:
    labels = {
        "access": f"Access {len(whole.accounts)}",
        "found": f"Findings {len(whole.findings)}",
        "work": f"Remediations {len(whole.remediations)}",
        "audit": f"Audit {len(whole.audit)}",
    }
    part = status_tabs(st.container(), "part", labels)
    rows: list[dict[str, Any]]
    config: dict[str, Any] = {}
    if part == "access":
        rows = [_access(whole, account, titles, now) for account in _open_first(whole)]
        config = {"Entitlements": st.column_config.TextColumn(width=180)}
    elif part == "found":
        rows, config = [_finding(f, titles, now) for f in whole.findings], {"Severity": severity_column()}
    elif part == "work":
        rows = [_remediation(r, titles, now) for r in whole.remediations]
    else:
        rows = [_entry(entry, now) for entry in whole.audit]
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, row_height=34, key=f"part-{part}", column_config=config,
                     alt=labels[part])  # fmt: skip
        sideways(f"part-{part}")
    else:
        note("Nothing here.")


def _open_first(whole: Whole) -> list[dict[str, Any]]:
    return sorted(whole.accounts, key=lambda a: not (a["present"] and a["active"] is not False and not whole.closed(a)))


def _access(whole: Whole, account: dict[str, Any], titles: dict[str, str], now: datetime) -> dict[str, Any]:
    held = whole.entitlements.get((account["application"], account["account_id"]), [])
    why = MATCH_KEYS.get(account["match_key"] or "", "")
    last = day(account["last_seen_at"], now) if account["last_seen_at"] else (
        "never" if account["last_seen_known"] else "unknown"
    )  # fmt: skip
    return {
        "Application": titles.get(account["application"], account["application"]),
        "Account": account["username"] or account["account_id"],
        "State": _state(whole, account),
        "Entitlements": ", ".join(f"{name}{' (privileged)' if privileged else ''}" for name, privileged in held)
        or UNKNOWN,
        "Matched by": why or UNKNOWN,
        "Created": day(account["created_at"], now),
        "Last use": last,
        "Data age": span(now - datetime.fromtimestamp(account["as_of_s"], UTC)) if account["as_of_s"] else UNKNOWN,
        "How it came": came_to_be(account, titles),
    }


def _state(whole: Whole, account: dict[str, Any]) -> str:
    if whole.closed(account):
        return "✓ Closed, verified"
    if not account["present"]:
        return "Gone"
    if account["active"] is None:
        return "? Not told"
    ended = whole.facts["state"] == "ended"
    return ("▲ Active" if ended else "Active") if account["active"] else "Inactive"


def _finding(f: Any, titles: dict[str, str], now: datetime) -> dict[str, Any]:
    return {
        "Severity": [severity(f.severity)],
        "Rule": rule_title(f.rule),
        "Application": titles.get(f.application, f.application or UNKNOWN),
        "Status": STATUSES.get(f.status, f.status),
        "Why": f.reason,
        "Found": day(f.first_seen, now),
    }


def _remediation(r: Any, titles: dict[str, str], now: datetime) -> dict[str, Any]:
    return {
        "Application": titles.get(r.application, r.application),
        "Status": REMEDIATION.get(r.status, r.status),
        "Proposed by": r.proposed_by,
        "Reason": r.reason,
        "Approved by": r.approved_by or UNKNOWN,
        "Verified": moment(r.verified_at, now),
    }


def _entry(entry: Any, now: datetime) -> dict[str, Any]:
    return {
        "Number": entry.seq,
        "When (UTC)": moment(entry.at, now),
        "Actor": entry.actor,
        "Verb": entry.verb.replace("_", " "),
        "Object": entry.object,
        "Reason": entry.reason,
    }
