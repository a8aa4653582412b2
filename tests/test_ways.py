"""What can be done in an application from here hangs on its settings too: every page and verb says the same."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from connectors.kit.contract import Circumstances, connector_class, connector_names
from governance import remediation
from governance.errors import NotSupported
from governance.settings import ApplicationSettings, Settings, parse
from governance.tables import Connector
from governance.views import applications
from jobs.declarations import declaration, declare
from jobs.doctor import examine
from tests.listing import actor
from tests.seeded import account, put_findings, put_remediation, put_run

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
KEY = "secret"
GITHUB: dict[str, Any] = {"connector": "github", "organization": "nwl", "token": KEY, "enterprise": "nwl"}
SITE = "https://nwl.atlassian.net/"
JIRA: dict[str, Any] = {"connector": "jira", "base_url": SITE, "email": "a@nwl.example", "token": KEY}
ORGANISATION = {"org_id": "o1", "org_token": KEY}
REST: dict[str, Any] = {
    "connector": "rest",
    "base_url": "https://api.nwl.example/",
    "token": KEY,
    "accounts": {"path": "people"},
    "fields": {"account_id": "id"},
}
OFF = {"method": "POST", "path": "people/{account_id}/off"}
WRITES = {"write_token": KEY}
# What an application is set to, and whether it can be closed from here.
CASES = [
    (GITHUB | WRITES, False),
    (GITHUB | WRITES | {"managed": True}, True),
    (GITHUB | {"managed": True}, False),
    (REST | WRITES, False),
    (REST | WRITES | {"reactivate": OFF}, False),
    (REST | WRITES | {"deactivate": OFF}, True),
    (JIRA | WRITES | {"write_email": "a@nwl.example"}, False),
    (JIRA | WRITES | ORGANISATION | {"write_email": "a@nwl.example"}, False),
    (JIRA | WRITES | ORGANISATION, True),
]


@pytest.fixture(params=CASES, ids=lambda case: f"{case[0]['connector']}-{case[1]}")
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], bool]:
    return request.param


@pytest.fixture
def settings(case: tuple[dict[str, Any], bool]) -> Settings:
    one = {"name": "one", "owner": "owner@nwl.example", **case[0]}
    people = [{"email": "sec@nwl.example", "roles": ["security"]}]
    return parse({"act": {"enabled": True}, "application": [one], "actor": people})


def test_what_can_be_closed_from_here_is_what_the_connector_will_do(house, now, case):
    declare(house)
    closes = case[1]
    [card] = applications.cards(house, now)
    assert card.closing.how == ("call" if closes else "task")
    assert applications.closable(house) == (["one"] if closes else [])
    put_run(house, now, [account("one", "a")])
    [fingerprint] = put_findings(house, now, {"application": "one", "account_id": "a"})
    [r] = remediation.propose(house, actor(house, "sec@nwl.example"), now, [fingerprint], "left")
    assert r.action == ("deactivate" if closes else "manual"), "a proposal that must fail costs two people a decision"


def test_the_tick_of_an_application_is_for_what_it_can_do_as_it_is_set(house, now, case):
    declare(house)
    [card] = applications.cards(house, now)
    able = case[1] or "write_token" not in case[0]  # what it could do says nothing of whether it may
    assert dict(card.ticks)["Deactivate"] is able


def test_the_doctor_calls_it_a_task_where_it_is_one(house, now, case):
    said = {one.what: one.says for one in examine(house, now, {})}["write access to one"]
    unset = "task for its owner" if "managed" not in case[0] else "no write_token"
    assert ("at most" if case[1] else unset) in said


@pytest.mark.parametrize(("options", "closes"), [case for case in CASES if not case[1] and "write_token" in case[0]])
def test_where_it_is_a_task_the_connector_would_refuse(options, closes):
    feed = ApplicationSettings.model_validate({"name": "one", **options})
    secrets = {key: KEY for key in ("token", "write_token", "org_token") if key in options}
    connector = connector_class(feed.connector)(feed, Circumstances(NOW, Path("/"), secrets, write=True))
    with pytest.raises(NotSupported):
        connector.deactivate("7")


@pytest.mark.parametrize("name", connector_names())
def test_a_setting_names_capabilities_its_connector_has(name):
    kind = connector_class(name)
    for field in kind.fields:
        assert {*field.needed_for, *field.rules_out} <= set(kind.capabilities()), field.name
    assert not inspect.isabstract(kind)


def test_a_declaration_is_written_once(house):
    declare(house)
    with house.store.read() as session:
        kept = {row.name: row.model_dump() for row in session.exec(select(Connector))}
    assert kept["github"] == declaration("github").model_dump(), "else every start would write all of them anew"


@pytest.mark.parametrize("undoes", [False, True])
def test_a_way_back_is_promised_only_where_there_is_one(house, now, undoes):
    on = {**OFF, "path": "people/{account_id}/on"}
    one = {"name": "one", "owner": "owner@nwl.example", **REST, **WRITES, "deactivate": OFF}
    house = replace(
        house, settings=parse({"act": {"enabled": True}, "application": [one | ({"reactivate": on} if undoes else {})]})
    )
    declare(house)
    [card] = applications.cards(house, now)
    assert card.closing.how == "call"
    assert card.closing.reversible.startswith("Reversible" if undoes else "There is no way back from here")
    r = put_remediation(house, "r1", now, application="one", status="verified", attempts=1)
    assert remediation.gives_back(house, r) is undoes
