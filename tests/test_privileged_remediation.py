"""Privileged accounts: never the last, and two approvers for the one before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from acting import SAM, SETTINGS, SUE, TOM, Ground, account
from conftest import NOW
from remediations import LATER, WHY, run

from governance import remediation
from governance.errors import (
    FourEyesRequired,
    LastPrivilegedAccount,
)
from governance.house import House


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    return Ground(house, NOW)


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
