"""Proposing: what may be proposed, by whom, and what it does to the finding."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from acting import ADA, ANN, OTTO, SAM, SETTINGS, SUE, Ground, account, refusal
from conftest import NOW
from remediations import WHY, changed, crowd, proposed
from sqlmodel import select

from governance import remediation
from governance.access import Actor
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


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    return Ground(house, NOW)


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


def test_of_twenty_that_propose_at_once_one_wins(ground: Ground) -> None:
    (fingerprint,) = ground.stand([account("crm", "a1")])
    got = crowd(20, lambda _: remediation.propose(ground.house, SAM, NOW, [fingerprint], WHY))
    assert got.count(None) == 1
    assert {type(error) for error in got if error} == {AlreadyDecided}
    with ground.house.store.read() as session:
        assert len(session.exec(select(Remediation)).all()) == 1
