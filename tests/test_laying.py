"""Changes laid over a snapshot: whatever columns and tables there are, and in bounded memory of the connector's words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from connectors.kit.contract import Before as Told
from connectors.kit.contract import Checked, Circumstances, Connector, MarkRefused, TellsChanges
from governance.errors import IncompleteFeed
from governance.house import House
from governance.records import Account, Credential, Entitlement, Gone, Grant, Reading, Record
from governance.snapshots import Before, believed
from governance.snapshots.frames import CHUNK, schema
from governance.snapshots.laying import Laid
from governance.snapshots.parts import Parts
from governance.snapshots.writing import ROWS, write
from governance.tables import Pull, Snapshot
from jobs.pull import pull

HOUR = timedelta(hours=1)


class Directory(Connector, TellsChanges):
    """An application that is told to its connector record by record; `told` and `since` belong to the test."""

    title, kind = "Directory", "application"
    told: list[Record]
    since: list[Record | Gone] | Exception
    seen: list[Any]

    def check(self) -> Checked:
        return Checked()

    def records(self) -> Iterator[Record]:
        self.changes_mark = "from the whole"
        yield from self.told

    def changes(self, mark: str, before: Told) -> Iterator[Record | Gone]:
        accounts = [row for columns in before.accounts("account_id", "mfa") for row in zip(*columns, strict=True)]
        self.seen += [mark, accounts, list(before.entitlements()), list(before.grants())]
        if isinstance(self.since, Exception):
            raise self.since
        yield from self.since
        self.changes_mark = "from the changes"


class World:
    def __init__(self, house: House, now: datetime) -> None:
        self.house, self.now = house, now
        self.told: list[Record] = []
        self.since: list[Record | Gone] | Exception = []
        self.seen: list[Any] = []

    def pull(self, hours: float = 0) -> Any:
        def connect(house: House, name: str, now: datetime) -> Connector:
            made = Directory(house.settings.application_named(name), Circumstances(now=now, home=house.home))
            made.told, made.since, made.seen = self.told, self.since, self.seen
            return made

        [result] = pull(self.house, ["crm"], self.now + hours * HOUR, connect=connect, incremental=True)
        return result

    def table(self, name: str) -> pl.DataFrame:
        with self.house.store.read() as session:
            snapshot = believed(session, "crm")
        assert snapshot is not None
        return pl.read_parquet(self.house.snapshots / snapshot.path / f"{name}.parquet")

    def notes(self) -> list[str]:
        with self.house.store.read() as session:
            rows = session.exec(Pull.__table__.select()).all()  # type: ignore[attr-defined]
        return list(max(rows, key=lambda row: row.id).notes)


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"application": [{"name": "crm", "connector": "app_csv", "privileged": ["admin*"]}]}


@pytest.fixture
def world(house: House, now: datetime) -> World:
    made = World(house, now)
    people = [
        Account("crm", name, active=True, mfa=True, title="Clerk", credentials=1) for name in ("ada", "ben", "cho")
    ]
    keys = [Credential("crm", name, f"key-{name}", "token", created_at=now) for name in ("ada", "ben", "cho")]
    made.told = [Entitlement("crm", "r1", "Reader"), *people, *keys]
    made.told += [Grant("crm", name, "r1", "direct", now - HOUR, now, True) for name in ("ada", "ben")]
    return made


def test_what_did_not_change_keeps_every_column_of_every_table(world: World) -> None:
    world.pull()
    before = {name: world.table(name) for name in ("accounts", "credentials", "grants", "entitlements")}
    ada = next(r for r in world.told if isinstance(r, Account))
    world.since = [r for r in world.told if isinstance(r, Entitlement | Grant)]
    world.since += [replace(ada, title="Director", credentials=0), Gone("cho")]
    assert world.pull(1).status == "published"
    accounts = {row["account_id"]: row for row in world.table("accounts").iter_rows(named=True)}
    assert {name: row["title"] for name, row in accounts.items()} == {"ada": "Director", "ben": "Clerk", "cho": "Clerk"}
    assert {name: row["present"] for name, row in accounts.items()} == {"ada": True, "ben": True, "cho": False}
    assert accounts["ben"]["last_present_at"] == world.now + HOUR
    assert accounts["cho"]["last_present_at"] == world.now
    stayed = ("present", "last_present_at", "last_present_at_s")
    was = next(row for row in before["accounts"].iter_rows(named=True) if row["account_id"] == "ben")
    assert {k: v for k, v in accounts["ben"].items() if k not in stayed} == {
        k: v for k, v in was.items() if k not in stayed
    }
    # What hangs on an account goes with it, or comes anew: ada's key was not told again.
    assert world.table("credentials")["account_id"].to_list() == ["ben"]
    assert world.table("grants").sort("account_id").equals(before["grants"].sort("account_id"))
    assert world.table("entitlements").equals(before["entitlements"])


def test_the_connector_is_told_what_there_was(world: World) -> None:
    world.pull()
    world.since = [r for r in world.told if isinstance(r, Entitlement | Grant)]
    world.pull(1)
    world.pull(2)
    mark, accounts, entitlements, grants, then, *_ = world.seen
    assert (mark, then) == ("from the whole", "from the changes")
    assert sorted(accounts) == [("ada", True), ("ben", True), ("cho", True)]
    assert entitlements == ["r1"]
    assert grants == [("r1", ["ada", "ben"], ["direct"] * 2, [world.now - HOUR] * 2)]


def test_who_comes_back_after_being_gone_is_there_again(world: World) -> None:
    world.pull()
    rights = [r for r in world.told if isinstance(r, Entitlement | Grant)]
    world.since = [*rights, Gone("cho")]
    world.pull(1)
    world.since = [*rights, Account("crm", "cho", active=True)]
    world.pull(2)
    assert world.table("accounts").filter(pl.col("present"))["account_id"].sort().to_list() == ["ada", "ben", "cho"]
    assert ("cho", True) not in world.seen[5]  # it was not there in between


def test_a_refused_mark_reads_everything_in_the_same_pull_and_other_errors_read_nothing(world: World) -> None:
    world.pull()
    world.since = IncompleteFeed("crm: a page is missing")
    assert world.pull(1).status == "failed"
    world.since = MarkRefused("crm: too old")
    result = world.pull(2)
    assert (result.status, result.error) == ("published", None)
    assert world.notes() == ["everything was read: crm: too old"]


def test_an_application_whose_every_account_is_gone_is_not_believed(world: World) -> None:
    world.pull()
    world.since = [Gone("ada"), Gone("ben"), Gone("cho")]
    assert world.pull(1).error_kind == "IncompleteFeed"


MANY = 2 * ROWS + 7


def of_many(table: str, **columns: pl.Expr) -> pl.DataFrame:
    """A table of a snapshot with MANY rows, of which only these columns are told."""
    told = pl.select(number=pl.int_range(MANY)).with_columns(**columns)
    kinds = schema(table).items()
    return told.select((pl.col(n) if n in columns else pl.lit(None)).cast(kind).alias(n) for n, kind in kinds)


@pytest.fixture
def many(house: House, now: datetime) -> Snapshot:
    """A snapshot of MANY accounts, each seventh only remembered, and what each of them holds."""
    row = Snapshot(id="m", feed="crm", kind="application", at=now, pulled_at=now, status="published", path="crm/m")
    ids, there = pl.format("a{}", "number"), pl.col("number") % 7 != 0
    held = {"account_id": ids, "entitlement_id": pl.format("r{}", pl.col("number") % 3), "how": pl.lit("direct")}
    write(
        house.snapshots / row.path,
        {"accounts": of_many("accounts", account_id=ids, present=there), "grants": of_many("grants", **held)},
    )
    return row


def test_of_many_accounts_each_is_told_once_and_in_portions(house: House, many: Snapshot) -> None:
    before = Before(house, many)
    portions = [ids for (ids,) in before.accounts("account_id")]
    assert [one for ids in portions for one in ids] == [f"a{n}" for n in range(MANY) if n % 7]
    assert max(map(len, portions)) <= CHUNK
    grants = [(one, account) for one, accounts, *_ in before.grants() for account in accounts]
    assert sorted(grants) == sorted((f"r{n % 3}", f"a{n}") for n in range(MANY))


def test_of_many_accounts_each_that_stayed_stays_once(house: House, many: Snapshot, tmp_path: Path) -> None:
    laid = Laid(Parts(tmp_path / "parts", Reading()), house, many)
    laid.take([Account("crm", "a1", username="new"), Account("crm", "b1"), Gone(f"a{MANY - 1}")])
    now = laid.scan("accounts").select("account_id", "username").collect()
    assert sorted(now["account_id"]) == sorted(["b1", *(f"a{n}" for n in range(MANY - 1) if n % 7)])
    assert now.filter(pl.col("username").is_not_null()).rows() == [("a1", "new")]
    assert laid.rows["accounts"] == now.height
