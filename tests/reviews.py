"""A small company whose access is reviewed: a tree of managers, two applications read for real, and who may act."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from sqlmodel import select

from governance import campaigns, guards
from governance.access import Actor, find_actor
from governance.campaigns import Decision
from governance.errors import GuardStopped
from governance.house import House
from governance.tables import Remediation, ReviewDecision, ReviewItem, RunHold
from jobs.detect import detect
from jobs.home import announce, identities
from jobs.outcomes import Outcome
from jobs.pull import pull
from jobs.remediate import run
from jobs.work import connector_of
from tests.kept_houses import beginning

# Eva leads; Max leads Finance, Lea leads Sales. Ida left. Tom moved from Sales to Finance.
PEOPLE = """employee_id,status,work_email,display_name,hire_date,termination_date,department,job_title,manager_employee_id,worker_type
1,active,eva@x.example,Eva Lind,2020-01-01,,Board,Director,,employee
2,active,max@x.example,Max Orth,2020-01-01,,Finance,Head,1,employee
3,active,lea@x.example,Lea Bach,2020-01-01,,Sales,Head,1,employee
4,active,ann@x.example,Ann Roth,2021-01-01,,Finance,Accountant,2,employee
5,active,ben@x.example,Ben Kurz,2021-01-01,,Finance,Accountant,2,employee
6,active,tom@x.example,Tom Vale,2021-01-01,,Finance,Accountant,2,employee
7,active,sue@x.example,Sue Hart,2021-01-01,,Sales,Seller,3,employee
8,active,joe@x.example,Joe Main,2021-01-01,,Sales,Seller,3,contingent
9,terminated,ida@x.example,Ida Fern,2021-01-01,2026-10-31,Sales,Seller,3,employee
"""
CRM = """account_id,username,email,status,employee_id,last_login_at,kind,entitlements
c1,eva,eva@x.example,active,1,2026-11-20,human,Reader
c2,max,max@x.example,active,2,2026-11-20,human,Reader;Admin!
c3,lea,lea@x.example,active,3,2026-11-20,human,Reader;Admin!
c4,ann,ann@x.example,active,4,2026-11-20,human,Reader
c5,ben,ben@x.example,active,5,2026-03-01,human,Reader
c6,tom,tom@x.example,active,6,2026-11-20,human,Reader;Seller
c7,sue,sue@x.example,active,7,2026-11-20,human,Reader;Seller
c8,joe,joe@x.example,active,8,2026-11-20,human,Reader;Seller;Admin!
c9,ida,ida@x.example,active,9,2026-11-01,human,Reader
c10,robot,,active,,2026-11-20,service,Admin!
c11,nobody,nobody@y.example,active,,,human,Reader
c12,gone,gone@y.example,inactive,,,human,Reader
"""
WIKI = """account_id,username,email,status,employee_id
w4,ann,ann@x.example,active,4
w7,sue,sue@x.example,active,7
"""
FINANCE, SALES = {"department": "Finance"}, {"department": "Sales"}
TOLD: dict[str, Any] = {
    "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv", "date_format": "%Y-%m-%d"}],
    "application": [
        {
            "name": "crm",
            "title": "Customer CRM",
            "connector": "app_csv",
            "path": "crm.csv",
            "owner": "owner@x.example",
        },
        {"name": "wiki", "connector": "app_csv", "path": "wiki.csv", "owner": "ann@x.example"},
    ],
    "role_mapping": [
        {"application": "crm", "when": FINANCE, "gives": ["Reader"]},
        {"application": "crm", "when": SALES, "gives": ["Reader", "Seller"]},
    ],
    "actor": [
        {"email": "sec@x.example", "roles": ["security"]},
        {"email": "owner@x.example", "roles": ["application_owner"]},
        {"email": "ann@x.example", "roles": ["application_owner"]},
        {"email": "boss@x.example", "roles": ["approver"]},
        {"email": "other@x.example", "roles": ["security"]},
        {"email": "audit@x.example", "roles": ["auditor"]},
        {"email": "adm@x.example", "roles": ["admin"]},
    ],
}
PLAN: dict[str, Any] = {"levels": [["manager", "application_owner"]], "fallback": "boss@x.example", "days": 14}


def write(house: House, crm: str = CRM, people: str = PEOPLE, wiki: str = WIKI) -> None:
    """The files as they are now."""
    house.home.joinpath("hr.csv").write_text(people)
    house.home.joinpath("crm.csv").write_text(crm)
    house.home.joinpath("wiki.csv").write_text(wiki)


def read(house: House, now: datetime = NOW) -> House:
    """Pull everything and judge it."""
    announce(house, now)
    results = pull(house, [], now, at=now)
    assert {result.status for result in results} == {"published"}, results
    detect(house, now, as_of=now)
    return house


def reviewed(house: House, now: datetime = NOW - timedelta(days=1)) -> House:
    """The company, read once."""
    return beginning(house, lambda new: read(_written(new), now), now)


def _written(house: House) -> House:
    write(house)
    return house


def actor(house: House, email: str) -> Actor:
    """Who acts, as the newest estate knows them."""
    name = email if "@" in email else f"{email}@x.example"
    people = identities(house)
    return find_actor(house.settings, name, None if people is None else lambda: people)


def items(house: House, campaign: str) -> dict[tuple[str, str | None], ReviewItem]:
    """The items by account_id and entitlement."""
    with house.store.read() as session:
        rows = session.exec(select(ReviewItem).where(ReviewItem.campaign == campaign).order_by(ReviewItem.number)).all()
        session.expunge_all()
    return {(row.account_id, row.entitlement): row for row in rows}


def carried_out(house: House, now: datetime) -> list[Outcome]:
    """One run of everything approved, by the connectors of the house."""
    return run(house, connector_of(house), now)


def running(house: House, scope: dict[str, Any] | None = None, plan: dict[str, Any] | None = None) -> str:
    """A campaign of this scope and plan that runs."""
    sec = actor(house, "sec")
    made = campaigns.create(house, sec, NOW, "Autumn", scope or {}, plan or PLAN)
    return campaigns.launch(house, sec, NOW, made.id).id


def decide(house: House, who: str, id: str, *choices: tuple[Any, ...], **more: Any) -> list[ReviewDecision]:
    """These (account, entitlement, word) decided by somebody an hour after the launch."""
    found = items(house, id)
    wanted = [Decision(found[account, held].number, word, **more) for account, held, word in choices]
    return campaigns.decide(house, actor(house, who), NOW + timedelta(hours=1), id, wanted)


def everything(house: House, id: str, word: str = "keep", **other: str) -> None:
    """Every item decided by its reviewer: `word`, or what `other` says for an account."""
    for _ in range(3):
        by: dict[str, list[Decision]] = {}
        for item in items(house, id).values():
            if item.decision is None:
                chosen = other.get(item.account_id, word)
                by.setdefault(item.reviewer, []).append(Decision(item.number, chosen, reason="looked at"))
        for email, wanted in by.items():
            campaigns.decide(house, actor(house, email), NOW + timedelta(days=1), id, wanted)


def closed_with_removals(house: House) -> tuple[str, dict[str, Remediation]]:
    """A closed campaign in which four accounts lose something, and its remediations by account/entitlement."""
    id = running(house)
    everything(house, id, c9="remove", c5="remove", c10="remove", c8="change")
    campaigns.close(house, actor(house, "sec"), NOW + timedelta(days=2), id)
    with house.store.read() as session:
        rows = session.exec(select(Remediation)).all()
        session.expunge_all()
    return id, {f"{row.account_id}/{row.entitlement_id}": row for row in rows}


def through_its_cap(house: House, now: datetime) -> None:
    """The run over its limit is held until two actors release exactly that one."""
    with pytest.raises(GuardStopped, match="3 accounts"):
        carried_out(house, now)
    with house.store.read() as session:
        assert {row.status for row in session.exec(select(Remediation))} == {"approved"}
    with house.store.read() as session:
        hold = session.exec(select(RunHold)).one().id
    guards.release(house, actor(house, "sec"), now, hold, "agreed with the owner")
    with pytest.raises(GuardStopped):
        carried_out(house, now)
    guards.release(house, actor(house, "adm"), now, hold, "agreed")
    outcomes = carried_out(house, now)
    assert {one.status for one in outcomes} == {"executing"}
    assert not any(one.call for one in outcomes)
