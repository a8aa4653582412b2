"""What runs when (FAULTS E2-E4): daylight saving changes nothing, a gap is one run, a hang blocks nobody."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import MakeHouse
from sqlmodel import select
from ulid import ULID
from worked import feeds, runs, wait_for, working

from governance.tables import Finding, JobRun
from jobs import home, scheduler
from jobs.scheduler import Planned

ROOT = Path(__file__).resolve().parent.parent
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class TestDaylightSaving:
    """E2: everything fires in UTC, so no logical day has two runs or none."""

    ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe")
    MORE = ("Africa/Casablanca", "Asia/Tehran", "Pacific/Chatham")

    def test_never_makes_a_daily_job_run_twice_or_not_at_all(self):
        code = f"""
import os, time
from collections import Counter
from datetime import UTC, datetime, timedelta
from jobs.scheduler import Planned
for zone in {(*self.ZONES, *self.MORE)!r}:
    os.environ["TZ"] = zone
    time.tzset()
    for planned, first, last in ((Planned("retention"), datetime(2025, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)),
                                 (Planned("verify", None, timedelta(minutes=5)), datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC))):
        trigger, fired = planned.trigger(), [first]
        while (at := trigger.get_next_fire_time(fired[-1], fired[-1] + timedelta(seconds=1))) < last:
            fired.append(at)
        fired = fired[planned.every is None:]
        days = Counter(moment.astimezone(UTC).date() for moment in fired)
        print(zone, planned.job, len(days), sorted(set(days.values())), {{(b - a).total_seconds() for a, b in zip(fired, fired[1:])}})
"""
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        lines = done.stdout.splitlines()
        assert len(lines) == 16
        for line in lines:
            expected = "retention 1461 [1] {86400.0}" if "retention" in line else "verify 3 [288] {300.0}"
            assert line.endswith(expected), line


class TestGaps:
    """E3: what was missed runs once, and the gap is noted."""

    @pytest.mark.parametrize("gap", [timedelta(hours=3), timedelta(days=3)])
    def test_are_one_run_at_once_and_then_the_usual_rhythm(self, gap):
        plan = Planned("pull", "crm", timedelta(minutes=15))
        first = plan.first(NOON - gap, NOON)
        assert first == NOON
        assert plan.trigger().get_next_fire_time(first, first + timedelta(seconds=1)) == NOON + timedelta(minutes=15)
        assert plan.gap(NOON - gap, NOON) == gap

    def test_that_are_none_change_nothing(self):
        plan = Planned("pull", "crm", timedelta(minutes=15))
        assert plan.first(NOON - timedelta(minutes=5), NOON) == NOON + timedelta(minutes=10)
        assert plan.gap(NOON - timedelta(minutes=16), NOON) is None
        assert plan.first(None, NOON) == NOON
        assert plan.first(NOON + timedelta(days=700), NOON) == NOON, "the clock was ahead when it ran last"

    @pytest.mark.parametrize(
        ("last", "due"),
        [
            (None, datetime(2026, 11, 24, 3, 10, tzinfo=UTC)),
            (datetime(2026, 11, 23, 3, 10, 5, tzinfo=UTC), datetime(2026, 11, 24, 3, 10, tzinfo=UTC)),
            (datetime(2026, 11, 22, 3, 10, 5, tzinfo=UTC), NOON),
            (datetime(2026, 11, 1, tzinfo=UTC), NOON),
        ],
    )
    def test_of_a_daily_job_are_made_up_for_once(self, last, due):
        assert Planned("retention").first(last, NOON) == due

    @pytest.mark.parametrize("gap", [timedelta(hours=3), timedelta(days=3)])
    def test_of_a_machine_that_slept_are_one_call(self, make_house: MakeHouse, tmp_path, gap):
        calls: list[str] = []
        house = make_house(feeds(tmp_path, "15m"))
        clockwork = scheduler.build(house, home.clock(), lambda plan: calls.append(plan.key), lambda: None)
        clockwork.start(paused=True)
        clockwork.modify_job("pull.crm", next_run_time=home.clock() - gap)
        clockwork.resume()
        wait_for(lambda: calls.count("pull.crm"))
        time.sleep(1)
        upcoming = clockwork.get_job("pull.crm").next_run_time
        clockwork.shutdown()
        assert calls.count("pull.crm") == 1
        assert timedelta(0) < upcoming - home.clock() <= timedelta(minutes=15)

    def test_are_noted_in_the_job_run(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path, "15m"))
        long_ago = home.clock() - timedelta(hours=3)
        with house.store.write() as session:
            session.add(JobRun(id=str(ULID()), job="pull", feed="crm", started_at=long_ago, status="ok", counts={}))
        with working(house):
            caught_up = wait_for(lambda: [r for r in runs(house, feed="crm") if (r.counts or {}).get("gap_seconds")])
            time.sleep(2.5)
        assert len(runs(house, feed="crm")) == 2
        assert caught_up[0].counts["gap_seconds"] == pytest.approx(3 * 3600, abs=30)


class TestAHungConnector:
    """E4: a server that accepts and never answers."""

    @pytest.fixture
    def silent(self) -> Iterator[int]:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(8)
            yield server.getsockname()[1]

    def test_does_not_keep_others_from_starting_on_time(self, make_house: MakeHouse, tmp_path, silent):
        settings = feeds(tmp_path, "2s", ("crm", "erp"))
        (tmp_path / "token").write_text("t")
        hung = {"name": "hung", "connector": "scim", "base_url": f"http://127.0.0.1:{silent}/", "every": "2s"}
        settings["application"].insert(0, {**hung, "token": {"file": "token"}})
        house = make_house(settings)
        with working(house, hung_s=4.0):
            wait_for(lambda: runs(house, "detect"))
            wait_for(lambda: [run for run in runs(house, feed="hung") if run.finished_at])
            wait_for(lambda: len(runs(house, feed="erp")) >= 5)
        for feed in ("hr", "crm", "erp"):
            starts = [run.started_at for run in runs(house, feed=feed)]
            late = max((b - a).total_seconds() - 2 for a, b in pairwise(starts))
            assert late < 5
        tries = runs(house, feed="hung")
        assert len(tries) == 1  # never two at a time
        assert (tries[0].status, "did not end within 4 s" in tries[0].error) == ("failed", True)
        with house.store.read() as session:
            found = session.exec(select(Finding.account_id).where(Finding.rule == "ghost")).all()
        assert set(found) == {"a2"}
