"""One person in several sources of truth: who is the same, and what holds when the sources disagree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlmodel import select

from governance.findings import evaluated
from governance.guards import believe
from governance.records import Account, Identity, Reading
from governance.snapshots import publish, stage
from governance.tables import Finding, Snapshot
from jobs.detect import detect

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEFT = {"state": "ended", "ended_at": NOW - timedelta(days=9)}


@pytest.fixture
def settings():
    return {
        "source": [
            {"name": "hr", "connector": "hr_csv", "ids": "shared"},
            {"name": "payroll", "connector": "hr_csv", "ids": "shared"},
            {"name": "vendors", "connector": "hr_csv"},
        ],
        "application": [{"name": "crm", "connector": "app_csv"}],
    }


def person(source="hr", number="1", **facts):
    return replace(Identity(source=source, employee_id=number, state="current"), **facts)


def seen(house, *people, account=None):
    """The identities and accounts of the estate after these sources and one account were read."""
    for name in ("hr", "payroll", "vendors"):
        own = [p for p in people if p.source == name] or [person(name, f"someone-at-{name}")]
        believe(house, stage(house, house.settings.feed(name), own, Reading(), NOW, NOW), NOW, "worker")
    accounts = [account or Account("crm", "a1", email="anna@nwl.example", active=True)]
    believe(house, stage(house, house.settings.feed("crm"), accounts, Reading(), NOW, NOW), NOW, "worker")
    with evaluated(house, NOW) as evaluation:
        identities = evaluation.estate.identities.collect("polars").to_native()
        owned = evaluation.estate.accounts.collect("polars").to_native()
    return {row["identity_id"]: row for row in identities.iter_rows(named=True)}, owned.row(0, named=True)


def test_shared_ids_make_one_person_with_the_facts_of_the_first_source(house):
    people, _ = seen(house, person("hr", department="Sales"), person("payroll", department="2210"))
    assert people["hr:1"]["department"] == "Sales"
    assert "payroll:1" not in people


def test_own_ids_are_not_compared(house):
    people, _ = seen(house, person("hr"), person("vendors"))
    assert {"hr:1", "vendors:1"} <= set(people)


def test_the_same_address_makes_one_person_where_ids_are_not_shared(house):
    people, account = seen(
        house, person("hr", email="anna@nwl.example"), person("vendors", "V9", email="Anna@NWL.example")
    )
    assert "vendors:V9" not in people
    assert account["owner_id"] == "hr:1"


def test_an_address_that_was_given_on_after_the_first_had_left_is_two_people(house):
    gone = person("hr", email="anna@nwl.example", state="ended", ended_at=NOW - timedelta(days=300))
    came = person("vendors", "V9", email="anna@nwl.example", hire_at=NOW - timedelta(days=100))
    people, account = seen(house, gone, came)
    assert {"hr:1", "vendors:V9"} <= set(people)
    assert account["match"] == "ambiguous"


def test_a_key_of_the_second_source_leads_to_the_person(house):
    _, account = seen(house, person("hr"), person("payroll", email="anna@nwl.example"))
    assert (account["owner_id"], account["match_key"]) == ("hr:1", "email")


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        (LEFT, LEFT, "ended"),
        (LEFT, {}, "current"),
        ({}, LEFT, "current"),
        ({"state": "leave"}, {}, "leave"),
        (LEFT, {"state": "leave"}, "current"),
        (LEFT, {"state": "future", "hire_at": NOW + timedelta(days=30)}, "future"),
        ({"state": "future", "hire_at": NOW + timedelta(days=30)}, LEFT, "future"),
        (LEFT, {"state": "unknown"}, "unknown"),
        ({"state": "unknown"}, LEFT, "unknown"),
    ],
)
def test_somebody_has_left_only_when_every_source_that_has_them_says_so(house, first, second, state):
    people, _ = seen(house, person("hr", **first), person("payroll", **second))
    assert people["hr:1"]["state"] == state
    assert (people["hr:1"]["ended_at"] is not None) == (state == "ended")


@pytest.mark.parametrize("lost", ["hr", "payroll"])
@pytest.mark.parametrize("announced", [None, NOW + timedelta(days=90)])
def test_a_source_that_lost_somebody_does_not_keep_them_from_having_left(house, lost, announced):
    held = {"hr": "payroll", "payroll": "hr"}[lost]
    seen(house, person("hr", ended_at=announced), person("payroll", ended_at=announced))
    later = NOW + timedelta(days=1)
    told = {"state": "ended", "ended_at": NOW - timedelta(hours=1), "ended_why": "terminated"}
    for name, facts in ((lost, None), (held, told)):
        own = [person(name, f"someone-at-{name}"), *([] if facts is None else [person(name, **facts)])]
        snapshot = stage(house, house.settings.feed(name), own, Reading(), later, later)
        with house.store.write() as session:
            publish(session, session.get_one(Snapshot, snapshot.id), later)
    with evaluated(house, later) as evaluation:
        people = evaluation.estate.identities.collect("polars").to_native()
    [row] = people.filter(people["identity_id"] == "hr:1").to_dicts()
    assert {key: row[key] for key in told} == told


def test_the_latest_end_counts(house):
    later = NOW - timedelta(days=2)
    people, _ = seen(house, person("hr", **LEFT), person("payroll", state="ended", ended_at=later))
    assert people["hr:1"]["ended_at"] == later


def test_the_third_source_meets_the_person_through_the_second(house):
    people, _ = seen(
        house,
        person("hr"),
        person("payroll", email="anna@nwl.example"),
        person("vendors", "V9", email="anna@nwl.example"),
    )
    assert not {"payroll:1", "vendors:V9"} & set(people)


def test_a_current_colleague_in_one_source_is_no_ghost(house):
    seen(house, person("hr", email="anna@nwl.example", **LEFT), person("payroll", email="anna@nwl.example"))
    detect(house, NOW)
    with house.store.read() as session:
        assert session.exec(select(Finding).where(Finding.rule == "ghost")).all() == []
