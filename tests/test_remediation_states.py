"""The states of a remediation, in any order that people, applications and time may bring about."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
from acting import OTTO, SAM, SETTINGS, SUE, TOM, Ground, account
from conftest import NOW
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace
from sqlmodel import col, select

from governance import audit, remediation
from governance.errors import DecisionError, RemediationError, Unavailable
from governance.house import House
from governance.settings import parse
from governance.store import open_store
from governance.tables import Finding, Remediation, Snapshot
from jobs import remediate, verify

LIVE = {"proposed", "approved", "scheduled", "executing", "executed"}
# From one status to the next, one step of a person or of a job at a time; a run goes several at once.
NEXT = {
    "proposed": {"approved", "executing", "rejected", "cancelled"},
    "approved": {"executing", "executed", "verified", "expired", "failed", "cancelled"},
    "executing": {"approved", "executed", "verified", "failed", "cancelled"},
    "executed": {"verified", "undone"},
    "verified": {"undone"},
    "rejected": set(),
    "cancelled": set(),
    "expired": set(),
    "failed": set(),
    "undone": set(),
}
PEOPLE = st.sampled_from([SAM, SUE, TOM])
ACCOUNTS = [
    ("crm", "a1"),
    ("crm", "a2"),
    ("crm", "a3"),
    ("wiki", "w1"),
    ("paper", "p1"),
    ("crm", "sue"),
    ("crm", "root"),
]
WHICH = st.sampled_from(ACCOUNTS)


class Life(RuleBasedStateMachine):
    """Seven accounts, three people of the security team, the owner of one application, and everything that happens."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="lw-life-"))
        store = open_store("sqlite:///leaverwatch.db", self.home, NOW)
        (self.home / "snapshots").mkdir()
        house = House(self.home, parse(SETTINGS), store, self.home / "snapshots", {})
        self.ground = Ground(house, NOW)
        self.prints = dict(zip(ACCOUNTS, self.ground.stand([account(*key) for key in ACCOUNTS]), strict=True))
        self.now = NOW
        self.was: dict[str, str] = {}
        self.snapshots = 0
        self.ground.applications.before = self._watch

    def teardown(self) -> None:
        assert audit.verify(self.ground.house.store).ok
        self.ground.house.store.close()
        shutil.rmtree(self.home)

    def _watch(self, verb: str, application: str, account_id: str) -> None:
        """At the moment of every call: there is an intent for it, the approval holds, nobody decided about themselves."""
        if verb != "deactivate":
            return
        assert (application, account_id) not in {("crm", "root"), ("paper", "p1")}
        assert self.ground.applications.accounts[application, account_id].active is True
        mine = [
            r for r in self.rows() if (r.application, r.account_id, r.status) == (application, account_id, "executing")
        ]
        assert len(mine) == 1
        (r,) = mine
        assert self.ground.audited(r.id).count("deactivate") == r.attempts >= 1
        assert r.expires_at is not None
        assert self.now < r.expires_at
        assert r.approved_by not in (None, r.proposed_by)
        assert account_id != "sue" or SUE.email not in (r.proposed_by, r.approved_by)

    def rows(self) -> list[Remediation]:
        with self.ground.house.store.read() as session:
            return list(session.exec(select(Remediation).order_by(col(Remediation.id))).all())

    def try_to(self, do: Callable[[], Any]) -> None:
        with suppress(DecisionError, RemediationError):
            do()

    def some(self, key: tuple[str, str], *statuses: str) -> list[str]:
        return [r.id for r in self.rows() if (r.application, r.account_id) == key and r.status in statuses]

    @initialize(keys=st.sets(WHICH, min_size=2))
    def some_are_approved(self, keys: set[tuple[str, str]]) -> None:
        for key in sorted(keys):
            self.propose_and_approve(SAM, key)

    # What people do

    @rule(actor=PEOPLE, key=WHICH)
    def propose(self, actor: Any, key: tuple[str, str]) -> None:
        self.try_to(lambda: remediation.propose(self.ground.house, actor, self.now, [self.prints[key]], "why"))

    @rule(actor=PEOPLE, key=WHICH)
    def approve(self, actor: Any, key: tuple[str, str]) -> None:
        ids = self.some(key, "proposed")
        self.try_to(lambda: remediation.approve(self.ground.house, actor, self.now, ids, "why"))

    @rule(actor=PEOPLE, key=WHICH)
    def propose_and_approve(self, actor: Any, key: tuple[str, str]) -> None:
        self.propose(actor, key)
        for other in (SAM, SUE, TOM):
            self.approve(other, key)

    @rule(actor=PEOPLE, key=WHICH)
    def reject(self, actor: Any, key: tuple[str, str]) -> None:
        self.try_to(lambda: remediation.reject(self.ground.house, actor, self.now, self.some(key, *NEXT), "why"))

    @rule(actor=PEOPLE, key=WHICH)
    def withdraw(self, actor: Any, key: tuple[str, str]) -> None:
        self.try_to(lambda: remediation.cancel(self.ground.house, actor, self.now, self.some(key, *LIVE)))

    @rule()
    def claim(self) -> None:
        for id in self.some(("paper", "p1"), "executing"):
            remediation.done(self.ground.house, OTTO, self.now, id)

    @rule(actor=PEOPLE, key=WHICH)
    def undo(self, actor: Any, key: tuple[str, str]) -> None:
        house, connect = self.ground.house, self.ground.applications.connect
        for id in self.some(key, "executed", "verified")[-1:]:
            with suppress(DecisionError, RemediationError):
                remediate.undo(house, connect, self.now, actor, id)

    # What the jobs do

    @rule()
    def run(self) -> None:
        remediate.run(self.ground.house, self.ground.applications.connect, self.now)

    @rule()
    def rehearse(self) -> None:
        before = self.ground.applications.writes()
        foreseen = remediate.run(self.ground.house, self.ground.applications.connect, self.now, dry_run=True)
        assert self.ground.applications.writes() == before
        if self.ground.applications.lie:
            return
        done = {
            o.id: (o.status, o.call)
            for o in remediate.run(self.ground.house, self.ground.applications.connect, self.now)
        }
        for outcome in foreseen:
            if outcome.status == "planned":
                assert done[outcome.id] == ("verified", True)
            elif outcome.status == "verified":
                assert done[outcome.id] == ("verified", False)

    @rule(nth=st.integers(1, 3), late=st.booleans())
    def run_cut_short(self, nth: int, late: bool) -> None:
        calls = self.ground.applications
        seen = 0

        def cut(verb: str, application: str, account_id: str) -> None:
            nonlocal seen
            seen += 1
            if seen == nth:
                raise KeyboardInterrupt

        def cut_before(verb: str, application: str, account_id: str) -> None:
            cut(verb, application, account_id)
            self._watch(verb, application, account_id)

        if late:
            calls.after = cut
        else:
            calls.before = cut_before
        try:
            self.run()
        except KeyboardInterrupt:
            pass
        finally:
            calls.before, calls.after = self._watch, lambda *_: None

    @rule()
    def run_while_the_application_is_away(self) -> None:
        def refuse(*_: str) -> None:
            raise Unavailable("503")

        self.ground.applications.before = refuse
        self.run()
        self.ground.applications.before = self._watch

    @rule()
    def verify(self) -> None:
        verify.run(self.ground.house, self.ground.applications.connect, self.now)

    @rule(key=WHICH)
    def pull(self, key: tuple[str, str]) -> None:
        application, self.snapshots = key[0], self.snapshots + 1
        own = {a: s for (name, a), s in self.ground.applications.accounts.items() if name == application}
        folder = self.home / "snapshots" / application / str(self.snapshots)
        folder.mkdir(parents=True)
        rows = [{"account_id": a, "active": s.active, "present": True} for a, s in own.items()]
        pl.DataFrame(rows, schema={"account_id": pl.String, "active": pl.Boolean, "present": pl.Boolean}).write_parquet(
            folder / "accounts.parquet"
        )
        with self.ground.house.store.write() as session:
            session.add(
                Snapshot(
                    id=f"{application}-{self.snapshots}",
                    feed=application,
                    kind="application",
                    at=self.now + timedelta(seconds=self.snapshots),
                    pulled_at=self.now,
                    status="published",
                    path=f"{application}/{self.snapshots}",
                )
            )
        remediation.settle_by_snapshot(self.ground.house, self.now, application)

    @rule()
    def detect(self) -> None:
        """What holds is open again, what does not is resolved; those in remediation wait."""
        with self.ground.house.store.write() as session:
            for finding in session.exec(select(Finding)):
                active = self.ground.applications.accounts.get((finding.application or "", finding.account_id or ""))
                if finding.status == "resolved" and active is not None and active.active:
                    finding.status, finding.resolved_why, finding.resolved_at = "open", None, None
                elif finding.status == "open" and (active is None or active.active is False):
                    finding.status, finding.resolved_why = "resolved", "inactive"
                session.add(finding)

    # What the world does

    @rule(hours=st.sampled_from([1, 24, 60]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(key=WHICH, active=st.booleans())
    def somebody_switches_it(self, key: tuple[str, str], active: bool) -> None:
        accounts = self.ground.applications.accounts
        if key in accounts:
            accounts[key] = replace(accounts[key], active=active)

    @rule(key=st.sampled_from([("crm", "a3"), ("wiki", "w1")]))
    def somebody_removes_it(self, key: tuple[str, str]) -> None:
        self.ground.applications.accounts.pop(key, None)

    @rule(lie=st.booleans())
    def the_application_lies(self, lie: bool) -> None:
        self.ground.applications.lie = lie

    @rule(key=WHICH)
    def the_facts_change(self, key: tuple[str, str]) -> None:
        self.ground.change_finding(self.prints[key], digest=f"seen at {self.now} {len(self.was)}")

    # What always holds

    @invariant()
    def every_step_is_one_that_exists(self) -> None:
        for r in self.rows():
            before = self.was.get(r.id, "proposed")
            reachable = {before}
            for _ in range(4):
                reachable |= {after for status in reachable for after in NEXT[status]}
            assert r.status in reachable, (before, r.status)
            self.was[r.id] = r.status

    @invariant()
    def a_finding_is_in_remediation_exactly_while_one_lives(self) -> None:
        with self.ground.house.store.read() as session:
            findings = session.exec(select(Finding)).all()
        living = [r.finding for r in self.rows() if r.status in LIVE]
        assert len(living) == len(set(living))
        assert {f.fingerprint for f in findings if f.status == "in_remediation"} == set(living)

    @invariant()
    def verified_says_what_was_read(self) -> None:
        for r in self.rows():
            if r.status == "verified":
                found = r.evidence["read_back"]
                assert found["gone"] or found["active"] is False
                assert r.verified_at is not None
                assert self.ground.audited(r.id).count("verified") == 1

    @invariant()
    def nothing_happened_without_its_intent(self) -> None:
        intents = [f["account_id"] for line, f in self.ground.audit() if line.verb in ("deactivate", "reactivate")]
        for account_id in set(self.ground.applications.writes()):
            assert self.ground.applications.writes().count(account_id) <= intents.count(account_id)


TestLife = Life.TestCase
TestLife.settings = hypothesis_settings(max_examples=25, stateful_step_count=30, deadline=None, derandomize=True)
