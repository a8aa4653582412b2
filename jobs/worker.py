"""The worker: holds the lease, pulls by the clock, detects after pulls, carries out what was approved and asked for."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from apscheduler.schedulers.background import BackgroundScheduler
from sqlmodel import col, select

from governance import mappings, policies
from governance.configuring import VERB, newest_change
from governance.errors import GuardStopped, LeaverwatchError, StoreError
from governance.house import House
from governance.store import Contender, LeaseLost
from governance.store.chain import clean
from governance.tables import JobRun, Request, RunHold
from governance.views.freshness import quarantined
from jobs import home, remind, scheduler, work
from jobs.configuring import renewal
from jobs.lanes import Lanes
from jobs.pull import mark_interrupted

log = logging.getLogger("leaverwatch.worker")

LEASE: Final = "worker"
ACTING: Final = ("acting", "calls")  # leases that a silent worker keeps: it may stand just before a call
IDLE_S: Final = 1.0  # how often a second worker looks whether the first is gone
SILENT_S: Final = 30.0  # a worker that lives but gives no sign of it for so long is passed over
DEADLINE_S: Final = 300.0  # of work that is no pull
LATE_S: Final = 30.0  # how much longer than its deadline a pull may take before it is given up
QUARANTINE: Final = timedelta(days=1)  # how often a feed is tried whose credential is refused again and again
RETRY_S: Final = 300.0  # the same approved remediations are not tried again sooner
ROOM_S: Final = 15.0  # but so soon after the store could not take them: somebody may have made room
TOGETHER_S: Final = 5.0  # how long a detect run waits for other pulls
BACK: Final = timedelta(seconds=5)  # a clock that was set back by more makes everything planned wait for nothing
STOP_S: Final = 10.0  # how long running work may take to end when the worker is stopped


def serve(
    house: House,
    stop: threading.Event,
    environ: Mapping[str, str] = os.environ,
    hung_s: float | None = None,
    silent_s: float = SILENT_S,
) -> None:
    """Work until `stop` is set. Only one worker of a store works; the others wait and take over within seconds.

    Who works does so behind a fence: once another has taken the lease, nothing it writes is accepted any more, so it
    can start no run. It says so and waits its turn like the others.
    """
    contender, said = Contender(house.store, LEASE, silent_s, left=ACTING), ""
    while not stop.is_set():
        words, level = "waits: another worker holds the lease", logging.INFO
        try:
            with contender.take(home.clock()) as fence:
                if fence is not None:
                    log.info("worker %d holds the lease (token %d)", os.getpid(), fence.token)
                    said = ""
                    house = renewal(environ)(house)
                    mine = replace(house, store=house.store.fenced(fence))
                    Worker(mine, environ, hung_s, beat=partial(contender.beat, fence)).run(stop)
                    return
        except LeaseLost as lost:
            said = ""
            log.warning("worker %d stops working and waits its turn: %s", os.getpid(), lost)
        except StoreError as error:  # the store may be back in a moment
            words, level = f"waits: {error}", logging.WARNING
        if words != said:
            log.log(level, "worker %d %s", os.getpid(), words)
            said = words
        stop.wait(IDLE_S)


class Worker:
    """One run of the worker while it holds the lease.

    Work runs in lanes: one piece at a time in each, and none waits for another lane.
    """

    def __init__(
        self,
        house: House,
        environ: Mapping[str, str],
        hung_s: float | None = None,
        beat: Callable[[], None] = lambda: None,
        clock: Callable[[], datetime] = home.clock,
    ) -> None:
        self.clock = clock
        self.house = house
        self.environ = environ
        self.hung_s = hung_s
        self.beat = beat
        self.silenced = ""  # why the last sign of life could not be given
        self.lanes = Lanes()
        self.detect_wanted: float | None = None  # since when
        self.judged_end: datetime | None = None  # the announced end for which a detect run was last asked
        self.tried: tuple[object, float] = ((), 0.0)
        self.given_up: set[str] = set()
        self.renew = renewal(environ)
        self.reconfigured = threading.Event()  # a page or the command line changed the settings
        self.newest = newest_change(house.store)

    def run(self, stop: threading.Event) -> None:
        """Schedule and work until `stop` is set; then let running work end. LeaseLost when another took over."""
        now = self.clock()
        home.announce(self.house, now)
        self.clear_up()
        clockwork = scheduler.build(self.house, now, self.due, self.tick)
        clockwork.start()
        planned_by = now - timedelta(seconds=time.monotonic())  # the clock against one that nobody sets
        try:
            while not stop.wait(0.5):
                if self.lanes.lost is not None:
                    raise self.lanes.lost
                seen = self.clock() - timedelta(seconds=time.monotonic())
                if planned_by - seen > BACK and (anew := self._planned_anew(planned_by - seen)) is not None:
                    clockwork.shutdown(wait=False)
                    clockwork, planned_by = anew, seen
                    clockwork.start()
                planned_by = max(planned_by, seen)
                if self.reconfigured.is_set() and (anew := self._with_new_settings()) is not None:
                    clockwork.shutdown(wait=False)
                    clockwork = anew
                    clockwork.start()
        finally:
            clockwork.shutdown(wait=False)
            self.lanes.shut()
            until = time.monotonic() + STOP_S
            for lane, since in self.lanes.busy().items() if self.lanes.lost is None else ():
                if time.monotonic() < since + self._patience(lane):
                    self.lanes.join(lane, until - time.monotonic())
            log.info("worker %d stopped", os.getpid())

    def _planned_anew(self, back: timedelta) -> BackgroundScheduler | None:
        """A clockwork for the time as it is now: by the one before, nothing is due before a time yet to come."""
        try:
            anew = scheduler.build(self.house, self.clock(), self.due, self.tick)
        except StoreError as error:
            log.warning("the clock was set back, and what is due waits: %s", error)
            return None
        log.warning("the clock was set back by %.0f s: everything is planned anew", back.total_seconds())
        return anew

    def _with_new_settings(self) -> BackgroundScheduler | None:
        """A clockwork for the settings as they are now; what runs goes on. None while the store does not answer."""
        try:
            house, now = self.renew(self.house), self.clock()
            home.audit_act(house, now)
            policies.note(house, now)
            mappings.note(house, now)
            anew = scheduler.build(house, now, self.due, self.tick)
        except StoreError as error:
            log.warning("the new settings wait: %s", error)
            return None
        self.reconfigured.clear()
        self.house = house
        log.info("the settings were changed and are in force: %d feeds", len(house.settings.feeds))
        return anew

    def due(self, plan: scheduler.Planned) -> None:
        """Start a planned job in its lane; one that is still running is not started twice."""
        if plan.job == "pull" and plan.feed:
            refused = quarantined(self.house, plan.feed)
            if refused is not None and refused.started_at > self.clock() - QUARANTINE:
                return
            self.lanes.start(f"pull.{plan.feed}", lambda: self._pull(plan))
        elif plan.job == "detect":
            self._want_detect()
        elif plan.job == "verify":
            if work.unproved(self.house):
                self.lanes.start("acting", lambda: work.verify(self.house, environ=self.environ))
        elif plan.job == "remind":
            self.lanes.start("remind", self._remind)
        else:
            self.lanes.start("retention", lambda: work.retention(self.house))

    def _remind(self) -> None:
        remind.run(self.house, work.SCHEDULER, self.environ, self.clock())

    def tick(self) -> None:
        """What is looked at every two seconds: the lease, requests, approvals, a detect run after pulls, hung pulls."""
        self.lanes.start("lease", self._live)
        self._take_requests()
        if approved := work.approved(self.house):
            self._act(approved)
        self._detect_when_somebody_leaves()
        self._detect_after_pulls()
        self._give_up_hung()
        self._tidy()

    def _live(self) -> None:
        """Give a sign of life. That the store can't take it is said once, and once that it can again."""
        try:
            self.beat()
        except LeaseLost:
            raise
        except StoreError as error:
            if str(error) != self.silenced:
                log.warning("no sign of life: %s", error)
            self.silenced = str(error)
        else:
            if self.silenced:
                log.info("the store takes what is written again")
            self.silenced = ""

    def _pull(self, plan: scheduler.Planned) -> None:
        gap = plan.gap(scheduler.last_runs(self.house).get(("pull", plan.feed)), self.clock())
        try:
            work.pull(self.house, [str(plan.feed)], environ=self.environ, incremental=True)
            if gap is not None:
                work.note_gap(self.house, str(plan.feed), gap)
        finally:
            self._want_detect()
            self._detect_after_pulls()

    def _detect_when_somebody_leaves(self) -> None:
        """An announced end passes without any pull: judge anew at once, one time for each such instant."""
        end = work.next_end(self.house)
        if end is not None and end <= self.clock() and end != self.judged_end:
            self.judged_end = end
            self._want_detect()

    def _want_detect(self) -> None:
        self.detect_wanted = self.detect_wanted or time.monotonic()

    def _detect_after_pulls(self) -> None:
        """One detect run for all pulls that end together; pulls that take longer are not waited for."""
        wanted = self.detect_wanted
        if wanted is None:
            return
        pulling = any(lane.startswith("pull.") for lane in self.lanes.busy())
        if pulling and time.monotonic() < wanted + TOGETHER_S:
            return
        self.detect_wanted = None
        if not self.lanes.start("detect", lambda: work.detect(self.house)):
            self.detect_wanted = wanted

    def _act(self, approved: tuple[str, ...]) -> None:
        """Carry out what is approved; what a guard stopped or failed is not tried again until something changed."""
        with self.house.store.read() as session:
            released = session.exec(select(RunHold.id).where(RunHold.status == "released")).all()
        key, (tried, at) = (approved, tuple(released)), self.tried
        if key == tried and time.monotonic() < at + RETRY_S:
            return

        def act() -> None:
            try:
                work.remediate(self.house, environ=self.environ)
            except GuardStopped:
                self.tried = (key, float("inf"))
                raise
            except StoreError:
                self.tried = (key, time.monotonic() - RETRY_S + ROOM_S)
                raise

        before, self.tried = self.tried, (key, time.monotonic())
        if not self.lanes.start("acting", act):
            self.tried = before

    def _take_requests(self) -> None:
        """Start what was asked for, oldest first, one piece of each kind at a time."""
        with self.house.store.read() as session:
            waiting = session.exec(select(Request).where(Request.status == "waiting").order_by(Request.id)).all()
        if (newest := newest_change(self.house.store)) != self.newest:
            self.newest = newest
            self.reconfigured.set()
        for request in waiting:
            detects = request.verb == "detect"  # in the lane of those after pulls: two at once would do the same twice
            lane = "detect" if detects else f"request.{request.verb}"
            started = self.lanes.start(lane, partial(self._answer, request))
            if started and detects:
                self.detect_wanted = None  # it judges what the pulls before it read

    def _answer(self, request: Request) -> None:
        with self.house.store.write() as session:
            row = session.get(Request, request.id)
            if row is None or row.status != "waiting":
                return
            row.status = "doing"
            session.add(row)
        status, error = "failed", "the worker was stopped"
        try:
            work.run(self.house, request.verb, request.arguments or {}, request.actor, self.environ)
            status, error = "done", ""
        except LeaverwatchError as problem:
            error = str(problem)
            raise
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
            raise
        finally:
            if request.verb == "pull":
                self._want_detect()
            with self.house.store.write() as session:
                row = session.get_one(Request, request.id)
                row.status, row.error, row.finished_at = status, clean(error) or None, self.clock()
                session.add(row)
            if request.verb == VERB and status == "done":
                self.newest = newest_change(self.house.store)
                self.reconfigured.set()

    def _give_up_hung(self) -> None:
        """Close the job run of a pull that does not end. Its feed waits until it does; the others go on."""
        for lane, since in self.lanes.busy().items():
            if not lane.startswith("pull.") or time.monotonic() < since + self._patience(lane):
                continue
            feed = lane.removeprefix("pull.")
            for run in self._running(feed):
                if run.id not in self.given_up:
                    self.given_up.add(run.id)
                    late = f"the pull did not end within {self._patience(lane):.0f} s"
                    error = f"{late}; {feed} is not read again until it does"
                    work.end_run(self.house, run.id, "failed", run.counts, error)
                    log.warning("%s: %s", lane, error)

    def _patience(self, lane: str) -> float:
        """How long the work of a lane may take."""
        if self.hung_s is not None:
            return self.hung_s
        feeds = {f"pull.{feed.name}": feed.deadline.total_seconds() for feed in self.house.settings.feeds}
        return feeds.get(lane, DEADLINE_S) + LATE_S

    def _running(self, feed: str) -> list[JobRun]:
        running = select(JobRun).where(JobRun.status == "running", JobRun.feed == feed, JobRun.job == "pull")
        with self.house.store.read() as session:
            return list(session.exec(running.order_by(col(JobRun.id))).all())

    def _tidy(self) -> None:
        """Close what the lanes could not close while the store refused their writes, once it takes them again."""
        if not self.lanes.untidy or self.silenced:
            return
        try:
            self.lanes.untidy = not self.lanes.while_idle(self.clear_up, but="lease")
        except LeaseLost as lost:
            self.lanes.lost = lost
        except StoreError as error:
            log.warning("job runs stay open: %s", error)

    def clear_up(self) -> None:
        """After a worker died: close the job runs it left open and ask again for what it was doing."""
        mark_interrupted(self.house, self.clock())
        with self.house.store.write() as session:
            for row in session.exec(select(Request).where(Request.status == "doing")):
                row.status = "waiting"  # every job may be done twice
                session.add(row)
