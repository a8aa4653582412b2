"""Deciding about several findings at once: what would happen in each application, one reason, one verb per finding."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Final

import streamlit as st

from governance import findings, remediation
from governance.access import Actor, Verb, may
from governance.errors import LeaverwatchError
from governance.house import House
from governance.parts.deciding import exclude_until, is_open, open_step
from governance.parts.each import each, list_refused, still_refused, tell
from governance.parts.notes import note
from governance.parts.severity import COLOURS, chip
from governance.parts.taking_back import remember
from governance.parts.text import bold, plain
from governance.views.applications import closing
from governance.views.paging import Row
from governance.views.words import SIGNS, UNKNOWN, count, rule_title

_PLACE: Final = "findings"


def many_panel(house: House, actor: Actor, now: datetime, rows: list[Row]) -> None:
    """The preview for all that are selected, and the decision with one reason."""
    refused = remediation.refusals(house, actor, now, [row["fingerprint"] for row in rows])
    possible = [row for row in rows if row["fingerprint"] not in refused]
    with st.container(border=True, gap="small"):
        severities = Counter(row["severity"] for row in rows)
        st.markdown(" ".join(chip(f"{SIGNS[s]} {severities[s]} {s}", COLOURS[s]) for s in SIGNS if severities[s]))
        st.subheader(f"{count(len(rows), 'finding', 'findings')} selected", anchor=False)
        _preview(house, possible)
        _refusals(house, [(row, refused[row["fingerprint"]]) for row in rows if row["fingerprint"] in refused])
        allowed = [row for row in rows if _may(actor, Verb.EXCLUDE, row)]
        if is_open("exclude-many") and allowed:
            _exclude(house, actor, now, allowed)
        elif possible:
            _propose(house, actor, now, possible)
        if allowed:
            step = "propose-many" if is_open("exclude-many") else "exclude-many"
            label = "Propose deactivation instead" if is_open("exclude-many") else f"Exclude {len(allowed)}"
            if step == "exclude-many" or possible:
                st.button(label, width="stretch", on_click=open_step, args=(step,), key=f"open-{step}")
        note("Somebody else must approve each of them: never the proposer or the subject.")


def _may(actor: Actor, verb: Verb, row: Row) -> bool:
    return may(actor, verb, application=row["application"], identity_id=row["identity_id"])


def _preview(house: House, rows: list[Row]) -> None:
    """What would happen, application by application."""
    if not rows:
        return
    st.markdown(bold("What would change"))
    held = {(row["application"], row["account_id"]) for row in rows}  # an account may be selected for several reasons
    ways = Counter((application, closing(house, application, account)) for application, account in sorted(held))
    for (application, way), number in ways.most_common():
        accounts = count(number, "account", "accounts")
        if way is None:
            st.markdown(f":gray[○] {bold(application)}: nothing is known about how {accounts} would be closed.")
        elif way.how == "call":
            st.markdown(f":green[↩] {bold(way.title)}: {plain(way.call)}, {accounts}. {plain(way.reversible)}")
        else:
            st.markdown(f":blue[◐] {bold(way.title)}: {plain(way.call)} closes {accounts}. The next file proves it.")


def _refusals(house: House, refused: list[tuple[Row, LeaverwatchError]]) -> None:
    if not refused:
        return
    st.markdown(bold(f"{len(refused)} cannot be proposed"))
    list_refused([(_name(house, row), str(error)) for row, error in refused])


def _name(house: House, row: Row) -> str:
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    who = row["identity_name"] or row["username"] or row["account_id"] or UNKNOWN
    return f"{who}, {titles.get(row['application'], row['application'] or UNKNOWN)}, {rule_title(row['rule'])}"


def _seen(step: str, rows: list[Row]) -> list[Row]:
    """The rows the form showed when its button was pressed: somebody may have decided about one of them since."""
    seen: list[Row] = st.session_state.get(f"{step} showed", rows)
    st.session_state[f"{step} showed"] = rows
    return seen


def _propose(house: House, actor: Actor, now: datetime, rows: list[Row]) -> None:
    seen = _seen("propose-many", rows)
    with st.container(key="form-propose-many"), st.form("propose-many", border=False):
        reason = st.text_input("Why it is right to close these accounts", key="why-propose-many", max_chars=500)
        sent = st.form_submit_button(
            f"Propose deactivation of {len(rows)}",
            type="primary",
            width="stretch",
            icon=":material/person_off:",
            key="send-propose-many",
        )
    if not sent:
        return
    made: list[str] = []

    def one(row: Row) -> None:
        made.extend(r.id for r in remediation.propose(house, actor, now, [row["fingerprint"]], reason))

    done, refused = each(seen, one, partial(_name, house))
    remember(made)
    tell(_PLACE, f"{done} proposed: now somebody else approves", done, refused)


def _exclude(house: House, actor: Actor, now: datetime, rows: list[Row]) -> None:
    seen = _seen("exclude-many", rows)
    with st.container(key="form-exclude-many"), st.form("exclude-many", border=False):
        reason = st.text_input("Why these may stay as they are", key="why-exclude-many", max_chars=500)
        until: date = exclude_until(house, now, "until-exclude-many")
        sent = st.form_submit_button(f"Exclude {len(rows)} until then", width="stretch", key="send-exclude-many")
    if sent:
        end = datetime.combine(until, time(), UTC)
        waiting: list[Row] = []

        def one(row: Row) -> None:
            if findings.exclude(house, actor, now, row["fingerprint"], end, reason).waits:
                waiting.append(row)

        done, refused = each(seen, one, partial(_name, house))
        more = f"; {len(waiting)} more once a second person agrees" if waiting else ""
        tell(_PLACE, f"{done - len(waiting)} excluded until then{more}", done, refused)


def refused_before() -> None:
    """What the last decision about several findings could not do, by name, until it is dismissed."""
    still_refused(_PLACE)
