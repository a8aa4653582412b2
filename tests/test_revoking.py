"""Taking one entitlement away, as a review decided: called at the vendor, proved by the next pull, given back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from reviews import actor, items
from sqlmodel import select

from governance import campaigns, remediation
from governance.campaigns import Decision
from governance.house import House
from governance.tables import AuditEntry, Remediation
from jobs import remediate
from jobs.detect import detect
from jobs.home import announce, connect
from jobs.pull import pull
from tests.github_organisations import MANAGED, Organisation, checked_organisation
from tests.sandbox_company import NOW

ACTORS = [
    {"email": "sec@x.example", "roles": ["security"]},
    {"email": "owner@x.example", "roles": ["application_owner"]},
    {"email": "other@x.example", "roles": ["security"]},
]


@pytest.fixture
def org() -> Iterator[Organisation]:
    with checked_organisation(MANAGED) as made:
        yield made


@pytest.fixture
def house(make_house: Any, org: Organisation) -> House:
    options = MANAGED.options(org.sandbox.url(org.application.name))
    feed = {"name": "github", "connector": "github", "owner": "owner@x.example", **options}
    secrets = {name: {"env": name.upper()} for name in org.tenant.secrets(org.application)}
    told = {"act": {"enabled": True, "max_share": 1.0}, "application": [feed | secrets], "actor": ACTORS}
    made = make_house(told)
    announce(made, NOW)
    read(made, org, NOW)
    return made


def environ(org: Organisation) -> dict[str, str]:
    return {name.upper(): value for name, value in org.tenant.secrets(org.application).items()}


def read(house: House, org: Organisation, now: Any) -> None:
    def reach(place: House, name: str, at: Any) -> Any:
        return connect(place, name, at, environ=environ(org))

    [result] = pull(house, [], now, at=now, connect=reach)
    assert result.status == "published", result
    detect(house, now, as_of=now)


def carried_out(house: House, org: Organisation, now: Any) -> list[remediate.Outcome]:
    return remediate.run(house, lambda name, write: connect(house, name, now, write, environ(org)), now)


def proposed(house: House, org: Organisation) -> Remediation:
    sec = actor(house, "sec")
    plan = {"levels": [["application_owner"]], "fallback": "sec@x.example"}
    made = campaigns.create(house, sec, NOW, "GitHub", {"applications": ["github"]}, plan)
    campaigns.launch(house, sec, NOW, made.id)
    found = items(house, made.id)
    [wanted] = [i for (account, held), i in found.items() if account == org.id("bruno") and held == "Everyone"]
    words = {i.number: "remove" if i.number == wanted.number else "keep" for i in found.values()}
    owner = actor(house, "owner")
    campaigns.decide(house, owner, NOW, made.id, [Decision(n, word, "not his team") for n, word in words.items()])
    campaigns.close(house, sec, NOW, made.id)
    with house.store.read() as session:
        return session.exec(select(Remediation)).one()


def status(house: House) -> str:
    with house.store.read() as session:
        return session.exec(select(Remediation.status)).one()


def holds(org: Organisation) -> bool:
    return org.people["bruno"].id in {g.account_id for g in org.application.holders(org.everyone)}


def test_it_is_called_proved_by_the_next_pull_and_given_back(house: House, org: Organisation) -> None:
    r = proposed(house, org)
    assert (r.action, r.entitlement_id is not None) == ("revoke", True)
    remediation.approve(house, actor(house, "other"), NOW, [r.id], "as reviewed")
    [outcome] = carried_out(house, org, NOW)
    assert (outcome.status, outcome.call, holds(org)) == ("executed", True, False), outcome
    later = NOW + timedelta(hours=1)
    read(house, org, later)
    assert status(house) == "verified"
    with house.store.read() as session:
        verbs = [
            entry.verb for entry in session.exec(select(AuditEntry).where(AuditEntry.object == f"remediation/{r.id}"))
        ]
    assert verbs == ["propose", "approve", "revoke", "executed", "verified"]
    back = remediate.undo(
        house, lambda name, write: connect(house, name, later, write, environ(org)), later, actor(house, "other"), r.id
    )
    assert (back.status, holds(org)) == ("undone", True)


def test_a_pull_that_still_shows_it_proves_nothing(house: House, org: Organisation) -> None:
    r = proposed(house, org)
    remediation.approve(house, actor(house, "other"), NOW, [r.id], "as reviewed")
    carried_out(house, org, NOW)
    team = org.application.entitlements[org.everyone]
    org.application.grants.append(type(org.application.grants[0])(org.people["bruno"].id, team.id, NOW, "group"))
    read(house, org, NOW + timedelta(hours=1))
    assert status(house) == "executed"


def test_a_dry_run_calls_nothing(house: House, org: Organisation) -> None:
    r = proposed(house, org)
    remediation.approve(house, actor(house, "other"), NOW, [r.id], "as reviewed")
    before = len(org.sandbox.requests)
    [outcome] = remediate.run(
        house, lambda name, write: connect(house, name, NOW, write, environ(org)), NOW, dry_run=True
    )
    assert (outcome.status, holds(org), status(house)) == ("planned", True, "approved")
    asked = [
        seen for seen in org.sandbox.requests[before:] if not seen.path.endswith("/graphql")
    ]  # asks, changes nothing
    assert {seen.method for seen in asked} == {"GET"}


def test_what_somebody_else_took_away_meanwhile_is_cancelled(house: House, org: Organisation) -> None:
    proposed(house, org)
    bruno, team = org.people["bruno"].id, org.everyone
    org.application.grants[:] = [g for g in org.application.grants if (g.account_id, g.entitlement_id) != (bruno, team)]
    read(house, org, NOW + timedelta(hours=1))
    with house.store.read() as session:
        r = session.exec(select(Remediation)).one()
    assert (r.status, r.error) == ("cancelled", "the entitlement is not held any more, somebody else took it away")
