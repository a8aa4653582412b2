"""Plans and caps: a run over its limit, its release, and what a dry run foretells."""

from __future__ import annotations

import random
from typing import Any

import pytest
from acting import SAM, SETTINGS, SUE, TOM, Ground, account, refusal
from conftest import NOW
from msgspec.structs import replace
from remediations import LATER, WHY, approved, capped, holds, proposed, run

from governance import guards, remediation
from governance.errors import (
    AlreadyDecided,
    FourEyesRequired,
    GuardStopped,
    NotSupported,
)
from governance.house import House
from governance.remediation import Plan


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    return Ground(house, NOW)


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
