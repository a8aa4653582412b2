"""One person in several sources of truth: who is the same, and what holds when the sources disagree."""

from __future__ import annotations

import itertools
import random
from datetime import UTC, datetime, timedelta

import narwhals as nw
import polars as pl
import pytest
from msgspec.structs import replace
from sqlmodel import select

from governance.findings import evaluated
from governance.guards import believe
from governance.persons import persons
from governance.records import Account, Identity, Reading
from governance.settings import parse
from governance.snapshots import publish, stage
from governance.subjects import read_facts
from governance.tables import Finding, Pin, Snapshot
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
    told = {"state": "ended", "ended_at": NOW - timedelta(hours=1), "ended_why": "terminated"}
    for days, still in ((1, told), (2, None)):  # who has left goes from the other one too some day
        later = NOW + timedelta(days=days)
        for name, facts in ((lost, None), (held, still)):
            own = [person(name, f"someone-at-{name}-{days}"), *([] if facts is None else [person(name, **facts)])]
            snapshot = stage(house, house.settings.feed(name), own, Reading(), later, later)
            with house.store.write() as session:
                publish(session, session.get_one(Snapshot, snapshot.id), later)
        with evaluated(house, later) as evaluation:
            people = evaluation.estate.identities.collect("polars").to_native()
        [row] = people.filter(people["identity_id"] == "hr:1").to_dicts()
        assert {key: row[key] for key in told} == told
        assert row["present"] == (still is not None)


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


@pytest.mark.parametrize("word", ["payroll:77", "PAYROLL:77", "77", "hr:1", "1", "anna@nwl.example", "a.n@pay.example"])
def test_who_answers_for_an_account_may_be_said_in_the_words_of_any_source(house, word):
    both = person("hr", email="anna@nwl.example"), person("vendors", "V1", email="anna@nwl.example")
    pay = person("payroll", "77", email="a.n@pay.example")
    people, account = seen(house, *both, pay, account=Account("crm", "a1", kind="service", responsible=word))
    owner = "hr:1" if word in {"hr:1", "1", "anna@nwl.example"} else "payroll:77"
    assert account["responsible_id"] == owner
    assert people[owner]["state"] == "current"


def test_who_answers_is_the_person_whichever_source_names_them(house):
    both = person("hr", email="anna@nwl.example", **LEFT), person("vendors", "V7", email="anna@nwl.example", **LEFT)
    for word in ("vendors:V7", "v7"):
        _, account = seen(house, *both, account=Account("crm", "a1", kind="service", responsible=word))
        assert (account["responsible_id"], account["responsible_state"]) == ("hr:1", "ended")


def test_an_external_id_and_a_manager_lead_to_the_person_also_by_the_id_of_a_further_source(house):
    boss = person("hr", "9", display_name="Berta Boss"), person("payroll", "9")
    report, login = person("payroll", "5", manager_id="payroll:9"), Account("crm", "a1", external_id="payroll:9")
    people, account = seen(house, *boss, report, account=login)
    assert people["payroll:5"]["manager_id"] == "hr:9"
    assert (account["owner_id"], account["match_key"]) == ("hr:9", "external_id")


def test_whose_account_it_is_may_not_decide_about_it_under_an_address_of_another_source_either(house):
    known = "anna@pay.example", "a.nwl@pay.example", "anna@vendors.example"
    hr = person("hr", email="anna@nwl.example", aliases=("a.nwl@nwl.example",))
    pay = person("payroll", email=known[0], aliases=known[1:2], former_emails=("anna.old@pay.example",))
    vendor = person("vendors", "V9", email=known[0])
    people, _ = seen(house, hr, pay, replace(vendor, aliases=known[2:]))
    assert people["hr:1"]["aliases"].split(";") == [
        "a.nwl@nwl.example",
        *known[:2],
        "anna.old@pay.example",
        known[0],
        known[2],
    ]
    detect(house, NOW)
    with house.store.read() as session:
        account = read_facts(house, session, [("crm", "a1")]).accounts["crm", "a1"]
    assert all(account.belongs_to(email) for email in ("anna@nwl.example", "A.NWL@nwl.example", *known))
    assert not account.belongs_to("berta@nwl.example")


def test_who_had_another_address_may_not_decide_under_it(house):
    seen(house, person("hr", email="anna@nwl.example", former_emails=("anna.old@nwl.example",)))
    detect(house, NOW)
    with house.store.read() as session:
        account = read_facts(house, session, [("crm", "a1")]).accounts["crm", "a1"]
    assert account.belongs_to("Anna.Old@nwl.example")


def test_an_account_stays_pinned_to_a_person_that_another_source_knows_too(house):
    with house.store.write() as session:
        session.add(
            Pin(application="crm", account_id="a1", identity_id="payroll:1", reason="asked her", actor="ana", at=NOW)
        )
    _, account = seen(house, person("hr", **LEFT), person("payroll", **LEFT))
    assert [account[key] for key in ("owner_id", "match", "owner_state")] == ["hr:1", "pinned", "ended"]
    with house.store.write() as session:
        session.get_one(Pin, ("crm", "a1")).identity_id = "nobody:3"
    with evaluated(house, NOW) as evaluation:
        [account] = evaluation.estate.accounts.collect("polars").to_native().to_dicts()
    assert [account[key] for key in ("owner_id", "match", "owner_state")] == ["nobody:3", "pinned", "unknown"]


def test_a_current_colleague_in_one_source_is_no_ghost(house):
    seen(house, person("hr", email="anna@nwl.example", **LEFT), person("payroll", email="anna@nwl.example"))
    detect(house, NOW)
    with house.store.read() as session:
        assert session.exec(select(Finding).where(Finding.rule == "ghost")).all() == []


def joined(*rows, shared):
    """identity_id -> person_id, where each row is (source, employee_id, e-mail); sources are listed as s0, s1, …"""
    names = sorted({source for source, _, _ in rows})
    told = [{"name": name, "connector": "hr_csv", "ids": "shared" if name in shared else "own"} for name in names]
    frame = pl.DataFrame(
        [(f"{s}:{number}", s, number, email, None, None) for s, number, email in rows],
        schema={
            **dict.fromkeys(("identity_id", "source", "employee_id", "email_key"), pl.String),
            **dict.fromkeys(("hire_at_s", "ended_at_s"), pl.Int64),
        },
        orient="row",
    )
    found = persons(nw.from_native(frame.lazy()), parse({"source": told}).source).collect("polars").to_native()
    return dict(found.iter_rows())


def hanging_together(rows, shared):
    """The same, worked out link by link."""
    person = {row: row for row in rows}

    def root(row):
        return row if person[row] == row else root(person[row])

    for one, other in itertools.combinations(rows, 2):
        by_number = one[1] == other[1] and {one[0], other[0]} <= shared
        if by_number or (one[2] is not None and one[2] == other[2]):
            first, second = sorted((root(one), root(other)))
            person[second] = first
    return {f"{row[0]}:{row[1]}": f"{root(row)[0]}:{root(row)[1]}" for row in rows}


@pytest.mark.parametrize("sources", [2, 3, 4, 6])
def test_a_person_is_one_through_whatever_chain_of_sources(sources):
    dice = random.Random(sources)
    for _ in range(60):
        rows = [(f"s{n}", dice.choice("1234"), dice.choice((None, "a", "b", "c"))) for n in range(sources)]
        shared = {f"s{n}" for n in range(sources) if dice.random() < 0.7}
        assert joined(*rows, shared=shared) == hanging_together(rows, shared), (rows, shared)


def test_a_chain_never_makes_one_person_of_two_that_a_source_tells_apart():
    rows = [("s0", "1", None), ("s0", "2", "b"), ("s1", "1", "c"), ("s2", "2", "c")]
    found = joined(*rows, shared={"s0", "s1", "s2"})
    assert found["s0:1"] != found["s0:2"]
    assert found == {"s0:1": "s0:1", "s0:2": "s0:2", "s1:1": "s0:1", "s2:2": "s0:2"}
