"""The page Jobs: what came of each run in one column, and what failed in full above it."""

from __future__ import annotations

import pytest

from governance.tables import JobRun
from tests.screen import ADMIN, NOW, show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


def put_runs(house, *runs):
    with house.store.write() as session:
        for number, run in enumerate(runs):
            session.add(JobRun(id=f"j{number}", started_at=NOW, finished_at=NOW, by="scheduler", **run))


def came_of(app):
    return list(app.dataframe[0].value["What came of it"])


def test_what_became_of_findings_comes_first_under_the_names_of_rules(house):
    put_runs(house, {"job": "detect", "status": "ok", "counts": {"ghost": 21, "stale": 0, "findings_opened": 3}})
    assert came_of(show(house, "jobs", ADMIN)) == ["findings opened 3, Ghost 21"]


def test_a_failure_is_told_in_full_where_its_cell_has_no_room(house):
    why = "crm: 20 of 386 were changed their address or employee id since 24 hours ago; the guard stops at 19"
    put_runs(
        house,
        {"job": "pull", "feed": "crm", "status": "stopped", "error": why, "counts": {"rows_read": 9}},
        {"job": "pull", "feed": "wiki", "status": "ok", "counts": {"rows_read": 4, "rejected": 0}},
    )
    app = show(house, "jobs", ADMIN)
    assert sorted(came_of(app)) == sorted([why, "rows read 4"])
    assert why in text_of(app).replace("\\", "")


def test_one_job_is_one(house):
    put_runs(house, {"job": "verify", "status": "ok", "counts": {}})
    assert "1 job ran in the last 24 hours" in show(house, "jobs", ADMIN).header[0].value.replace("*", "")
