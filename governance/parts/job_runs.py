"""Every run of every job as a table, and what the newest failures say in full."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import pandas as pd
import streamlit as st

from governance.house import House
from governance.parts.filters import choice, status_tabs
from governance.parts.listing import nothing, sideways
from governance.parts.notes import note
from governance.parts.pager import cursor, pager
from governance.parts.text import bold, plain
from governance.views import jobs
from governance.views.paging import Row
from governance.views.words import moment, rule, rule_title

_CAME: Final = "What came of it"
_IN_FULL: Final = 3  # of what failed lately: a cell of the table shows only its beginning


def job_runs(house: House, now: datetime) -> None:
    """The filters, the newest failures in full, and a page of runs."""
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
    for run in [run for run in found.rows if run["error"]][:_IN_FULL]:
        note(f":red[▲] {bold(_name(run, titles))}, {plain(moment(run['started_at'], now))}: {plain(run['error'])}")
    height: Literal["content"] | int = "content" if len(frame) <= 18 else 650
    config: dict[str, Any] = {"Took": st.column_config.NumberColumn(format="%.1f s", width=60)}
    widths = {"Job": 65, "Feed": 120, "Status": 80, "Started (UTC)": 100, "By": 65, _CAME: 290}  # a desk's width
    config |= {name: st.column_config.TextColumn(width=width) for name, width in widths.items()}
    st.dataframe(frame, hide_index=True, row_height=34, height=height, key="runs", alt="Job runs", placeholder="–",
                 column_config=config)  # fmt: skip
    sideways("runs")
    pager(found, "the newest first")


def _shown(run: Row, titles: dict[str, str], now: datetime) -> dict[str, Any]:
    signs = {"ok": "✓ Done", "failed": "▲ Failed", "stopped": "◆ Stopped", "running": "◐ Running"}
    finished = run["finished_at"]
    return {
        "Job": jobs.TITLES.get(run["job"], run["job"]),
        "Feed": titles.get(run["feed"] or "", run["feed"] or ""),
        "Status": signs.get(run["status"], run["status"]),
        "Started (UTC)": moment(run["started_at"], now),
        "Took": (finished - run["started_at"]).total_seconds() if finished else None,
        "By": run["by"],
        _CAME: run["error"] or _counted(run["counts"] or {}),
    }


def _name(run: Row, titles: dict[str, str]) -> str:
    feed = titles.get(run["feed"] or "", run["feed"] or "")
    return f"{jobs.TITLES.get(run['job'], run['job'])} {feed}".strip()


def _counted(counts: dict[str, Any]) -> str:
    """What a run counted: what became of findings first, then the rest; what is none is left out."""
    told = {name: value for name, value in counts.items() if isinstance(value, int) and value}
    order = sorted(told, key=lambda name: not name.startswith("findings_"))
    return ", ".join(f"{rule_title(name) if rule(name) else name.replace('_', ' ')} {told[name]:,}" for name in order)
