"""Changing a feed from a page: whose secrets go where, what the file looks like afterwards, and what is refused."""

from __future__ import annotations

import tomllib

import pytest
from sqlmodel import select

from governance import audit, configuring, secrets
from governance.configuring import Draft, as_toml
from governance.errors import ConfigurationError, NotAllowed
from governance.tables import AuditDetail, AuditEntry, Request
from jobs.changed_feeds import change_feed, with_change
from tests.a_commented_file import ADMIN, CANARY, LEDGER, NOW, SECURITY, TOML, WIKI, a_house, asked, text, write
from tests.screen import rows_of

CRM = {"name": "crm", "connector": "app_csv", "path": "crm.csv", "every": "1d", "columns": {"account_id": "id"}}


@pytest.fixture
def house(tmp_path):
    yield from a_house(tmp_path)


def change(house, table, kind="application", **typed):
    return configuring.change(house, ADMIN, NOW, Draft(kind, table, typed))


def write_change(house, request, **environ):
    return change_feed(house, ADMIN, request.arguments, environ)


def done(house):
    with house.store.write() as session:
        for row in session.exec(select(Request)):
            row.status = "done"
            session.add(row)


def test_a_change_stands_where_the_feed_stood_and_every_comment_stays(house):
    table = {
        **CRM,
        "title": "CRM",
        "path": "ledger.csv",
        "columns": {"account_id": "account_id", "username": "username"},
    }
    write_change(house, change(house, table))
    wanted = TOML.replace('path = "crm.csv"      #', 'path = "ledger.csv"      #')
    wanted = wanted.replace('every = "1d"\n[app', 'every = "1d"\ntitle = "CRM"\n[app')
    assert text(house) == wanted.replace('= "id"\n', '= "account_id"\nusername = "username"\n')
    assert (house.home / "leaverwatch.toml.bak").read_text() == TOML
    assert (house.home / "leaverwatch.toml").stat().st_mode & 0o777 == 0o640
    [asked_, done] = [e for e in rows_of(house, AuditEntry) if e.object in ("configure/crm", "application/crm")]
    assert (asked_.actor, asked_.verb, done.actor, done.verb) == (ADMIN.email, "ask", ADMIN.email, "configure")
    told = [detail.facts.get("changed") for detail in rows_of(house, AuditDetail)]
    assert told.count(["columns", "path", "title"]) == 2
    assert audit.verify(house.store).ok


def test_only_who_may_configure_changes_a_feed_and_only_one_that_is_there(house):
    with pytest.raises(NotAllowed, match="configure"):
        configuring.change(house, SECURITY, NOW, Draft("application", {**CRM, "title": "x"}))
    for table, words in (
        (LEDGER, "no feed is named"),
        (CRM, "nothing is changed"),
        ({**CRM, "connector": "scim"}, "is not changed"),
        ({**CRM, "every": "soon"}, "15m"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            change(house, table)
    request = change(house, {**CRM, "title": "x"})
    with pytest.raises(NotAllowed, match="configure"):
        change_feed(house, SECURITY, request.arguments, {})
    with pytest.raises(ConfigurationError, match="being changed just now"):
        change(house, {**CRM, "title": "y"})
    assert text(house) == TOML


@pytest.mark.parametrize(
    ("change_", "words"),
    [({"delimiter": "long"}, "delimiter"), ({"columns": {"nothing": "x"}}, "columns.nothing")],
)
def test_a_change_the_connector_refuses_leaves_the_file_and_its_secrets(house, change_, words):
    request = change(house, {**CRM, **change_})
    with pytest.raises(ConfigurationError, match=f"nothing was written.*{words}"):
        write_change(house, request)
    assert text(house) == TOML
    assert not (house.home / "leaverwatch.toml.bak").exists()


@pytest.fixture
def wiki(house):
    """The wiki is there too, with a secret that was typed."""
    write(house, asked(house, WIKI, token=CANARY))
    done(house)
    return house, {**WIKI, "token": {"store": "wiki.token"}}


def test_a_new_secret_is_sealed_beside_the_one_in_force_until_the_file_names_it(wiki):
    house, table = wiki
    request = change(house, table, token="second")
    assert secrets.get(house.store, house.home, "wiki.token") == CANARY, "in force until the change is written"
    write_change(house, request)
    assert configuring.standing(house.home, "wiki").table["token"] == {"store": "wiki.token.other"}
    assert secrets.get(house.store, house.home, "wiki.token.other") == "second"
    done(house)
    write_change(house, change(house, {**table, "token": {"store": "wiki.token.other"}}, token="third"))
    assert configuring.standing(house.home, "wiki").table["token"] == {"store": "wiki.token"}
    assert secrets.get(house.store, house.home, "wiki.token") == "third"


@pytest.mark.parametrize("moved", [{"base_url": "http://127.0.0.1:2/"}, {"allow_private": True}])
@pytest.mark.parametrize("place", [{"store": "wiki.token"}, {"env": "WIKI"}, {"file": "wiki.token"}])
def test_a_secret_that_is_there_is_not_sent_to_another_address(wiki, moved, place):
    house, table = wiki
    file = house.home / "leaverwatch.toml"
    file.write_text(text(house).replace('token = { store = "wiki.token" }', as_toml("x", {"token": place})[6:].strip()))
    table["token"] = place
    with pytest.raises(ConfigurationError, match="given again"):
        change(house, {**table, **moved})
    forged = {"kind": "application", "table": {**table, **moved}, "change": True}
    with pytest.raises(ConfigurationError, match="given again"):
        change_feed(house, ADMIN, forged, {"WIKI": "t"})
    request = change(house, {**table, **moved}, token="typed-again")
    write_change(house, request)
    assert configuring.standing(house.home, "wiki").table["base_url"] == {**WIKI, **moved}["base_url"]


@pytest.mark.parametrize(
    "before",
    [
        'application = [{ name = "a", connector = "x" }, { name = "b", path = "p" }] # two\n',
        '[[application]]\r\nname = "b"\r\nvalues = { status = { old = "x" } } # c\r\n# end\r\n',
        '[[application]]\nname = "a"\n[application.values.status]\nA = "active"\n\n# b\n[[application]]\nname = "b"\n# z\n[act]\n',
        '[[application]]\nname = "b"\npath = """\n[[application]]\n"""\n[application.values]\n# none\n[policy]\nstale_days = 1\n',
        '[["application"]]\nname = "b"\nprivileged = [\n  "[policy]", # one\n  "x",\n]\n[act]\nenabled = true # yes\n',
        'title = "x"\n[[application]]\nname = "b"\nvalues.status.old = "x"\n',
    ],
)  # fmt: skip
def test_whatever_the_file_looks_like_one_feed_says_what_is_wanted_and_all_else_the_same(before, tmp_path):
    table = {"name": "b", "title": "B", "path": "q", "token": {"store": "b.token"}, "values": {"status": {"on": 'a"b'}}}
    after = with_change(before, "application", table, tmp_path)
    wanted = tomllib.loads(before)
    wanted["application"] = [table if one["name"] == "b" else one for one in wanted["application"]]
    assert tomllib.loads(after) == wanted
    for line in before.splitlines():
        assert not line.startswith("#") or line in after.splitlines()
