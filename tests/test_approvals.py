"""Deciding: four eyes, the exact plan, 72 hours, and one winner of a race."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from acting import ANN, SAM, SETTINGS, SUE, TOM, Ground, account
from conftest import NOW
from remediations import WHY, approved, crowd, proposed, run

from governance import remediation
from governance.errors import (
    AlreadyDecided,
    DecisionError,
    FourEyesRequired,
    NotAllowed,
    NotSupported,
    PlanChanged,
    ProtectedAccount,
)
from governance.house import House
from governance.tables import Remediation
from jobs import remediate


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    return Ground(house, NOW)


# Deciding


def test_four_eyes(ground: Ground) -> None:
    (id,) = proposed(ground, account("crm", "sue"))
    alias = replace(SAM, email="s.m@corp.example", addresses=frozenset({SAM.email, "s.m@corp.example"}))
    for same in (SAM, replace(SAM, email="Sam@Corp.example"), alias):
        with pytest.raises(FourEyesRequired, match="proposed"):
            remediation.approve(ground.house, same, NOW, [id], WHY)
    for same in (SUE, replace(SUE, email="s.ue@corp.example", addresses=frozenset({SUE.email, "s.ue@corp.example"}))):
        with pytest.raises(FourEyesRequired, match="belong"):
            remediation.approve(ground.house, same, NOW, [id], WHY)
    with pytest.raises(FourEyesRequired, match="belong"):
        remediation.approve(ground.house, replace(ANN, identity_id="hr:sue"), NOW, [id], WHY)
    assert remediation.approve(ground.house, TOM, NOW, [id], WHY)[0].approved_by == TOM.email


def test_an_approval_holds_72_hours(ground: Ground) -> None:
    ids = approved(ground, account("crm", "a1"), account("crm", "a2"))
    assert ground.remediation(ids[0]).expires_at == NOW + timedelta(hours=72)
    assert remediation.expire(ground.house, NOW + timedelta(hours=71, minutes=59)) == []
    end = NOW + timedelta(hours=72)
    assert [o.status for o in remediate.run(ground.house, ground.applications.connect, end, ids[:1], dry_run=True)] == [
        "failed"
    ]
    assert remediation.expire(ground.house, end) == ids
    assert ground.remediation(ids[0]).status == "expired"
    assert ground.finding("ghost|crm|a1").status == "open"
    assert run(ground) == []
    assert ground.applications.calls == []


CHANGES: list[tuple[str, str, Any]] = [
    ("finding", "digest", "another"),
    ("finding", "rule", "stale"),
    ("finding", "application", "wiki"),
    ("finding", "account_id", "a2"),
    ("finding", "status", "resolved"),
    ("finding", "status", "open"),
    ("finding", "status", "excluded"),
    ("remediation", "application", "wiki"),
    ("remediation", "account_id", "a2"),
    ("remediation", "action", "manual"),
    ("remediation", "rule", "stale"),
    ("remediation", "plan_digest", "0" * 64),
]


@pytest.mark.parametrize(("of", "name", "value"), CHANGES)
def test_an_approval_is_bound_to_the_exact_plan(ground: Ground, of: str, name: str, value: Any) -> None:
    """Each part changed before the approval, and between approval and execution: refused both times, no call."""
    first, second = proposed(ground, account("crm", "a1"), account("crm", "b1"))
    ground.stand([account(a, i) for a in ("crm", "wiki") for i in ("a1", "a2", "b1", "b2")], "stale")
    remediation.approve(ground.house, SUE, NOW, [second], WHY)
    for id, fingerprint in ((first, "ghost|crm|a1"), (second, "ghost|crm|b1")):
        with ground.house.store.write() as session:
            row: Any = session.get_one(Remediation, id)
            if of == "finding":
                from governance.tables import Finding

                row = session.get_one(Finding, fingerprint)
            setattr(row, name, value.replace("a2", "b2") if id == second else value)
            session.add(row)
    with pytest.raises(PlanChanged):
        remediation.approve(ground.house, SUE, NOW, [first], WHY)
    if (of, name) == ("remediation", "action"):  # what became a manual task is not run at all
        with pytest.raises(NotSupported):
            run(ground, [second])
    else:
        assert [(o.status, o.message.partition(":")[0]) for o in run(ground, [second])] == [("failed", "PlanChanged")]
        assert ground.remediation(second).status == "failed"
    assert ground.applications.writes() == []


def test_rejecting_and_withdrawing_open_the_finding_again(ground: Ground) -> None:
    first, second, third = proposed(ground, account("crm", "a1"), account("crm", "a2"), account("paper", "p1"))
    assert remediation.reject(ground.house, SAM, NOW, [first], "it is on leave")[0].status == "rejected"
    with pytest.raises(NotAllowed):
        remediation.cancel(ground.house, SUE, NOW, [second])
    remediation.approve(ground.house, SUE, NOW, [second, third], WHY)
    alias = replace(SAM, email="s.am@corp.example", addresses=frozenset({"s.am@corp.example", SAM.email}))
    assert [r.status for r in remediation.cancel(ground.house, alias, NOW, [second, third])] == ["cancelled"] * 2
    for fingerprint in ("ghost|crm|a1", "ghost|crm|a2", "ghost|paper|p1"):
        assert ground.finding(fingerprint).status == "open"
    assert ground.audited(first) == ["propose", "reject"]
    assert ground.audited(second) == ["propose", "approve", "cancel"]
    for id in (first, second):
        for decide in (remediation.approve, remediation.reject):
            with pytest.raises(AlreadyDecided):
                decide(ground.house, SUE, NOW, [id], WHY)
    assert run(ground) == []


def test_a_batch_is_decided_whole_or_not_at_all(ground: Ground) -> None:
    first, second = proposed(ground, account("crm", "a1"), account("crm", "a2"))
    remediation.reject(ground.house, SUE, NOW, [second], WHY)
    with pytest.raises(AlreadyDecided):
        remediation.approve(ground.house, SUE, NOW, [first, second], WHY)
    assert ground.remediation(first).status == "proposed"
    with pytest.raises(DecisionError, match="no remediation"):
        remediation.approve(ground.house, SUE, NOW, ["nothing"], WHY)


def test_of_fifty_that_decide_at_once_one_wins(ground: Ground) -> None:
    (id,) = proposed(ground, account("crm", "a1"))

    def decide(index: int) -> None:
        actor = replace(SUE, email=f"s{index}@corp.example")
        decision = remediation.reject if index % 5 == 0 else remediation.approve
        decision(ground.house, actor, NOW, [id], WHY)

    got = crowd(50, decide)
    assert got.count(None) == 1
    assert {type(error) for error in got if error} == {AlreadyDecided}
    assert len(ground.audited(id)) == 2


def test_what_changed_since_the_proposal_is_not_approved(ground: Ground) -> None:
    one, two = proposed(ground, account("crm", "a1"), account("crm", "a2"))
    ground.stand([account("crm", "a1", owner_id="hr:sam"), account("crm", "a2", kind="service")])
    with pytest.raises(FourEyesRequired, match="who decided"):
        remediation.approve(ground.house, SUE, NOW, [one], WHY)
    with pytest.raises(ProtectedAccount):
        remediation.approve(ground.house, SUE, NOW, [two], WHY)
