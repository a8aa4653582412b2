"""Carrying out: approved, looked at once more, called once, read back and proved; races on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from acting import SAM, SETTINGS, SUE, TOM, Ground, account
from conftest import NOW
from msgspec import structs
from remediations import LATER, WHY, approved, capped, changed, crowd, holds, run, undo

from governance import audit, guards, remediation
from governance.errors import (
    AlreadyDecided,
    FourEyesRequired,
    GuardStopped,
    NotAllowed,
    NotSupported,
    PlanChanged,
    ProtectedAccount,
)
from governance.house import House
from governance.records import Credential
from governance.settings import parse
from governance.store.chain import clean
from jobs import verify


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    return Ground(house, NOW)


def test_of_fifty_that_begin_at_once_one_goes_on(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    live = ground.applications.accounts["crm", "a1"]
    got = crowd(50, lambda _: remediation.begin(ground.house, LATER, id, live))
    assert got.count(None) == 1
    assert {type(error) for error in got if error} == {AlreadyDecided}
    assert ground.audited(id).count("deactivate") == 1


def test_fifty_runs_at_once_make_one_call(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    got = crowd(50, lambda index: run(ground, [id] if index % 2 else None))
    assert {type(error) for error in got if error} <= {AlreadyDecided}
    assert ground.applications.writes() == ["a1"]
    assert ground.audited(id).count("deactivate") == 1


def test_fifty_runs_at_once_make_one_call_for_each_of_two_hundred(ground: Ground) -> None:
    names = [f"a{number:03}" for number in range(200)]
    ids = approved(ground, *(account("crm", name) for name in names))
    for id in ids:
        got = crowd(50, lambda _, id=id: run(ground, [id]))
        assert {type(error) for error in got if error} <= {AlreadyDecided}
    assert sorted(ground.applications.writes()) == names


# Execution


@pytest.mark.parametrize("odd", ["\ud800", "\0"], ids=["half a character", "NUL"])
def test_whatever_the_application_says_or_a_credential_is_called_is_kept_with_what_came_of_it(
    ground: Ground, odd: str
) -> None:
    left, refused = approved(ground, account("crm", "a1"), account("crm", "a2"))
    live = ground.applications.accounts["crm", "a1"]
    remediation.begin(ground.house, LATER, left, live)
    token = Credential("crm", "a1", "t1", "token", name=f"my{odd}token")
    remediation.verified(ground.house, LATER, left, structs.replace(live, active=False), credentials=[token])
    words = ground.remediation(left).error
    assert words is not None
    assert words.endswith(f"revoke in the application: token my{clean(odd)}token")
    remediation.failed(ground.house, LATER, refused, NotSupported(f"a2: not{odd}here"), happened=False)
    assert (ground.remediation(refused).status, ground.remediation(refused).error) == (
        "failed",
        f"NotSupported: a2: not{clean(odd)}here",
    )


def test_approved_is_carried_out_read_back_and_proved(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    (outcome,) = run(ground)
    assert (outcome.status, outcome.call) == ("verified", True)
    assert ground.applications.calls == [("read", "crm", "a1"), ("deactivate", "crm", "a1"), ("read", "crm", "a1")]
    r, finding = ground.remediation(id), ground.finding("ghost|crm|a1")
    assert r.evidence["receipt"] == {"at": r.evidence["receipt"]["at"], "call": "PATCH a1", "answer": "200"}
    assert r.evidence["read_back"]["active"] is False
    assert (finding.status, finding.resolved_why, finding.resolved_at) == ("resolved", "verified", LATER)
    assert ground.audited(id) == ["propose", "approve", "deactivate", "executed", "verified"]
    assert audit.verify(ground.house.store).ok


@pytest.mark.parametrize("gone", [True, False])
def test_what_is_closed_already_is_proved_without_a_call(ground: Ground, gone: bool) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    key = ("crm", "a1")
    if gone:
        del ground.applications.accounts[key]
    else:
        ground.applications.accounts[key] = structs.replace(ground.applications.accounts[key], active=False)
    (outcome,) = run(ground)
    assert (outcome.status, outcome.call) == ("verified", False)
    assert ground.applications.writes() == []
    assert ground.remediation(id).evidence["read_back"] == {
        "at": LATER.isoformat(),
        "active": None if gone else False,
        "gone": gone,
    }


def test_a_lie_is_never_verified(ground: Ground) -> None:
    """D1: 200, and nothing happened."""
    (id,) = approved(ground, account("crm", "a1"))
    ground.applications.lie = True
    assert [o.status for o in run(ground)] == ["executed"]
    for minute in range(3):
        at = LATER + timedelta(minutes=minute)
        assert [o.status for o in verify.run(ground.house, ground.applications.connect, at)] == ["executed"]
    assert ground.remediation(id).error == "read back: it is still active"
    assert ground.audited(id).count("not_verified") == 1
    assert ground.finding("ghost|crm|a1").status == "in_remediation"
    key = ("crm", "a1")
    ground.applications.accounts[key] = structs.replace(ground.applications.accounts[key], active=False)
    assert [o.status for o in verify.run(ground.house, ground.applications.connect, LATER)] == ["verified"]


def test_an_application_that_does_not_tell_proves_nothing(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    key = ("crm", "a1")

    def forget(*_: str) -> None:
        ground.applications.accounts[key] = structs.replace(ground.applications.accounts[key], active=None)

    ground.applications.after = forget
    assert [o.status for o in run(ground)] == ["executed"]
    assert "does not tell" in str(ground.remediation(id).error)


@pytest.mark.parametrize(
    ("live", "kind"),
    [
        ({"username": "root"}, ProtectedAccount),
        ({"kind": "service"}, ProtectedAccount),
        ({"username": "somebody.else"}, PlanChanged),
        ({"email": "somebody.else@corp.example"}, PlanChanged),
    ],
)
def test_the_account_is_looked_at_once_more_before_the_call(
    ground: Ground, live: dict[str, str], kind: type[Exception]
) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    key = ("crm", "a1")
    ground.applications.accounts[key] = structs.replace(ground.applications.accounts[key], **live)
    (outcome,) = run(ground)
    assert (outcome.status, outcome.message.partition(":")[0]) == ("failed", kind.__name__)
    assert ground.applications.writes() == []
    assert ground.audited(id)[-1] == "fail"


@pytest.mark.parametrize("change", ["facts", "expired", "approver", "proposer", "rejected elsewhere"])
def test_what_changed_since_the_plan_stops_it_at_the_last_moment(ground: Ground, change: str) -> None:
    """The plan of the run was made, and then: `begin` looks by itself."""
    (id,) = approved(ground, account("crm", "a1"))
    live, at = ground.applications.accounts["crm", "a1"], LATER
    kind: type[Exception] = PlanChanged
    if change == "facts":
        ground.change_finding("ghost|crm|a1", digest="another")
    elif change == "rejected elsewhere":
        remediation.cancel(ground.house, SAM, NOW, [id])
        kind = AlreadyDecided
    elif change == "expired":
        at = NOW + timedelta(hours=72)
    else:  # it turned out to be the account of somebody who decided
        ground.stand([account("crm", "a1", owner_id="hr:sue" if change == "approver" else "hr:sam")])
        kind = FourEyesRequired
        assert [type(e) for e in remediation.plan(ground.house, LATER).refused.values()] == [FourEyesRequired]
    with pytest.raises(kind):
        remediation.begin(ground.house, at, id, live)
    assert "deactivate" not in ground.audited(id)


def test_what_became_protected_after_its_approval_is_not_touched(ground: Ground) -> None:
    approved(ground, account("crm", "a1"), account("crm", "a2"))
    entry = {"application": "crm", "account": "A1", "why": "break_glass", "owner": "sec@corp.example"}
    ground.house = replace(ground.house, settings=parse({**SETTINGS, "protected": [entry]}))
    assert {o.account_id: o.status for o in run(ground)} == {"a1": "failed", "a2": "verified"}
    assert ground.applications.writes() == ["a2"]


def test_nothing_is_written_while_acting_is_switched_off(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    ground.house = changed(ground.house, enabled=False)
    with pytest.raises(NotAllowed, match="enabled"):
        run(ground)
    with pytest.raises(NotAllowed, match="enabled"):
        remediation.begin(ground.house, LATER, id, ground.applications.accounts["crm", "a1"])
    assert ground.applications.opened == []
    assert ground.remediation(id).status == "approved"


def test_without_a_write_credential_it_needs_a_person(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    without = [{k: v for k, v in a.items() if k != "write_token"} for a in SETTINGS["application"]]
    ground.house = ground.applications.house = replace(
        ground.house, settings=parse({**SETTINGS, "application": without})
    )
    (outcome,) = run(ground)
    assert outcome.message.startswith("NotSupported")
    assert (ground.remediation(id).status, ground.finding("ghost|crm|a1").status) == ("failed", "open")


# Both engines


def test_the_whole_way_and_its_races_on_both_engines(make_house: Any, store_url: str) -> None:
    ground = Ground(make_house(SETTINGS, url=store_url), NOW)
    prints = ground.stand([account("crm", f"a{n}") for n in range(4)])
    ids = [r.id for r in remediation.propose(ground.house, SAM, NOW, prints, WHY)]
    got = crowd(20, lambda n: remediation.approve(ground.house, replace(SUE, email=f"s{n}@x.example"), NOW, ids, WHY))
    assert got.count(None) == 1
    assert {type(error) for error in got if error} == {AlreadyDecided}
    capped(ground, 3)
    with pytest.raises(GuardStopped):
        run(ground)
    (hold,) = holds(ground)
    for actor in (SUE, TOM):
        guards.release(ground.house, actor, LATER, hold.id, WHY)
    got = crowd(20, lambda _: run(ground, ids))
    assert {type(error) for error in got if error} <= {AlreadyDecided}
    assert sorted(ground.applications.writes()) == ["a0", "a1", "a2", "a3"]
    assert undo(ground, ids[0]) == "undone"
    assert audit.verify(ground.house.store).ok
