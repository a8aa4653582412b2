"""A real campaign, replayed: the members of a large organisation on 2024-02-10, the removals of 2024-02-14."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from reviews import actor, carried_out
from sqlmodel import select

from governance import campaigns, guards, remediation
from governance.campaigns import Decision
from governance.errors import GuardStopped
from governance.house import House
from governance.tables import Remediation, ReviewItem, RunHold
from jobs.detect import detect
from jobs.home import announce
from jobs.pull import pull
from tests.real_data import real

AT = datetime(2024, 2, 10, tzinfo=UTC)
DECIDED = datetime(2024, 2, 14, tzinfo=UTC)
ORGANISATION = "github_org_kubernetes"


@pytest.fixture
def settings() -> dict[str, Any]:
    return {
        "application": [
            {"name": "github", "connector": "app_csv", "path": "github.csv", "owner": "owner@x.example"},
        ],
        "actor": [
            {"email": "sec@x.example", "roles": ["security"]},
            {"email": "second@x.example", "roles": ["security"]},
            {"email": "owner@x.example", "roles": ["application_owner"]},
            {"email": "adm@x.example", "roles": ["admin"]},
        ],
    }


def told(name: str) -> list[dict[str, str]]:
    with (real(ORGANISATION) / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def members(house: House, gone: frozenset[str] = frozenset()) -> int:
    """Everybody with all their roles in all organisations, as one file of accounts."""
    held: dict[str, list[str]] = {}
    for row in told("members_2024-02-10.csv"):
        mark = "!" if row["role"] == "admins" else ""
        held.setdefault(row["login"], []).append(f"{row['org']} {row['role']}{mark}")
    with house.home.joinpath("github.csv").open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["account_id", "username", "status", "entitlements"])
        lines.writerows(
            [login, login, "active", ";".join(sorted(set(roles)))] for login, roles in held.items() if login not in gone
        )
    return len(held)


def test_738_removals_are_planned_once_exemptions_stay_and_the_guard_waits_for_two(house: House) -> None:
    exempt = {row["username"]: row["reason"] for row in told("exceptions.csv")}
    removed = {row["login"] for row in told("removal_decisions.csv") if row["date"] == "2024-02-14"}
    assert len(removed) == 738
    people = members(house)
    announce(house, AT)
    assert [one.status for one in pull(house, [], AT, at=AT)] == ["published"]
    detect(house, AT, as_of=AT)
    sec, owner = actor(house, "sec"), actor(house, "owner")
    out = [
        {"application": "github", "account": login, "owner": "owner@x.example", "why": reason}
        for login, reason in exempt.items()
    ]
    scope = {"items": "accounts", "left_out": out}
    plan = {"levels": [["application_owner"]], "fallback": "second@x.example", "days": 14}
    made = campaigns.create(house, sec, AT, "Inactive members", scope, plan)
    launched = campaigns.launch(house, sec, AT, made.id)
    with house.store.read() as session:
        items = {row.account_id: row for row in session.exec(select(ReviewItem))}
    present_exempt = {row["login"] for row in told("members_2024-02-10.csv")} & set(exempt)
    assert set(items) & set(exempt) == set()
    assert len(items) == people - len(present_exempt)
    assert len(launched.statement["left_out"]) == len(present_exempt) == 7
    wanted = [
        Decision(item.number, "remove" if login in removed else "keep", "inactive for a year")
        for login, item in items.items()
    ]
    for start in range(0, len(wanted), 1_000):
        campaigns.decide(house, owner, DECIDED, made.id, wanted[start : start + 1_000])
    closed = campaigns.close(house, sec, DECIDED, made.id)
    assert closed.outcome["removals"] == {"proposed": 738}
    with house.store.read() as session:
        planned = session.exec(select(Remediation)).all()
        session.expunge_all()
    assert sorted(r.account_id for r in planned) == sorted(removed)
    ids = [r.id for r in planned]
    remediation.approve(house, sec, DECIDED, ids, "as reviewed")
    by_hand = DECIDED + timedelta(minutes=1)
    assert _statuses(house) == {"approved": 738}
    [share] = remediation.plan(house, by_hand).shares
    assert (share.count, share.limit, share.active) == (738, 25, people)
    assert round(100 * share.count / share.active, 1) == 35.8
    with pytest.raises(GuardStopped, match="738 accounts"):
        carried_out(house, by_hand)
    assert _statuses(house) == {"approved": 738}
    with house.store.read() as session:
        hold = session.exec(select(RunHold)).one().id
    guards.release(house, sec, by_hand, hold, "the organisation agreed")
    with pytest.raises(GuardStopped):
        carried_out(house, by_hand)
    guards.release(house, actor(house, "adm"), by_hand, hold, "the organisation agreed")
    assert {one.status for one in carried_out(house, by_hand)} == {"executing"}
    _read_without(house, frozenset(removed))
    assert _statuses(house) == {"verified": 738}


def _statuses(house: House) -> dict[str, int]:
    found: dict[str, int] = {}
    with house.store.read() as session:
        for r in session.exec(select(Remediation)):
            found[r.status] = found.get(r.status, 0) + 1
    return found


def _read_without(house: House, gone: frozenset[str]) -> None:
    """The next file. Its own guard lets it pass: what is missing in it was asked for from here."""
    members(house, gone)
    later = DECIDED + timedelta(days=1)
    assert [one.status for one in pull(house, [], later, at=later)] == ["published"]
