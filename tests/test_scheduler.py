"""What runs when (FAULTS E2-E4): daylight saving changes nothing, a gap is one run, a hang blocks nobody."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import MakeHouse
from sqlmodel import col, select
from ulid import ULID

from connectors.sandbox.scim_server import ScimSandbox
from governance import remediation
from governance.access import Actor
from governance.findings import ask
from governance.house import House
from governance.tables import Finding, JobRun, Pull, Remediation, Request
from jobs import home, scheduler, work
from jobs.scheduler import Planned
from jobs.worker import Worker, serve

ROOT = Path(__file__).resolve().parent.parent
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HR = "employee_id,status,work_email,termination_date\n1,active,a@x.example,\n2,terminated,b@x.example,2026-01-31\n"
CRM = "account_id,username,status,employee_id\na1,a,active,1\na2,b,active,2\n"
ADMIN = Actor(email="admin@x.example", name="A", roles=frozenset({"admin"}))
SECURITY = Actor(email="sec@x.example", name="S", roles=frozenset({"security"}))


def feeds(folder: Path, every: str = "1s", applications: tuple[str, ...] = ("crm",)) -> dict:
    (folder / "hr.csv").write_text(HR)
    (folder / "crm.csv").write_text(CRM)
    return {
        "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv", "date_format": "%Y-%m-%d", "every": every}],
        "application": [
            {"name": name, "connector": "app_csv", "path": "crm.csv", "every": every} for name in applications
        ],
    }


def runs(house: House, job: str = "pull", feed: str | None = None) -> list[JobRun]:
    wanted = select(JobRun).where(JobRun.job == job).order_by(col(JobRun.started_at))
    with house.store.read() as session:
        return list(session.exec(wanted.where(JobRun.feed == feed) if feed else wanted).all())


def wait_for(what, seconds: float = 60.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {seconds} s")


@contextmanager
def working(house: House, **options) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(house, stop), kwargs={"environ": {}, **options})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def plan_of(house: House, job: str) -> datetime:
    """When this job is due first after a start."""
    clockwork = scheduler.build(house, home.clock(), lambda plan: None, lambda: None)
    clockwork.start(paused=True)
    try:
        return clockwork.get_job(job).next_run_time
    finally:
        clockwork.shutdown()


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


class TestTheWorker:
    def test_goes_on_when_the_clock_was_ahead_and_is_set_right(self, make_house: MakeHouse, tmp_path):
        house, stop, ahead = make_house(feeds(tmp_path, every="15m")), threading.Event(), [timedelta(days=3)]
        ask(house, ADMIN, home.clock(), "pull", {"feeds": ["crm"]})
        worker = Worker(house, {}, clock=lambda: home.clock() + ahead[0])
        thread = threading.Thread(target=worker.run, args=(stop,))
        thread.start()
        try:
            time.sleep(1.0)
            assert not runs(house), "nothing is due before a time that has not come yet"
            ahead[0] = timedelta(0)
            wait_for(lambda: {run.status for run in runs(house, feed="crm")} == {"ok"}, 20)
            wait_for(lambda: runs(house, "detect"), 20)
        finally:
            stop.set()
            thread.join(20)

    @pytest.mark.alone
    def test_does_what_was_asked_within_five_seconds(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path, "30m"))
        with working(house):
            wait_for(lambda: runs(house, "detect"))
            for verb in ("pull", "detect"):
                asked = ask(house, ADMIN, home.clock(), verb, {"feeds": ["crm"]} if verb == "pull" else {})
                done = wait_for(lambda id=asked.id: self.finished(house, id), 10)
                assert (done.status, done.error) == ("done", None)
                assert (done.finished_at - done.at).total_seconds() <= 5
        assert {run.by for run in runs(house, feed="crm")} == {"scheduler", "admin@x.example"}
        assert len(runs(house, feed="hr")) == 1

    def test_judges_at_once_what_was_read_before_it_was_stopped(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path))
        work.pull(house, [], environ={})
        work.detect(house)
        assert not scheduler.unjudged(house)
        hour = plan_of(house, "detect") - home.clock()
        assert timedelta(minutes=59) < hour <= timedelta(hours=1)
        work.pull(house, ["crm"], environ={})
        assert scheduler.unjudged(house)
        assert plan_of(house, "detect") <= home.clock()

    def test_starts_nothing_more_once_it_is_stopped(self, make_house: MakeHouse, tmp_path):
        worker = Worker(make_house(feeds(tmp_path)), {})
        home.announce(worker.house, home.clock())
        stop = threading.Event()
        stop.set()
        worker.run(stop)  # what is due at its start has begun before, and ends
        before = runs(worker.house, feed="crm")
        worker.due(Planned("pull", "crm"))
        assert (worker.lanes.busy(), runs(worker.house, feed="crm")) == ({}, before)

    def test_a_detect_run_somebody_asks_for_is_the_one_that_was_due(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path))
        home.announce(house, home.clock())
        work.pull(house, [], environ={})
        worker = Worker(house, {})
        worker.due(Planned("detect"))
        asked = ask(house, ADMIN, home.clock(), "detect", {})
        worker.tick()
        wait_for(lambda: self.finished(house, asked.id))
        wait_for(lambda: "detect" not in worker.lanes.busy())
        worker.tick()
        assert "detect" not in worker.lanes.busy()
        assert len(runs(house, "detect")) == 1

    def finished(self, house: House, id: str) -> Request | None:
        with house.store.read() as session:
            row = session.get_one(Request, id)
            return row if row.finished_at else None

    def test_finds_a_leaver_at_the_instant_they_leave_without_any_pull(self, make_house: MakeHouse, tmp_path):
        ahead = 8
        while not self.found_at_that_instant(make_house, tmp_path / str(ahead), timedelta(seconds=ahead)):
            ahead *= 2

    def found_at_that_instant(self, make_house: MakeHouse, folder: Path, ahead: timedelta) -> bool:
        """Somebody leaves that far ahead. False where a busy machine has not judged what it read before that."""
        folder.mkdir()
        told = feeds(folder, "30m")
        del told["source"][0]["date_format"]
        house = make_house(told, folder)
        end = home.clock().replace(microsecond=0) + ahead
        (folder / "hr.csv").write_text(f"employee_id,status,termination_date\n1,active,{end:%Y-%m-%dT%H:%M:%SZ}\n")
        (folder / "crm.csv").write_text("account_id,employee_id,status\na1,1,active\n")

        def ghosts() -> list[Finding]:
            with house.store.read() as session:
                return list(session.exec(select(Finding).where(Finding.rule == "ghost")))

        with working(house):
            wait_for(lambda: runs(house, "detect"))
            wait_for(lambda: work.next_end(house) == end or home.clock() > end)
            before = ghosts()
            if home.clock() > end and ahead < timedelta(minutes=1):
                return False
            assert before == []
            wait_for(ghosts, 30)
            assert home.clock() - end < timedelta(seconds=15)
            judged = len(runs(house, "detect"))
            time.sleep(5)
            assert len(runs(house, "detect")) == judged, "one run for each end"
        assert len(runs(house, feed="hr")) == 1
        return True

    def test_says_why_what_was_asked_failed(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path, "30m"))
        (tmp_path / "hr.csv").unlink()
        with working(house):
            asked = ask(house, ADMIN, home.clock(), "pull", {"feeds": ["hr"]})
            done = wait_for(lambda: self.finished(house, asked.id))
        assert done.status == "failed"
        assert "hr" in done.error

    def test_closes_what_a_killed_worker_left_open_and_does_it_again(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path, "30m"))
        then = home.clock() - timedelta(minutes=1)
        with house.store.write() as session:
            session.add(JobRun(id="01J", job="pull", feed="crm", started_at=then, status="running", counts={}))
            session.add(Pull(id="01J", feed="crm", at=then, started_at=then, status="running"))
            session.add(Request(id="01R", at=then, actor="sec@x.example", verb="detect", arguments={}, status="doing"))
        with working(house):
            wait_for(lambda: self.finished(house, "01R"))
        with house.store.read() as session:
            assert session.get_one(JobRun, "01J").status == "failed"
            assert session.get_one(Pull, "01J").status == "failed"
            assert session.get_one(Request, "01R").status == "done"

    def test_detects_once_for_pulls_that_end_together(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path, "30m", ("crm", "erp", "hcm")))
        with working(house):
            wait_for(lambda: len([r for r in runs(house) if r.finished_at]) == 4)
            time.sleep(5)
        assert len([run for run in runs(house, "detect") if run.status == "ok"]) <= 2


class TestWhatWasApproved:
    """Approved is verified within five seconds, without anybody starting a run; an undo is asked for and done."""

    @pytest.fixture
    def wiki(self) -> Iterator[ScimSandbox]:
        people = [
            {"userName": f"{name}@x.example", "active": True, "externalId": n} for n, name in (("1", "a"), ("2", "b"))
        ]
        with ScimSandbox(people, token="t") as server:
            yield server

    @pytest.mark.alone
    def test_is_carried_out_and_undone_on_request(self, make_house: MakeHouse, tmp_path, wiki):
        (tmp_path / "token").write_text("t")
        token = {"file": "token"}
        settings = feeds(tmp_path, "30m")
        settings["application"] = [
            {"name": "wiki", "connector": "scim", "base_url": wiki.url, "token": token, "write_token": token}
        ]
        settings["act"] = {"enabled": True}
        settings["actor"] = [
            {"email": "sec@x.example", "roles": ["security"]},
            {"email": "app@x.example", "roles": ["approver"]},
        ]
        house = make_house(settings)
        with working(house):
            wait_for(lambda: [run for run in runs(house, "detect") if run.status == "ok"])
            with house.store.read() as session:
                ghost = session.exec(select(Finding).where(Finding.rule == "ghost")).one()
            second = home.actor_named(house, "app@x.example")
            (proposed,) = remediation.propose(house, SECURITY, home.clock(), [ghost.fingerprint], "left")
            remediation.approve(house, second, home.clock(), [proposed.id], "yes")
            approved = time.monotonic()
            wait_for(lambda: self.status(house, proposed.id) == "verified")
            assert time.monotonic() - approved <= 5
            assert wiki.users[str(ghost.account_id)]["active"] is False
            ask(house, SECURITY, home.clock(), "remediate", {"undo": proposed.id})
            wait_for(lambda: self.status(house, proposed.id) == "undone")
            assert wiki.users[str(ghost.account_id)]["active"] is True
        assert len(runs(house, "remediate")) == 2

    def status(self, house: House, id: str) -> str:
        with house.store.read() as session:
            return session.get_one(Remediation, id).status


class TestLeases:
    def test_of_a_pull_are_waited_for(self, make_house: MakeHouse, tmp_path):
        house = make_house(feeds(tmp_path))
        with house.store.lease("pull-crm") as held:
            assert held
            results: list = []
            thread = threading.Thread(target=lambda: results.extend(work.pull(house, ["crm"], "t", environ={})))
            thread.start()
            time.sleep(0.5)
            assert not results
        thread.join(20)
        assert [result.status for result in results] == ["published"]
