"""Manual tasks, snapshots that settle remediations, and undoing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from acting import ANN, OTTO, SAM, SETTINGS, TOM, Ground, account
from conftest import NOW
from homes import CRM, HR, Home
from homes import SETTINGS as AS_HOME
from msgspec.structs import replace
from remediations import LATER, approved, run, undo
from sqlmodel import select

from governance import remediation
from governance.errors import (
    AlreadyDecided,
    FourEyesRequired,
    NotAllowed,
    NotSupported,
    NotVerified,
)
from governance.house import House
from governance.tables import JobRun, Remediation, Snapshot
from jobs import verify
from jobs.detect import detect


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def ground(house: House) -> Ground:
    return Ground(house, NOW)


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


def test_what_was_begun_after_the_time_of_a_snapshot_is_not_proved_by_it(ground: Ground) -> None:
    ids = approved(ground, *(account("paper", f"p{n}") for n in (1, 2)), account("crm", "a1"))
    for application, minutes in (("paper", -1), ("crm", -1)):
        snapshot(ground, application, {"p1": (False, True), "a1": (False, True)}, minutes)  # p2 is not even remembered
        assert remediation.settle_by_snapshot(ground.house, LATER, application) == []
    assert [ground.remediation(id).status for id in ids] == ["executing", "executing", "approved"]
    snapshot(ground, "paper", {"p1": (False, True)}, 1)
    assert remediation.settle_by_snapshot(ground.house, LATER, "paper") == sorted(ids[:2])


class Meanwhile:
    """A store in which something happens before anybody writes."""

    def __init__(self, store: Any, happens: Callable[[], object]) -> None:
        self.read, self._store, self._happens = store.read, store, happens

    def write(self, **how: Any) -> Any:
        self._happens()
        return self._store.write(**how)


def test_what_is_begun_while_a_snapshot_is_looked_at_is_not_proved_by_it(ground: Ground) -> None:
    (id,) = approved(ground, account("crm", "a1"))
    snapshot(ground, "crm", {"a1": (False, True)}, 0)

    def begin() -> None:
        with ground.house.store.write() as session:
            r = session.get_one(Remediation, id)
            r.status, r.executing_at = "executing", NOW + timedelta(minutes=1)
            session.add(r)

    store: Any = Meanwhile(ground.house.store, begin)
    assert remediation.settle_by_snapshot(dataclasses.replace(ground.house, store=store), LATER, "crm") == []
    assert ground.remediation(id).status == "executing"


def test_detecting_that_cannot_read_what_would_settle_a_task_has_failed_and_says_so(ground: Ground) -> None:
    approved(ground, account("paper", "p1"))
    snapshot(ground, "paper", {"p1": (True, True)}, 1)
    (ground.house.snapshots / "paper" / "paper-1" / "accounts.parquet").write_bytes(b"not what was written")
    with pytest.raises(pl.exceptions.PolarsError):
        detect(ground.house, LATER)
    with ground.house.store.read() as session:
        [job] = session.exec(select(JobRun).where(JobRun.job == "detect")).all()
    assert (job.status, job.error) == ("failed", "an unexpected ComputeError; see the log")


def test_a_snapshot_that_two_released_proves_a_task_at_once(tmp_path: Path) -> None:
    home = Home(tmp_path, {"LEAVERWATCH_ACTOR": "sec@x.example"})
    (tmp_path / "leaverwatch.toml").write_text(AS_HOME)
    (tmp_path / "hr.csv").write_text(HR)
    file = tmp_path / "crm.csv"
    more = "".join(f"b{n},b{n},b{n}@x.example,active,,2026-11-20,\n" for n in range(30))
    file.write_text(CRM + more)
    home.do("pull", "--detect")
    [ghost] = home.do("findings", "--rule", "ghost", "--format", "json").json
    id = home.do("remediate", "propose", "--finding", ghost["fingerprint"], "--reason", "left").out.strip()
    home.do("remediate", "approve", id, "--reason", "yes", "--actor", "app@x.example")
    file.write_text(CRM.replace("cy@x.example,active", "cy@x.example,inactive"))
    assert home.run("pull", "crm").code == 3
    held = home.do("guard", "list", "--format", "json").json[0]["id"]
    home.do("guard", "release", held, "--reason", "sold")
    assert home.do("remediate", "list", "--format", "json").json[0]["status"] == "executing"
    home.do("guard", "release", held, "--reason", "sold", "--actor", "admin@x.example")
    assert home.do("remediate", "list", "--format", "json").json[0]["status"] == "verified"


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
