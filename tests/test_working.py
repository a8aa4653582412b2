"""What the worker does and when: what was asked, what was approved, what is due, and what another holds."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import MakeHouse
from sqlmodel import select
from worked import ADMIN, SECURITY, feeds, plan_of, runs, wait_for, working

from connectors.sandbox.scim_server import ScimSandbox
from governance import remediation
from governance.findings import ask
from governance.house import House
from governance.tables import Finding, JobRun, Pull, Remediation, Request
from jobs import home, scheduler, work
from jobs.scheduler import Planned
from jobs.worker import Worker


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

    def test_goes_by_its_own_clock_when_the_settings_are_changed(self, make_house: MakeHouse, tmp_path):
        text = '[[source]]\nname = "hr"\nconnector = "hr_csv"\npath = "hr.csv"\n'
        (tmp_path / "leaverwatch.toml").write_text(text)
        house, behind = make_house(feeds(tmp_path)), timedelta(days=3)
        worker = Worker(house, {}, clock=lambda: home.clock() - behind)
        clockwork = worker._with_new_settings()
        clockwork.start(paused=True)
        try:
            due = clockwork.get_job("pull.hr").next_run_time
        finally:
            clockwork.shutdown()
        assert timedelta(0) <= home.clock() - due - behind < timedelta(minutes=1)

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
