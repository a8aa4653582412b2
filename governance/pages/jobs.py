"""Jobs: what runs by the clock, what failed, and a button to run it now."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

import pandas as pd
import streamlit as st

from governance import findings
from governance.access import Actor, Verb, may
from governance.findings.decisions import Work
from governance.house import House
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.acting import attempt
from governance.parts.job_runs import job_runs
from governance.parts.listing import sideways
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.text import bold, plain, warm
from governance.parts.undelivered import undelivered_card
from governance.views import jobs
from governance.views.jobs import Today
from governance.views.words import UNKNOWN, count, span

PAGE = Page("Jobs", ":material/schedule:", "Operate", 5, frozenset({ADMIN, SECURITY, AUDITOR}))

_ASKED: Final[dict[Work, str]] = {"pull": "Pull all", "detect": "Detect", "verify": "Verify"}


def render(house: House, actor: Actor, now: datetime) -> None:
    """The last day in a sentence, what is due next, and every run."""
    today = jobs.today(house, now)
    opening(house, now, "Jobs", _sentence(today, jobs.late(house, now), now))
    left, right = st.columns([2.2, 1], gap="small")
    with left:
        job_runs(house, now)
    with right:
        _planned(house, actor, now)
        undelivered_card(house, actor, now)


def _sentence(today: Today, late: bool, now: datetime) -> str:
    if not today.runs:
        return f"No job ran in the last 24 hours. {jobs.IDLE}"
    failed = warm(f"{today.failed} failed") if today.failed else "none failed"
    running = f", {today.running} running now" if today.running else ""
    ago = f"; the last one ended {plain(span(now - today.last_finished))} ago" if today.last_finished else ""
    waiting = (
        f"; {warm(count(today.waiting, 'request waits', 'requests wait'))} for the worker" if today.waiting else ""
    )
    idle = f". {warm(jobs.IDLE)}" if late or today.stuck(now) else "."
    ran = count(today.runs, "job", "jobs")
    return f"{bold(ran)} ran in the last 24 hours, {failed}{running}{ago}{waiting}{idle}"


def _planned(house: House, actor: Actor, now: datetime) -> None:
    allowed = may(actor, Verb.RUN)
    with st.container(border=True):
        st.subheader("Run now", anchor=False)
        if not allowed:
            note("Your roles do not include starting jobs.")
        row = st.container(horizontal=True)
        for verb, label in _ASKED.items():
            if row.button(label, key=f"ask-{verb}", disabled=not allowed):
                attempt(partial(findings.ask, house, actor, now, verb), "Asked: the worker starts within seconds")
    with st.container(border=True):
        st.subheader("Due next", anchor=False)
        plans = jobs.planned(house)
        if not plans:
            note("No feed is configured.")
            return
        rows = [
            {"Feed": p.title, "Every": span(p.every), "Last": span(now - p.last) + " ago" if p.last else UNKNOWN,
             "Due": "now" if p.due(now) <= now else f"in {span(p.due(now) - now)}"} for p in plans
        ]  # fmt: skip
        st.dataframe(pd.DataFrame(rows), hide_index=True, key="due", alt="Feeds and when they are due")
        sideways("due")
