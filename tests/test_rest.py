"""REST as declared in TOML: four ways of paging, units, a server that is not ours, and declarations that are wrong."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from foreign_servers import TOKEN, hire, is_active, missing, running
from wild_server import WildServer, says

from connectors.kit.contract import Circumstances
from connectors.rest import Rest
from connectors.sandbox.serving import Sandbox
from governance.errors import ConfigurationError, FeedError, NotSupported, UnexpectedAnswer
from governance.records import Account, Entitlement, Grant
from governance.settings import ApplicationSettings
from tests.sandbox_company import NOW, crowd
from tests.tenants.rest import options

SCIM = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def rest(told: dict[str, Any], token: str = TOKEN, write: bool = False) -> Rest:
    places = {"token": {"env": "T"}, "write_token": {"env": "T"}}
    feed = ApplicationSettings(name="crm", connector="rest", privileged=("admin*",), **{**places, **told})
    secrets = {"token": token, "write_token": token}
    return Rest(feed, Circumstances(now=NOW, home=Path(), secrets=secrets, write=write, deadline_s=20))


PAGING: dict[str, dict[str, Any]] = {
    "page": {"paging": "page", "total": "total", "size_param": "per_page"},
    "offset": {"paging": "offset", "total": "total", "size_param": "limit"},
    "cursor": {"paging": "cursor", "next": "next_cursor", "size_param": "limit"},
    "link": {"paging": "link", "size_param": "limit"},
}


@pytest.mark.parametrize("style", PAGING)
@pytest.mark.parametrize("count", [1, 9, 10, 11, 21])
def test_every_way_of_paging_reads_every_account_once(style: str, count: int) -> None:
    application = crowd("rest", count, "crm")
    application.settings["paging"] = style
    with Sandbox([application]) as sandbox:
        told = options(sandbox.url("crm"))
        told["accounts"] = {"path": "users", "items": "users", "size": 10, **PAGING[style]}
        connector = rest(told, application.token)
        found = [record.account_id for record in connector.records() if isinstance(record, Account)]
    assert sorted(found) == sorted(application.accounts)
    assert connector.reading.kept == count
    if style in ("page", "offset"):
        assert connector.reading.declared_total == count


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("seconds", int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())),
        ("milliseconds", int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1000),
        (
            "filetime",
            int((datetime(2026, 3, 1, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10,
        ),
        (None, "2026-03-01T01:00:00+01:00"),
        (None, int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())),
        (None, int(datetime(2026, 3, 1, tzinfo=UTC).timestamp()) * 1000),
    ],
)
def test_a_time_is_read_in_its_declared_unit(wild: Callable[[Any], str], unit: str | None, value: object) -> None:
    told = {
        "base_url": wild([{"id": 1, "seen": value}]),
        "accounts": {"path": "people"},
        "fields": {"account_id": "id", "last_seen_at": "seen"},
        "units": {"last_seen_at": unit} if unit else {},
    }
    [account] = [record for record in rest(told).records() if isinstance(record, Account)]
    assert account.last_seen_at == datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def wild():
    """Starts a server that answers every request with one JSON value; gives its address."""
    with ExitStack() as stack:
        yield lambda value: stack.enter_context(WildServer(says(value))).url


def test_what_is_not_told_stays_unknown_and_what_is_told_strangely_too(wild: Callable[[Any], str]) -> None:
    people = [
        {"id": 1, "state": "on", "roles": ["admins", "sales"]},
        {"id": 2, "state": "weird", "roles": []},
        {"id": 3, "roles": None, "seen": "never"},
        {"id": 4, "state": ["on"], "seen": "soon", "roles": [{"id": 7, "name": "Admin desk"}]},
    ]
    told = {
        "base_url": wild(people),
        "accounts": {"path": "people"},
        "fields": {"account_id": "id", "active": "state", "entitlements": "roles", "last_seen_at": "seen"},
        "values": {"active": {"on": True, "off": False}},
    }
    connector = rest(told)
    records = list(connector.records())
    one, two, three, four = (record for record in records if isinstance(record, Account))
    assert (one.active, one.privileged) == (True, True)
    assert (two.active, two.privileged) == (None, False)
    assert (three.active, three.privileged, three.last_seen_known) == (None, None, True)
    assert (four.active, four.privileged, four.last_seen_at) == (None, True, None)
    assert {e.name for e in records if isinstance(e, Entitlement)} == {"admins", "sales", "Admin desk"}
    assert {(g.account_id, g.entitlement_id) for g in records if isinstance(g, Grant)} == {
        ("1", "admins"),
        ("1", "sales"),
        ("4", "7"),
    }
    assert "last_seen_at could not be read 1 times" in connector.reading.notes


@pytest.mark.parametrize("server", ["scim2-server", "canaille"])
def test_a_server_that_is_not_ours_is_read_closed_and_opened_by_a_declaration(server: str, tmp_path: Path) -> None:
    if reason := missing(server):
        pytest.skip(reason)
    told = {
        "accounts": {"path": "Users", "items": "Resources", "total": "totalResults", "paging": "none"},
        "fields": {
            "account_id": "id",
            "username": "userName",
            "email": "emails[0].value",
            "employee_id": f'"{SCIM}".employeeNumber',
            "active": "active",
            "created_at": "meta.created",
        },
        "account": {"path": "Users/{account_id}"},
    }
    with running(server, tmp_path) as base:
        ids = hire(base, 3)
        switch = {
            "method": "PATCH",
            "path": "Users/{account_id}",
            "body": {
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "replace", "path": "active", "value": False}],
            },
        }
        on = copy.deepcopy(switch)
        on["body"]["Operations"][0]["value"] = True
        connector = rest({**told, "base_url": base, "deactivate": switch, "reactivate": on}, write=True)
        accounts = {a.username: a for a in connector.records() if isinstance(a, Account)}
        assert {name: accounts[name].account_id for name in ids} == ids
        assert accounts["person2"].employee_id == "00002"
        assert accounts["person2"].active is True
        connector.deactivate(ids["person1"])
        assert not is_active(base, ids["person1"])
        assert connector.account(ids["person1"]).active is False
        assert is_active(base, ids["person0"])
        connector.reactivate(ids["person1"])
        assert is_active(base, ids["person1"])
        assert connector.account("nobody") is None
        with pytest.raises(NotSupported, match="read-only"):
            rest({**told, "base_url": base, "deactivate": switch}).deactivate(ids["person1"])


GOOD = {"base_url": "https://crm.example/api/", "accounts": {"path": "users"}, "fields": {"account_id": "id"}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"accounts": {}}, "accounts.path: Field required"),
        ({"accounts": {"path": "u", "pages": 1}}, "accounts.pages: this key is not known here"),
        ({"accounts": {"path": "u", "items": "a["}}, "accounts.items: 'a[' is no JMESPath expression"),
        ({"accounts": {"path": "u", "paging": "token"}}, "accounts.paging"),
        ({"accounts": "users"}, "accounts"),
        ({"fields": {"username": "login"}}, "fields.account_id: is missing"),
        ({"fields": {"account_id": "id", "login": "x"}}, "fields.login: not known"),
        ({"fields": {"account_id": ""}}, "fields.account_id: expected where it stands"),
        ({"values": {"username": {"a": "b"}}}, "values.username: only kind, active, mfa"),
        ({"values": {"active": {"on": "yes"}}}, "values.active.on: expected one of true, false"),
        ({"units": {"last_seen_at": "days"}}, "units.last_seen_at: expected"),
        ({"deactivate": {"path": "users/{id}/off"}}, "deactivate.path: {id} is not known"),
        ({"deactivate": {"path": "x", "method": "TRACE"}}, "deactivate.method"),
        ({"base_url": "http://crm.example/"}, "base_url"),
    ],
)
def test_a_wrong_declaration_is_named_by_its_key(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        rest({**GOOD, **wrong})
    assert said in str(refusal.value)
    assert "leaverwatch.toml: [[application]] crm" in str(refusal.value)


@pytest.mark.parametrize("account_id", ["../admin", "a/b", "x?y=1", "a#b", "%2e%2e", "ä b"])
def test_no_id_leads_to_another_path(account_id: str) -> None:
    with WildServer(says({"id": account_id})) as server:
        connector = rest({**GOOD, "base_url": server.url, "account": {"path": "users/{account_id}"}})
        found = connector.account(account_id)
        asked = server.paths()
    assert found is not None
    assert asked == [f"/scim/v2/users/{quote(account_id, safe='')}"]


@pytest.mark.parametrize("account_id", [".", ".."])
def test_an_id_that_is_a_step_in_a_path_is_never_asked_for(account_id: str) -> None:
    with WildServer(says({"id": account_id})) as server:
        connector = rest({**GOOD, "base_url": server.url, "account": {"path": "users/{account_id}"}})
        with pytest.raises(UnexpectedAnswer):
            connector.account(account_id)
        assert server.paths() == []


def test_another_account_than_the_one_asked_for_is_not_believed(wild: Callable[[Any], str]) -> None:
    told = {**GOOD, "base_url": wild({"id": "other", "active": False}), "account": {"path": "users/{account_id}"}}
    with pytest.raises(FeedError, match="another account"):
        rest(told).account("mine")


DATA = {
    "a": {"b": [{"c": 1}, {"c": 2}], "x-y": 3, "n": None},
    "urn:x:y": {"z": 4},
    "l": [1, [2, 3]],
    "s": "text",
    "e": [],
}
PATHS = [
    "a", "a.b", "a.b[0].c", "a.b[-1].c", "a.b[9].c", "a.b[-9]", 'a."x-y"', '"urn:x:y".z', "l[1][0]", "s[0]", "s.t", "e[0]",
    "a.n", "a.n.m", "missing", "missing.b[0]", "l.b", "a[0]", "a.b.c", "a.b[*].c", "@", "join('-', [s, s])", "length(l)",
]  # fmt: skip


@pytest.mark.parametrize("expression", PATHS)
@pytest.mark.parametrize("data", [DATA, [DATA], None, 7, "text", {}])
def test_plain_paths_are_walked_as_jmespath_would(expression: str, data: Any) -> None:
    import jmespath
    from jmespath.exceptions import JMESPathError

    from connectors.kit.declared import find

    try:
        expected = jmespath.search(expression, data)
    except JMESPathError:
        expected = None
    assert find(expression, data) == expected
