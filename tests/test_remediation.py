"""Remediation: who may decide what, what an approval is bound to, what is refused, and what a plan may do."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from acting import ADA, ANN, OTTO, SAM, SETTINGS, SUE, TOM, Ground, account, refusal
from conftest import NOW
from sqlmodel import select

from governance import audit, guards, remediation
from governance.access import Actor
from governance.errors import (
    AlreadyDecided,
    DecisionError,
    FourEyesRequired,
    GuardStopped,
    LastPrivilegedAccount,
    NotAllowed,
    NotSupported,
    NotVerified,
    PlanChanged,
    ProtectedAccount,
)
from governance.house import House
from governance.remediation import Plan
from governance.settings import parse
from governance.tables import Remediation, RunHold, Snapshot
from jobs import remediate, verify
from jobs.outcomes import Outcome

WHY = "left on 20 Nov"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    return Ground(house, NOW)


def proposed(ground: Ground, *accounts: dict[str, Any], rule: str = "ghost") -> list[str]:
    prints = ground.stand(accounts, rule)
    return [r.id for r in remediation.propose(ground.house, SAM, NOW, prints, WHY)]


def approved(ground: Ground, *accounts: dict[str, Any]) -> list[str]:
    ids = proposed(ground, *accounts)
    remediation.approve(ground.house, SUE, NOW, ids, "agreed")
    return ids


def run(ground: Ground, ids: list[str] | None = None, *, dry_run: bool = False) -> list[Outcome]:
    return remediate.run(ground.house, ground.applications.connect, LATER, ids, dry_run)


def changed(house: House, **act: Any) -> House:
    """The same house after the operator edited [act]."""
    return replace(house, settings=house.settings.model_copy(update={"act": house.settings.act.model_copy(update=act)}))


# Proposing


def test_a_proposal_takes_the_finding_into_remediation_and_says_so_in_the_audit(ground: Ground) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")])
    (r,) = remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY)
    assert (r.status, r.action, r.proposed_by, r.reason) == ("proposed", "deactivate", SAM.email, WHY)
    assert ground.finding(fingerprint).status == "in_remediation"
    assert ground.audited(r.id) == ["propose"]
    assert ground.remediation(r.id).evidence["finding"]["reason"] == "left and is still active"


@pytest.mark.parametrize("reason", ["", "  "])
def test_no_decision_without_a_reason(ground: Ground, reason: str) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")])
    with pytest.raises(DecisionError, match="reason"):
        remediation.propose(ground.house, SAM, NOW, [fingerprint], reason)
    (r,) = remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY)
    for decide in (remediation.approve, remediation.reject):
        with pytest.raises(DecisionError, match="reason"):
            decide(ground.house, SUE, NOW, [r.id], reason)
    assert ground.remediation(r.id).status == "proposed"


def test_a_finding_is_proposed_once(ground: Ground) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")])
    remediation.propose(ground.house, SAM, NOW, [fingerprint, fingerprint], WHY)
    with pytest.raises(AlreadyDecided, match="in remediation"):
        remediation.propose(ground.house, SUE, NOW, [fingerprint], WHY)
    with pytest.raises(DecisionError, match="no finding"):
        remediation.propose(ground.house, SUE, NOW, ["nothing"], WHY)


@pytest.mark.parametrize("status", ["excluded", "resolved"])
def test_only_open_findings_are_proposed(ground: Ground, status: str) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")])
    ground.change_finding(fingerprint, status=status)
    with pytest.raises(AlreadyDecided, match=status):
        remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY)


def test_a_proposal_is_whole_or_nothing_and_says_beforehand_what_it_would_refuse(ground: Ground) -> None:
    good, bad = ground.stand([account("crm", "a1"), account("crm", "root")])
    assert {k: type(v) for k, v in remediation.refusals(ground.house, SAM, NOW, [good, bad]).items()} == {
        bad: ProtectedAccount
    }
    with pytest.raises(ProtectedAccount):
        remediation.propose(ground.house, SAM, NOW, [good, bad], WHY)
    assert ground.finding(good).status == "open"
    assert ground.audit() == []


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (account("crm", "root"), ProtectedAccount),
        (account("crm", "7", username="ROOT"), ProtectedAccount),
        (account("crm", "leaverwatch"), ProtectedAccount),
        (account("crm", "8", username="Leaverwatch"), ProtectedAccount),
        (account("crm", "a1", protected=True), ProtectedAccount),
        (account("crm", "a1", kind="service"), ProtectedAccount),
        (account("crm", "a1", kind="bot"), ProtectedAccount),
        (account("crm", "a1", kind="shared"), ProtectedAccount),
        (account("crm", "a1", email="SAM@corp.example"), FourEyesRequired),
        (account("crm", "a1", username="sam@corp.example"), FourEyesRequired),
        (account("crm", "sam"), FourEyesRequired),  # the owner's address
        (account("crm", "a1", owner_id=None, match="ambiguous", candidates="hr:x;hr:me"), FourEyesRequired),
    ],
)
def test_accounts_that_are_never_proposed(ground: Ground, row: dict[str, Any], kind: type[Exception]) -> None:
    me = replace(SAM, identity_id="hr:me")
    (fingerprint,) = ground.stand([row])
    with pytest.raises(kind):
        remediation.propose(ground.house, me, NOW, [fingerprint], WHY)
    assert ground.finding(fingerprint).status == "open"


def test_a_guest_and_an_account_of_unknown_kind_count_as_human(ground: Ground) -> None:
    assert len(proposed(ground, account("crm", "a1", kind=None), account("crm", "a2", kind="guest"))) == 2


def test_a_person_of_the_same_name_is_not_the_subject(ground: Ground) -> None:
    me = replace(SAM, identity_id="hr:me")
    row = account("crm", "a1", owner_id=None, match="unmatched", candidates="hr:me")  # only a name suggests it
    (fingerprint,) = ground.stand([row], "orphaned")
    assert remediation.propose(ground.house, me, NOW, [fingerprint], WHY)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("ghost", True),
        ("contract_expired", True),
        ("stale", True),
        ("never_used", True),
        ("missing_from_source", True),
        ("ambiguous_owner", True),
        ("orphaned", True),
        ("admin_without_mfa", False),
        ("over_privileged", False),
        ("contradictory_source", False),
    ],
)
def test_which_findings_closing_the_account_answers(ground: Ground, rule: str, allowed: bool) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")], rule)
    refused = refusal(lambda: remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY))
    assert (refused is None) is allowed
    assert allowed or isinstance(refused, NotSupported)


def test_an_account_the_last_detect_run_does_not_hold_is_not_proposed(ground: Ground) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")])
    ground.stand([account("crm", "a2"), account("crm", "a1", present=False)])
    with pytest.raises(PlanChanged):
        remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY)


def test_rights_to_propose_and_approve(ground: Ground) -> None:
    manager = Actor("mia@corp.example", "Mia", frozenset({"manager"}), "hr:mia", reports=frozenset({"hr:a1"}))
    hers, others, paper = ground.stand([account("crm", "a1"), account("crm", "a2"), account("paper", "p1")])
    for actor in (ADA, ANN, replace(SAM, left=True)):
        with pytest.raises(NotAllowed):
            remediation.propose(ground.house, actor, NOW, [hers], WHY)
    with pytest.raises(NotAllowed):
        remediation.propose(ground.house, manager, NOW, [others], WHY)
    with pytest.raises(NotAllowed):
        remediation.propose(ground.house, OTTO, NOW, [hers], WHY)
    (r,) = remediation.propose(ground.house, manager, NOW, [hers], WHY)
    (p,) = remediation.propose(ground.house, OTTO, NOW, [paper], WHY)
    for actor in (ADA, OTTO, replace(ANN, left=True)):
        with pytest.raises(NotAllowed):
            remediation.approve(ground.house, actor, NOW, [r.id], WHY)
    with pytest.raises(NotAllowed):
        remediation.approve(ground.house, manager, NOW, [p.id], WHY)
    assert remediation.approve(ground.house, ANN, NOW, [r.id], WHY)[0].status == "approved"


@pytest.mark.parametrize(
    ("application", "enabled", "action"),
    [("crm", True, "deactivate"), ("crm", False, "manual"), ("closed", True, "manual"), ("paper", True, "manual")],
)
def test_what_leaverwatch_cannot_switch_off_itself_is_a_task(
    ground: Ground, application: str, enabled: bool, action: str
) -> None:
    ground.house = changed(ground.house, enabled=enabled)
    (id,) = proposed(ground, account(application, "a1"))
    assert ground.remediation(id).action == action


# Deciding


def test_four_eyes(ground: Ground) -> None:
    (id,) = proposed(ground, account("crm", "sue"))
    for same in (SAM, replace(SAM, email="Sam@Corp.example")):
        with pytest.raises(FourEyesRequired, match="proposed"):
            remediation.approve(ground.house, same, NOW, [id], WHY)
    with pytest.raises(FourEyesRequired, match="belong"):
        remediation.approve(ground.house, SUE, NOW, [id], WHY)
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
    assert [r.status for r in remediation.cancel(ground.house, SAM, NOW, [second, third])] == ["cancelled"] * 2
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


def crowd(number: int, do: Callable[[int], object]) -> list[Exception | None]:
    """What each of so many threads got, when all begin at once."""
    gate, got = threading.Barrier(number), [None] * number

    def one(index: int) -> None:
        gate.wait()
        try:
            do(index)
        except Exception as error:  # noqa: BLE001 - compared by the test
            got[index] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


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


def test_of_twenty_that_propose_at_once_one_wins(ground: Ground) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")])
    got = crowd(20, lambda _: remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY))
    assert got.count(None) == 1
    assert {type(error) for error in got if error} == {AlreadyDecided}
    with ground.house.store.read() as session:
        assert len(session.exec(select(Remediation)).all()) == 1


# Privileged accounts


def admins(*names: str) -> list[dict[str, Any]]:
    return [account("crm", name, privileged=True) for name in names]


def test_the_last_privileged_account_is_never_closed(ground: Ground) -> None:
    fingerprint, _ = ground.stand([*admins("a1"), account("crm", "a2")])
    with pytest.raises(LastPrivilegedAccount):
        remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY)


def test_leaving_one_privileged_account_needs_two_approvers(ground: Ground) -> None:
    first, _ = ground.stand(admins("a1", "a2"))
    (r,) = remediation.propose(ground.house, SAM, NOW, [first], WHY)
    assert remediation.approve(ground.house, SUE, NOW, [r.id], WHY)[0].status == "proposed"
    with pytest.raises(FourEyesRequired):
        remediation.approve(ground.house, SUE, NOW, [r.id], "again")
    with pytest.raises(FourEyesRequired):
        remediation.approve(ground.house, SAM, NOW, [r.id], WHY)
    row = remediation.approve(ground.house, TOM, NOW, [r.id], WHY)[0]
    assert (row.status, row.approved_by, row.second_approver) == ("approved", SUE.email, TOM.email)
    assert [o.status for o in run(ground)] == ["verified"]


def test_the_first_of_two_approvals_holds_72_hours(ground: Ground) -> None:
    first, _ = ground.stand(admins("a1", "a2"))
    (r,) = remediation.propose(ground.house, SAM, NOW, [first], WHY)
    remediation.approve(ground.house, SUE, NOW, [r.id], WHY)
    row = remediation.approve(ground.house, TOM, NOW + timedelta(hours=72), [r.id], WHY)[0]
    assert (row.status, row.approved_by, row.second_approver) == ("proposed", TOM.email, None)
    row = remediation.approve(ground.house, SUE, NOW + timedelta(hours=143), [r.id], WHY)[0]
    assert (row.status, row.second_approver) == ("approved", SUE.email)


def test_approvals_are_counted_together(ground: Ground) -> None:
    prints = ground.stand(admins("a1", "a2", "a3", "a4"))
    ids = [r.id for r in remediation.propose(ground.house, SAM, NOW, prints, WHY)]
    rows = remediation.approve(ground.house, SUE, NOW, ids[:3], WHY)
    assert [r.status for r in rows] == ["approved", "approved", "proposed"]  # the third would leave one
    assert remediation.approve(ground.house, TOM, NOW, ids[2:3], WHY)[0].status == "approved"
    with pytest.raises(LastPrivilegedAccount):
        remediation.approve(ground.house, SUE, NOW, ids[3:], WHY)
    assert [o.status for o in run(ground)] == ["verified"] * 3
    with pytest.raises(LastPrivilegedAccount):  # the last detect run still shows all four active
        remediation.approve(ground.house, SUE, NOW, ids[3:], WHY)


def test_one_that_was_switched_on_again_counts_again(ground: Ground) -> None:
    prints = ground.stand(admins("a1", "a2", "a3"))
    (r,) = remediation.propose(ground.house, SAM, NOW, prints[:1], WHY)
    remediation.approve(ground.house, SUE, NOW, [r.id], WHY)
    assert [o.status for o in run(ground)] == ["verified"]
    ground.stand(admins("a1", "a2", "a3"), at=LATER + timedelta(days=1))  # a later snapshot shows all three active
    (second,) = remediation.propose(ground.house, SAM, NOW, prints[1:2], WHY)
    assert remediation.approve(ground.house, SUE, NOW, [second.id], WHY)[0].status == "approved"


def test_privileged_accounts_that_went_since_the_approval_count_at_the_last_moment(ground: Ground) -> None:
    prints = ground.stand(admins("a1", "a2", "a3"))
    (r,) = remediation.propose(ground.house, SAM, NOW, prints[:1], WHY)
    assert remediation.approve(ground.house, SUE, NOW, [r.id], WHY)[0].status == "approved"
    ground.stand(admins("a1"))  # the others were closed by somebody else meanwhile
    live = ground.applications.accounts["crm", "a1"]
    with pytest.raises(LastPrivilegedAccount):
        remediation.begin(ground.house, LATER, r.id, live)
    assert ground.remediation(r.id).status == "failed"
    assert ground.finding(prints[0]).status == "open"


# Execution


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
        ground.applications.accounts[key] = replace(ground.applications.accounts[key], active=False)
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
    ground.applications.accounts[key] = replace(ground.applications.accounts[key], active=False)
    assert [o.status for o in verify.run(ground.house, ground.applications.connect, LATER)] == ["verified"]


def test_an_application_that_does_not_tell_proves_nothing(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    key = ("crm", "a1")

    def forget(*_: str) -> None:
        ground.applications.accounts[key] = replace(ground.applications.accounts[key], active=None)

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
    ground.applications.accounts[key] = replace(ground.applications.accounts[key], **live)
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


def test_what_changed_since_the_proposal_is_not_approved(ground: Ground) -> None:
    one, two = proposed(ground, account("crm", "a1"), account("crm", "a2"))
    ground.stand([account("crm", "a1", owner_id="hr:sam"), account("crm", "a2", kind="service")])
    with pytest.raises(FourEyesRequired, match="who decided"):
        remediation.approve(ground.house, SUE, NOW, [one], WHY)
    with pytest.raises(ProtectedAccount):
        remediation.approve(ground.house, SUE, NOW, [two], WHY)


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


# Plans and caps


@pytest.mark.parametrize(
    ("per_run", "share", "active", "limit"),
    [
        (25, 0.05, 10_000, 25),
        (25, 0.05, 499, 24),
        (25, 0.05, 100, 5),
        (25, 0.05, 39, 1),
        (25, 0.05, 1, 1),
        (3, 1, 9, 3),
    ],
)
def test_the_limit(ground: Ground, per_run: int, share: float, active: int, limit: int) -> None:
    act = ground.house.settings.act.model_copy(update={"max_per_run": per_run, "max_share": share})
    assert remediation.limit(act, active) == limit


def capped(ground: Ground, limit: int) -> None:
    ground.house = ground.applications.house = changed(ground.house, max_per_run=limit)


def holds(ground: Ground) -> list[RunHold]:
    with ground.house.store.read() as session:
        return list(session.exec(select(RunHold).order_by(RunHold.id)).all())


def test_a_run_over_its_limit_makes_no_call_until_two_release_exactly_that_one(ground: Ground) -> None:
    ids = approved(ground, *(account("crm", f"a{n}") for n in range(5)))
    capped(ground, 3)
    with pytest.raises(
        GuardStopped, match=r"5 accounts would be deactivated in one run; the limit is 3.*guard release"
    ):
        run(ground, ids)
    with pytest.raises(GuardStopped):
        run(ground)
    assert ground.applications.calls == []
    (hold,) = holds(ground)
    assert (hold.remediations, hold.sha256) == (sorted(ids), remediation.run_digest(ids))
    guards.release(ground.house, SUE, LATER, hold.id, "looked at all five")
    with pytest.raises(GuardStopped):
        run(ground, ids)
    with pytest.raises(FourEyesRequired):
        guards.release(ground.house, SUE, LATER, hold.id, "again")
    guards.release(ground.house, TOM, LATER, hold.id, "me too")
    with pytest.raises(GuardStopped):  # not exactly those
        run(ground, ids[:4])
    assert ground.applications.calls == []
    assert [o.status for o in run(ground, ids)] == ["verified"] * 5
    assert [h.status for h in holds(ground) if h.id == hold.id] == ["used"]


def test_a_larger_run_may_be_given_fewer_ids(ground: Ground) -> None:
    ids = approved(ground, *(account("crm", f"a{n}") for n in range(5)))
    capped(ground, 3)
    with pytest.raises(GuardStopped):
        run(ground)
    assert len(run(ground, ids[:3])) == 3
    assert [h.status for h in holds(ground)] == ["dropped"]  # its release would mean something else by now
    assert len(run(ground)) == 2


def test_a_held_run_does_not_keep_others_waiting_and_its_release_outlives_new_approvals(ground: Ground) -> None:
    approved(ground, *(account("crm", f"a{n}") for n in range(4)), account("wiki", "w1"))
    capped(ground, 3)
    with pytest.raises(GuardStopped, match="1 calls were made in other applications"):
        run(ground)
    assert ground.applications.writes() == ["w1"]
    for fingerprint in ground.stand([account("crm", f"a{n}") for n in range(5)], "stale")[4:]:
        (r,) = remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY)
        remediation.approve(ground.house, SUE, NOW, [r.id], WHY)
    with pytest.raises(GuardStopped):
        run(ground)
    assert ground.applications.writes() == ["w1", "a4"]
    (hold,) = holds(ground)
    guards.release(ground.house, SUE, LATER, hold.id, WHY)
    guards.release(ground.house, TOM, LATER, hold.id, WHY)
    assert [o.status for o in run(ground)] == ["verified"] * 4


def test_a_dry_run_over_its_limit_is_stopped_too_and_records_nothing(ground: Ground) -> None:
    ids = approved(ground, *(account("crm", f"a{n}") for n in range(3)))
    capped(ground, 2)
    for given in (ids, None):
        with pytest.raises(GuardStopped):
            run(ground, given, dry_run=True)
    assert holds(ground) == []


def test_a_dry_run_opens_no_writer_and_leaves_no_trace(ground: Ground) -> None:
    ids = approved(ground, account("crm", "a1"), account("crm", "a2"))
    before = ground.audit()
    assert [(o.status, o.call) for o in run(ground, dry_run=True)] == [("planned", True)] * 2
    assert ground.applications.opened == [("crm", False)]
    assert ground.applications.writes() == []
    assert ground.audit() == before
    assert [ground.remediation(id).status for id in ids] == ["approved"] * 2


def test_two_remediations_of_one_account_make_one_call(ground: Ground) -> None:
    approved(ground, account("crm", "a1"))
    (second,) = proposed(ground, account("crm", "a1"), rule="login_after_leaving")
    remediation.approve(ground.house, SUE, NOW, [second], WHY)
    foreseen = run(ground, dry_run=True)
    assert sorted((o.status, o.call) for o in foreseen) == [("planned", True), ("verified", False)]
    assert [o.status for o in run(ground)] == ["verified"] * 2
    assert ground.applications.writes() == ["a1"]


def test_only_approved_deactivations_can_be_named(ground: Ground) -> None:
    (waiting,) = proposed(ground, account("crm", "a1"))
    (manual,) = approved(ground, account("paper", "p1"))
    with pytest.raises(AlreadyDecided, match="proposed"):
        run(ground, [waiting])
    with pytest.raises(NotSupported, match="task"):
        run(ground, [manual])
    plan: Plan = remediation.plan(ground.house, LATER)
    assert (plan.run, plan.resume) == ((), ())


# Manual tasks


def snapshot(ground: Ground, application: str, accounts: dict[str, tuple[bool | None, bool]], minutes: int) -> None:
    """Publish what a file of accounts says: account_id -> (active, present)."""
    id = f"{application}-{minutes}"
    folder = ground.house.snapshots / application / id
    folder.mkdir(parents=True)
    rows = [{"account_id": a, "active": active, "present": there} for a, (active, there) in accounts.items()]
    schema = {"account_id": pl.String, "active": pl.Boolean, "present": pl.Boolean}
    pl.DataFrame(rows, schema=schema).write_parquet(folder / "accounts.parquet")
    at = NOW + timedelta(minutes=minutes)
    with ground.house.store.write() as session:
        row = Snapshot(
            id=id,
            feed=application,
            kind="application",
            at=at,
            pulled_at=at,
            status="published",
            path=f"{application}/{id}",
        )
        session.add(row)


def test_a_manual_task_is_proved_by_the_next_file_and_not_by_a_claim(ground: Ground) -> None:
    inactive, gone, left = approved(ground, *(account("paper", f"p{n}") for n in (1, 2, 3)))
    assert ground.remediation(inactive).status == "executing"
    with pytest.raises(NotAllowed):
        remediation.done(ground.house, SAM, NOW, inactive)
    assert remediation.done(ground.house, OTTO, NOW, inactive).status == "executing"
    assert ground.remediation(inactive).evidence["claimed"]["by"] == OTTO.email
    assert run(ground) == []
    assert verify.run(ground.house, ground.applications.connect, LATER) == []
    snapshot(ground, "paper", {"p1": (True, True), "p2": (True, True), "p3": (True, True)}, 10)
    assert remediation.settle_by_snapshot(ground.house, LATER, "paper") == []
    snapshot(ground, "paper", {"p1": (False, True), "p2": (True, False), "p3": (None, True)}, 20)
    assert remediation.settle_by_snapshot(ground.house, LATER, "paper") == sorted([inactive, gone])
    assert ground.finding("ghost|paper|p1").resolved_why == "verified"
    assert ground.remediation(gone).evidence["read_back"]["gone"] is True
    assert ground.remediation(left).status == "executing"
    with pytest.raises(AlreadyDecided):
        remediation.done(ground.house, OTTO, NOW, inactive)


def test_a_snapshot_settles_executed_calls_and_withdraws_what_nobody_began(ground: Ground) -> None:
    executed, waiting = approved(ground, account("crm", "a1"), account("crm", "a2"))
    ground.applications.lie = True
    run(ground, [executed])
    snapshot(ground, "crm", {"a1": (False, True)}, 90)  # a2 is not even remembered
    assert remediation.settle_by_snapshot(ground.house, LATER, "crm") == sorted([executed, waiting])
    assert ground.remediation(executed).status == "verified"
    assert ground.remediation(waiting).status == "cancelled"
    assert remediation.settle_by_snapshot(ground.house, LATER, "crm") == []


# Undoing


def undo(ground: Ground, id: str, actor: Actor = SAM, after: timedelta = timedelta(days=1)) -> str:
    return remediate.undo(ground.house, ground.applications.connect, LATER + after, actor, id).status


def test_an_undo_switches_the_account_on_again_and_reads_it_back(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    run(ground)
    with pytest.raises(NotAllowed):
        undo(ground, id, ANN)
    assert undo(ground, id) == "undone"
    assert ground.applications.accounts["crm", "a1"].active is True
    assert ground.audited(id)[-2:] == ["reactivate", "undone"]
    with pytest.raises(AlreadyDecided):
        undo(ground, id)


def test_an_undo_before_the_proof_opens_the_finding(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    ground.applications.lie = True
    run(ground)
    ground.applications.lie = False
    assert undo(ground, id) == "undone"
    assert ground.finding("ghost|crm|a1").status == "open"


def test_an_undo_that_is_a_lie_is_not_believed(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    run(ground)
    ground.applications.lie = True
    with pytest.raises(NotVerified):
        undo(ground, id)
    assert ground.remediation(id).status == "verified"


def test_what_cannot_be_undone(ground: Ground) -> None:
    old, elsewhere, own, manual, waiting = approved(
        ground,
        account("crm", "a1"),
        account("crm", "a2"),
        account("crm", "tom"),
        account("paper", "p1"),
        account("wiki", "w1"),
    )
    key = ("crm", "a2")
    ground.applications.accounts[key] = replace(ground.applications.accounts[key], active=False)
    run(ground, [old, elsewhere, own])
    with pytest.raises(NotSupported, match="30 days"):
        undo(ground, old, after=timedelta(days=30, seconds=1))
    with pytest.raises(NotSupported, match="not carried out from here"):
        undo(ground, elsewhere)
    with pytest.raises(FourEyesRequired):
        undo(ground, own, TOM)
    for id in (manual, waiting):
        with pytest.raises(AlreadyDecided):
            undo(ground, id)
    assert [verb for verb, *_ in ground.applications.calls].count("reactivate") == 0


# What a dry run foretells


def test_500_dry_runs_foretell_exactly_the_calls(make_house: Any) -> None:
    """D14: generated cases, one application each; what is foreseen and what is called differ in none."""
    chance = random.Random(14)
    names = [f"app{case}" for case in range(500)]
    told = {"connector": "memory", "write_token": {"env": "T"}, "own_account": "robot"}
    ground = Ground(
        make_house(
            {
                "act": {"enabled": True, "max_per_run": 2, "max_share": 1.0},
                "application": [{"name": name, **told} for name in names],
                "protected": [{"application": n, "account": "a1", "why": "root", "owner": "o@x"} for n in names[::7]],
            }
        ),
        NOW,
    )
    rows = [
        account(name, f"a{n}", privileged=chance.random() < 0.3) for name in names for n in range(chance.randint(1, 3))
    ]
    prints = ground.stand(rows)
    refused = remediation.refusals(ground.house, SAM, NOW, prints)
    wanted = [p for p in prints if p not in refused]
    ids = [r.id for r in remediation.propose(ground.house, SAM, NOW, wanted, WHY)]
    for start in range(0, len(ids), 10):  # some batches would leave no privileged account and stay proposed
        refusal(lambda some=ids[start : start + 10]: remediation.approve(ground.house, SUE, NOW, some, WHY))  # type: ignore[misc]
    waiting = [r for r in remediation.reread(ground.house, ids) if r.status == "approved"]
    # Between approval and run the world goes on.
    accounts = ground.applications.accounts
    for r in waiting:
        key, event = (r.application, r.account_id), chance.random()
        if event < 0.1:
            accounts[key] = replace(accounts[key], active=False)
        elif event < 0.2:
            del accounts[key]
        elif event < 0.3:
            accounts[key] = replace(accounts[key], **chance.choice([{"email": "else@x.example"}, {"kind": "bot"}]))
        elif event < 0.4:
            ground.change_finding(r.finding, digest="another")
    called = stopped = 0
    for start in range(0, len(names), 10):
        own = [r.id for r in waiting if r.application in names[start : start + 10]]
        foretold: dict[str, tuple[str, bool]] | None = None
        for dry in (True, False):
            ground.applications.calls.clear()
            try:
                found = {o.id: (o.status.replace("planned", "verified"), o.call) for o in run(ground, own, dry_run=dry)}
            except GuardStopped:
                found = {}
                stopped += 1
            made = ground.applications.calls
            if dry:
                foretold = found
                assert {verb for verb, *_ in made} <= {"read"}
            else:
                assert found == foretold
                changed = [(application, account_id) for verb, application, account_id in made if verb == "deactivate"]
                called += len(changed)
                expected = {(r.application, r.account_id) for r in waiting if found.get(r.id, ("", False))[1]}
                assert sorted(changed) == sorted(expected)
    assert called > 150
    assert stopped > 4


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
