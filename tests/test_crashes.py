"""Cut short: whatever ends a run, at whatever point, no effect is without its intent and the next run ends right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from acting import SAM, SETTINGS, SUE, Ground, account
from conftest import NOW
from sqlmodel import Session

from governance import audit, remediation
from governance.errors import AuthenticationFailed, LeaverwatchError, NotSupported, RateLimited, StoreError, Unavailable
from governance.house import House
from governance.store import Store
from jobs import remediate, verify


class Killed(BaseException):
    """The process ends here."""


class Fragile(Store):
    """A store of which one write fails: before it begins, or when it would be committed."""

    def __init__(self, whole: Store, number: int, *, late: bool) -> None:  # the parts are those of `whole`
        self.__dict__.update(whole.__dict__)
        self.number, self.late, self.count = number, late, 0
        self.durable: list[bool] = []

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        self.count += 1
        self.durable.append(durable)
        if self.count == self.number and not self.late:
            raise StoreError("the disk is full")
        with super().write(durable=durable) as session:
            yield session
            if self.count == self.number:
                raise StoreError("the disk is full")


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    ground = Ground(house, NOW)
    prints = ground.stand([account("crm", "a1"), account("crm", "a2")])
    ids = [r.id for r in remediation.propose(house, SAM, NOW, prints, "left")]
    remediation.approve(house, SUE, NOW, ids, "agreed")
    return ground


def run(ground: Ground, hours: int) -> list[remediate.Outcome]:
    return remediate.run(ground.house, ground.applications.connect, NOW + timedelta(hours=hours))


def intents(ground: Ground) -> list[str]:
    return [facts["account_id"] for line, facts in ground.audit() if line.verb == "deactivate"]


def watch(ground: Ground) -> list[str]:
    """Notes each deactivation that hits an account which is off already: that would be a doubled effect."""
    doubled: list[str] = []

    def look(verb: str, application: str, account_id: str) -> None:
        if verb == "deactivate" and ground.applications.accounts[application, account_id].active is False:
            doubled.append(account_id)

    ground.applications.before = look
    return doubled


def converges(ground: Ground) -> None:
    """The next runs end right: both accounts are off, proved, each effect once and with its intent."""
    doubled = watch(ground)
    ground.applications.after = lambda *_: None
    for hours in range(2, 6):
        verify.run(ground.house, ground.applications.connect, NOW + timedelta(hours=hours))
        run(ground, hours)
    assert {r.status for r in rows(ground)} == {"verified"}
    assert {a.active for a in ground.applications.accounts.values()} == {False}
    assert doubled == []
    assert sorted(set(ground.applications.writes())) == ["a1", "a2"]
    assert audit.verify(ground.house.store).ok


def rows(ground: Ground) -> list[Any]:
    from sqlmodel import select

    from governance.tables import Remediation

    with ground.house.store.read() as session:
        return list(session.exec(select(Remediation)).all())


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("number", range(1, 7))
def test_without_a_record_nothing_is_done(ground: Ground, number: int, late: bool) -> None:
    """H1: the store fails at each of the six writes of this run; no effect without an intent that is on the disk."""
    whole = ground.house
    fragile = replace(whole, store=Fragile(whole.store, number, late=late))
    ground.applications.after = lambda verb, _, account_id: (
        None if verb == "read" else ground.applications.calls.append(("intents", *intents_of(ground, account_id)))
    )
    with pytest.raises(StoreError):
        remediate.run(fragile, ground.applications.connect, NOW + timedelta(hours=1))
    written = [call for call in ground.applications.calls if call[0] == "deactivate"]
    assert [call[2] for call in ground.applications.calls if call[0] == "intents"] == ["1"] * len(written)
    assert len(written) == (number + 1) // 3  # the writes of one: intent, executed, verified
    ground.applications.calls = [call for call in ground.applications.calls if call[0] != "intents"]
    converges(ground)


def test_the_intent_is_on_the_disk_before_the_call(ground: Ground) -> None:
    """Not even a power cut may take it back; the results that follow can be read again."""
    store = Fragile(ground.house.store, 0, late=False)
    remediate.run(replace(ground.house, store=store), ground.applications.connect, NOW + timedelta(hours=1))
    assert store.durable == [True, False, False] * 2


def intents_of(ground: Ground, account_id: str) -> tuple[str, str]:
    return account_id, str(intents(ground).count(account_id))


STEPS = [(verb, nth) for verb, times in (("read", 4), ("deactivate", 2)) for nth in range(1, times + 1)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("verb", "nth"), STEPS)
def test_a_run_that_is_killed_at_any_step_is_taken_up_again(ground: Ground, when: str, verb: str, nth: int) -> None:
    seen = 0

    def kill(step: str, application: str, account_id: str) -> None:
        nonlocal seen
        seen += step == verb
        if step == verb and seen == nth:
            raise Killed

    setattr(ground.applications, when, kill)
    with pytest.raises(Killed):
        run(ground, 1)
    assert set(ground.applications.writes()) <= set(intents(ground))
    converges(ground)


ERRORS: list[tuple[LeaverwatchError, str, str]] = [
    (RateLimited("wait", NOW + timedelta(hours=3)), "approved", "in_remediation"),
    (Unavailable("502"), "approved", "in_remediation"),
    (AuthenticationFailed("401"), "failed", "open"),
    (NotSupported("no"), "failed", "open"),
]


@pytest.mark.parametrize(("error", "status", "finding"), ERRORS)
@pytest.mark.parametrize("verb", ["read", "deactivate"])
def test_what_certainly_did_not_happen_is_tried_again_or_has_failed(
    ground: Ground, verb: str, error: LeaverwatchError, status: str, finding: str
) -> None:
    def refuse(step: str, application: str, account_id: str) -> None:
        if step == verb and account_id == "a1":
            raise error

    ground.applications.before = refuse
    outcomes = run(ground, 1)
    busy = isinstance(error, RateLimited | Unavailable)
    assert [o.status for o in outcomes] == [status, "approved" if busy else "verified"]
    assert ground.finding("ghost|crm|a1").status == finding
    r = next(r for r in rows(ground) if r.account_id == "a1")
    assert type(error).__name__ in r.error
    if busy:
        retry = [o.account_id for o in run(ground, 1)]
        assert "a1" not in retry  # it was asked to wait
        converges(ground)


def test_an_answer_that_was_lost_is_looked_up_and_not_asked_for_again(ground: Ground) -> None:
    """The call went through, the answer did not: the account says so."""

    def lose(step: str, application: str, account_id: str) -> None:
        if step == "deactivate":
            raise Unavailable("no answer within 30 s")

    ground.applications.after = lose
    assert [o.status for o in run(ground, 1)] == ["verified", "approved"]  # the application is in trouble: stop asking
    assert ground.applications.writes() == ["a1"]
    converges(ground)


def test_what_nobody_can_tell_stays_executing_until_it_is_read(ground: Ground) -> None:
    gone_dark = False

    def lose(step: str, application: str, account_id: str) -> None:
        nonlocal gone_dark
        gone_dark = gone_dark or step == "deactivate"
        if gone_dark:
            raise Unavailable("no answer within 30 s")

    ground.applications.after = lose
    assert [o.status for o in run(ground, 1)] == ["executing", "approved"]
    assert ground.finding("ghost|crm|a1").status == "in_remediation"
    converges(ground)
    assert ground.applications.writes().count("a1") == 1


def test_after_seven_tries_it_has_failed_and_the_finding_is_open(ground: Ground) -> None:
    def refuse(*_: str) -> None:
        raise Unavailable("503")

    ground.applications.before = refuse
    for day in range(60):
        run(ground, 1 + day)
    failed = [r for r in rows(ground) if r.status == "failed"]
    assert len(failed) == 2
    assert {r.evidence["tries"] for r in failed} == {7}
    assert ground.finding("ghost|crm|a1").status == "open"


def test_one_application_that_fails_does_not_stop_the_others(ground: Ground) -> None:
    prints = ground.stand([account("wiki", "w1")])
    (r,) = remediation.propose(ground.house, SAM, NOW, prints, "left")
    remediation.approve(ground.house, SUE, NOW, [r.id], "agreed")
    prints = ground.stand([account("wiki", "w1"), account("crm", "a1"), account("crm", "a2")])

    def refuse(step: str, application: str, account_id: str) -> None:
        if application == "crm":
            raise Unavailable("503")

    ground.applications.before = refuse
    assert [(o.application, o.status) for o in run(ground, 1)] == [
        ("crm", "approved"),
        ("crm", "approved"),
        ("wiki", "verified"),
    ]
