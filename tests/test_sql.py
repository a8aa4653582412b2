"""SQL: accounts out of an application's own database, on SQLite and on a real PostgreSQL; and nothing is ever written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import NOW, Postgres

from connectors.kit.contract import Circumstances
from connectors.sql import Sql
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    Unavailable,
    UnexpectedAnswer,
)
from governance.records import Account, Entitlement, Grant
from governance.settings import ApplicationSettings

# SQLAlchemy lets go of a server cursor whose DECLARE failed without closing it; there is nothing left to close then.
pytestmark = pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")

TABLES = """
CREATE TABLE person (id INTEGER PRIMARY KEY, login TEXT, mail TEXT, enabled INTEGER, seen TEXT, made TEXT, badge TEXT);
CREATE TABLE role (person INTEGER, name TEXT);
INSERT INTO person VALUES (1, 'ada', 'ada@nwl.example', 1, '2026-11-01T08:00:00Z', '2024-01-01', '00017');
INSERT INTO person VALUES (2, 'ben', NULL, 0, NULL, '2024-01-02', NULL);
INSERT INTO person VALUES (3, 'cho', 'cho@nwl.example', NULL, 'never', '2024-01-03', '00019');
INSERT INTO role VALUES (1, 'admins');
INSERT INTO role VALUES (1, 'sales');
INSERT INTO role VALUES (2, 'sales');
"""
QUERY = """
SELECT id AS account_id, login AS username, mail AS email, enabled AS active, seen AS last_seen_at,
       made AS created_at, badge FROM person
"""
HELD = "SELECT person AS account_id, name AS entitlement FROM role"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An application's database on either engine."""
    if request.param == "sqlite":
        with sqlite3.connect(tmp_path / "app.db") as link:
            link.executescript(TABLES)
        link.close()
        return "sqlite:///app.db"
    server: Postgres = request.getfixturevalue("postgres")
    found = server.url(server.fresh())
    engine = sa.create_engine(found)
    with engine.begin() as connection:
        for statement in TABLES.split(";\n"):
            if statement.strip():
                connection.execute(sa.text(statement))
    engine.dispose()
    return found


Connect = Callable[..., Sql]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    made: list[Sql] = []

    def build(url: str, deadline_s: float = 20, **told: Any) -> Sql:
        options = {
            "query": QUERY,
            "entitlements_query": HELD,
            "fields": {"employee_id": "badge"},
            "values": {"active": {"1": True, "0": False}},
        }
        feed = ApplicationSettings(
            name="erp", connector="sql", privileged=("admin*",), url={"env": "U"}, **{**options, **told}
        )
        made.append(Sql(feed, Circumstances(now=NOW, home=tmp_path, secrets={"url": url}, deadline_s=deadline_s)))
        return made[-1]

    yield build
    for connector in made:
        connector.close()


def test_reads_every_account_with_what_it_holds(url: str, connect: Connect) -> None:
    connector = connect(url)
    records = list(connector.records())
    ada, ben, cho = (record for record in records if isinstance(record, Account))
    assert (ada.account_id, ada.username, ada.email, ada.employee_id) == ("1", "ada", "ada@nwl.example", "00017")
    assert (ada.active, ben.active, cho.active) == (True, False, None)
    assert (ada.privileged, ben.privileged, cho.privileged) == (True, False, False)
    assert ada.last_seen_at == datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert (ben.last_seen_at, ben.last_seen_known) == (None, False)
    assert (cho.last_seen_at, cho.last_seen_known) == (None, True)
    assert ada.created_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert [e.name for e in records if isinstance(e, Entitlement)] == ["admins", "sales"]
    assert len([g for g in records if isinstance(g, Grant)]) == 3
    reading = connector.reading
    assert (reading.rows_read, reading.kept, reading.pages, len(reading.sha256)) == (3, 3, 1, 64)
    assert "person" in reading.filters


YES = {"password": {"yes": True, "no": False}}
MORE = """
SELECT id AS account_id, 'Clerk' AS title, mail AS responsible, CASE id WHEN 1 THEN 'yes' WHEN 2 THEN 'no' END AS password,
       CASE id WHEN 1 THEN 2 WHEN 2 THEN 0 END AS credentials FROM person
"""


def test_title_password_sponsor_and_tokens_are_told_where_the_query_tells_them(url: str, connect: Connect) -> None:
    told = [record for record in connect(url, query=MORE, values=YES).records() if isinstance(record, Account)]
    facts = {a.account_id: (a.title, a.responsible, a.password, a.credentials) for a in told}
    assert facts == {
        "1": ("Clerk", "ada@nwl.example", True, 2),
        "2": ("Clerk", None, False, 0),
        "3": ("Clerk", "cho@nwl.example", None, None),
    }


def test_one_account_is_read_by_itself(url: str, connect: Connect) -> None:
    connector = connect(url)
    found = connector.account("2")
    assert found is not None
    assert (found.username, found.active) == ("ben", False)
    assert connector.account("9") is None
    assert connector.account("2' OR '1'='1") is None


def test_check_says_which_facts_the_query_does_not_tell(url: str, connect: Connect) -> None:
    [note] = connect(url, entitlements_query=None).check().notes
    assert "mfa" in note
    assert "username" not in note


@pytest.mark.parametrize(
    "query",
    [
        "WITH gone AS (DELETE FROM person RETURNING id) SELECT id AS account_id FROM gone",
        "SELECT emptied() AS account_id",
        "SELECT nextval('counter') AS account_id",
    ],
)
@pytest.mark.needs_postgres
def test_a_query_that_would_write_is_refused_by_the_database(query: str, postgres: Postgres, connect: Connect) -> None:
    found = postgres.url(postgres.fresh())
    engine = sa.create_engine(found)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE person (id int)"))
        connection.execute(sa.text("INSERT INTO person VALUES (1)"))
        connection.execute(sa.text("CREATE SEQUENCE counter"))
        body = "DELETE FROM person RETURNING 1"
        connection.execute(sa.text(f"CREATE FUNCTION emptied() RETURNS int LANGUAGE sql VOLATILE AS '{body}'"))
    with pytest.raises(UnexpectedAnswer, match=r"ReadOnlySqlTransaction|FeatureNotSupported"):
        list(connect(found, query=query, entitlements_query=None).records())
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM person")).scalar() == 1
    engine.dispose()


@pytest.mark.parametrize(
    "query", ["DELETE FROM person", "SELECT 1; DROP TABLE person", "", "UPDATE person SET enabled = 1", "PRAGMA x"]
)
def test_only_one_select_is_taken(query: str, url: str, connect: Connect) -> None:
    with pytest.raises(ConfigurationError, match="erp: query: expected"):
        connect(url, query=query)


def test_a_database_of_sqlite_is_opened_without_the_right_to_write(tmp_path: Path, connect: Connect) -> None:
    with sqlite3.connect(tmp_path / "app.db") as link:
        link.executescript(TABLES)
    link.close()
    connector = connect("sqlite:///app.db")
    with connector._engine.connect() as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.execute(sa.text("DELETE FROM person"))


def test_a_query_that_takes_too_long_ends_in_time(url: str, connect: Connect) -> None:
    endless = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS account_id FROM n
    """
    with pytest.raises(Unavailable, match="not finished within the 1 s"):
        list(connect(url, deadline_s=1, query=endless, entitlements_query=None).records())


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"query": "SELECT * FROM nowhere"}, UnexpectedAnswer),
        ({"query": "SELECT id AS account_id FROM person WHERE id > 99"}, IncompleteFeed),
        ({"query": "SELECT login FROM person"}, UnexpectedAnswer),
        ({"entitlements_query": "SELECT name FROM role"}, UnexpectedAnswer),
    ],
)
def test_what_is_no_list_of_accounts_is_refused(
    told: dict[str, str], kind: type[FeedError], url: str, connect: Connect
) -> None:
    with pytest.raises(kind, match="erp"):
        list(connect(url, **told).records())


@pytest.mark.needs_postgres
def test_a_wrong_password_and_a_dead_server_are_told_apart_and_no_error_holds_the_password(
    postgres: Postgres, connect: Connect
) -> None:
    name = postgres.fresh()
    postgres.run("CREATE ROLE nobody NOLOGIN")
    try:
        refused = f"postgresql+psycopg://nobody:hunter2-canary@127.0.0.1:{postgres.port}/{name}"
        dead = f"postgresql+psycopg://nobody:hunter2-canary@127.0.0.1:9/{name}"
        for url, kind in ((refused, AuthenticationFailed), (dead, Unavailable)):
            with pytest.raises(kind) as failure:
                list(connect(url).records())
            assert "hunter2" not in str(failure.value)
    finally:
        postgres.run("DROP ROLE nobody")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("no address", "is no address such as"),
        ("sqlite:///missing.db", "there is no file"),
        ("postgresql+psycopg://a:b@10.0.0.7/x", "private host"),
        ("postgresql+psycopg://a:b@db.internal/x", "private host"),
        ("oracle+nothing://a:b@127.0.0.1/x", "no driver"),
    ],
)
def test_an_address_that_cannot_be_is_a_configuration_error(url: str, said: str, connect: Connect) -> None:
    with pytest.raises(ConfigurationError, match=said):
        connect(url)
