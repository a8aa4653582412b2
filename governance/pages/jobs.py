"""Jobs: what runs by the clock, what failed, and a button to run it now."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

import pandas as pd
import streamlit as st

from governance import findings
from governance.access import Actor, Verb, may
from governance.findings.decisions import Work
from governance.house import House
from governance.pages import ADMIN, AUDITOR, SECURITY, Page
from governance.parts.acting import attempt
from governance.parts.filters import choice, status_tabs
from governance.parts.listing import nothing, sideways
from governance.parts.notes import note
from governance.parts.opening import opening
from governance.parts.pager import cursor, pager
from governance.parts.text import bold, plain, warm
from governance.parts.undelivered import undelivered_card
from governance.views import jobs
from governance.views.jobs import Today
from governance.views.paging import Row
from governance.views.words import UNKNOWN, count, moment, span

PAGE = Page("Jobs", ":material/schedule:", "Operate", 5, frozenset({ADMIN, SECURITY, AUDITOR}))

_ASKED: Final[dict[Work, str]] = {"pull": "Pull all", "detect": "Detect", "verify": "Verify"}


def render(house: House, actor: Actor, now: datetime) -> None:
    """The last day in a sentence, what is due next, and every run."""
    today = jobs.today(house, now)
    opening(house, now, "Jobs", _sentence(today, jobs.late(house, now), now))
    left, right = st.columns([2.2, 1], gap="small")
    with left:
        _runs(house, now)
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
    return f"{bold(f'{today.runs:,}')} jobs ran in the last 24 hours, {failed}{running}{ago}{waiting}{idle}"


def _runs(house: House, now: datetime) -> None:
    row = st.container(horizontal=True, vertical_alignment="center")
    status = status_tabs(row, "status", {"all": "All", **jobs.STATUSES})
    job = choice(row, "Job", "job", jobs.TITLES)
    found = jobs.page(house, None if status == "all" else status, job, cursor(jobs.KEY))
    if not found.rows:
        nothing(status != "all" or job is not None, "Nothing ran yet: start the worker.")
        return
    titles = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    frame = pd.DataFrame([_shown(run, titles, now) for run in found.rows])
    note(f"{found.counted('run', 'runs')}, the newest first. A run that failed changed nothing.")
    height: Literal["content"] | int = "content" if len(frame) <= 18 else 650
    st.dataframe(frame, hide_index=True, row_height=34, height=height, key="runs", alt="Job runs", placeholder="–",
                 column_config={"Took": st.column_config.NumberColumn(format="%.1f s", width=70)})  # fmt: skip
    sideways("runs")
    pager(found, "the newest first")


def _shown(run: Row, titles: dict[str, str], now: datetime) -> dict[str, Any]:
    signs = {"ok": "✓ Done", "failed": "▲ Failed", "stopped": "◆ Stopped by a guard", "running": "◐ Running"}
    finished = run["finished_at"]
    return {
        "Job": jobs.TITLES.get(run["job"], run["job"]),
        "Feed": titles.get(run["feed"] or "", run["feed"] or ""),
        "Status": signs.get(run["status"], run["status"]),
        "Started (UTC)": moment(run["started_at"], now),
        "Took": (finished - run["started_at"]).total_seconds() if finished else None,
        "By": run["by"],
        "Counted": _counted(run["counts"] or {}),
        "Error": run["error"] or "",
    }


def _counted(counts: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:,}" for name, value in counts.items() if isinstance(value, int) and value
    )


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
