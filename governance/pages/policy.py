"""Policy: the thresholds in force, what others would change, and every version there was."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from governance import policies
from governance.access import Actor, Verb, may
from governance.findings.what_if import WhatIf, what_if
from governance.house import House
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.acting import attempt
from governance.parts.being_written import being_written
from governance.parts.coverage import coverage_line
from governance.parts.listing import sideways
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.policy_form import changes_wanted, said
from governance.parts.text import bold, dim, plain
from governance.tables import PolicyVersion
from governance.views import runs
from governance.views.coverage import coverage
from governance.views.what_if import agreement, sentences
from governance.views.words import count, moment, rule_title

PAGE = Page("Policy", ":material/tune:", "Admin", 10, frozenset({ADMIN, SECURITY, AUDITOR}))


def render(house: House, actor: Actor, now: datetime) -> None:
    """The policy in a sentence, its thresholds with a preview of other ones, and its versions."""
    versions = policies.history(house)
    opening(house, now, "Policy", _sentence(house, versions, now))
    being_written(partial(policies.asked, house), now)
    coverage_line(coverage(house, now))
    left, right = st.columns([1.6, 1], gap="small")
    number = versions[0].number if versions else 0
    with left.container(border=True):
        st.subheader("Thresholds", anchor=False)
        wanted = changes_wanted(house, number)
    with right:
        with st.container(border=True, key="preview"):
            st.subheader("What it would change", anchor=False)
            _preview(house, actor, now, wanted)
        with st.container(border=True):
            st.subheader("Versions", anchor=False)
            _versions(versions, now)


def _sentence(house: House, versions: list[PolicyVersion], now: datetime) -> str:
    policy = house.settings.policy
    own = sorted(policy.model_fields_set - {"preset"})
    first = f"Preset {bold(policy.preset)}" + (f", {count(len(own), 'value', 'values')} of your own" if own else "")
    if not versions:
        return f"{first}; it becomes version 1 when the worker starts."
    newest = versions[0]
    by = "the operator" if newest.actor == policies.OPERATOR else plain(newest.actor)
    waits = "" if newest.digest == policies.digest(policy) else "; the file says something else than this version"
    return f"{first}: version {bold(newest.number)} since {plain(moment(newest.at, now))} by {by}{waits}."


def _preview(house: House, actor: Actor, now: datetime, wanted: dict[str, Any]) -> None:
    """What the values on the left would open and close, and how to bring them in."""
    if not wanted:
        note("Change a threshold: here stands what it would open and close before anything is saved.")
        return
    policy = policies.changed(house, wanted)
    before = policies.thresholds(house.settings.policy)
    st.markdown(":small[" + "]  \n:small[".join(said(policies.differences(before, policies.thresholds(policy)))) + "]")
    newest = "Empty: the newest estate."
    day = st.date_input("On the facts of", None, max_value=now.date(), format="YYYY-MM-DD", help=newest, width=180)
    as_of = datetime.combine(day, time(), UTC) if day else None
    run = runs.last_run(house)
    if run is None:
        note("Nothing was judged yet, so there is nothing to compare with.")
    else:
        with house.store.read() as session:
            key = ("what-if", house.store.url, *runs.version(session), policies.digest(policy), as_of)
        with st.skeleton(height=180):
            told = runs.remembered(key, lambda: what_if(house, policy, as_of))
        _told(told, now)
    if may(actor, Verb.CONFIGURE):
        reason = st.text_input("Why the policy changes", key="policy-reason", max_chars=500)
        if st.button("Save as a new version", type="primary", width="stretch", disabled=not reason.strip()):
            attempt(partial(policies.ask, house, actor, now, wanted, reason), "Asked: the worker writes it in seconds")
    else:
        note("Your roles do not include changing the policy.")


def _told(told: WhatIf, now: datetime) -> None:
    for line in sentences(told):
        st.markdown(plain(line[:1].upper() + line[1:]))
    if told.opens.findings or told.closes.findings:
        note(plain(agreement(told)))
    rows = [
        {"Rule": rule_title(c.rule), "Opens": c.opens.findings, "Closes": c.closes.findings,
         "People": c.opens.people + c.closes.people, "Privileged": c.opens.privileged + c.closes.privileged,
         "Severity": " → ".join(c.severity or ())} for c in told.changes
    ]  # fmt: skip
    if rows:
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="what-if", alt="What each rule would open and close")
        sideways("what-if")
    note(f"On the facts of {plain(moment(told.as_of, now))} UTC. Nothing was stored.")


def _versions(versions: list[PolicyVersion], now: datetime) -> None:
    if not versions:
        note("No version was kept yet.")
    for version in versions[:12]:
        by = "the operator" if version.actor == policies.OPERATOR else plain(version.actor)
        why = f": {plain(version.reason)}" if version.reason else ""
        lines = [f"{bold(f'Version {version.number}')} {dim(moment(version.at, now))} by {by}{why}"]
        lines += said(version.changes or [])
        st.markdown(":small[" + "]  \n:small[".join(lines) + "]")
    if len(versions) > 12:
        note(f"{len(versions) - 12} older ones: `leaverwatch policy history`.")
