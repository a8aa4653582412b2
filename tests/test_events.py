"""Events: none is lost or doubled between pulls, and what they prove about the last use of an account."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from connectors.kit.contract import Checked, Circumstances, Connector, TellsEvents
from governance.errors import AuthenticationFailed, FeedError, LeaverwatchError, Unavailable
from governance.house import House
from governance.records import Account, Event, Record
from governance.snapshots import believed
from governance.tables import Pull
from governance.views.freshness import REFUSALS, quarantined
from jobs.pull import pull

DAY = timedelta(days=1)


class Journal(Connector, TellsEvents):
    """An application with a journal that is read by position; `journal` and `breaks_after` belong to the test."""

    title, kind = "Journal", "application"
    journal: list[Event]
    breaks_after: int | None
    asked: list[tuple[datetime, str | None]]

    def check(self) -> Checked:
        return Checked()

    def records(self) -> Iterator[Record]:
        self.reading.source = "a journal"
        for name in ("ada", "ben", "cho"):
            yield Account("crm", name, username=name, active=True)

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        self.asked.append((since, mark))
        begin = int(mark or 0)
        for number, event in enumerate(self.journal[begin:], start=1):
            if self.breaks_after is not None and number > self.breaks_after:
                raise Unavailable("crm: GET /journal: no answer in time")
            if event.at >= since:
                yield event
        self.mark = str(len(self.journal))


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"application": [{"name": "crm", "connector": "app_csv"}]}


class World:
    """The house and its one application's journal."""

    def __init__(self, house: House, now: datetime) -> None:
        self.house, self.now = house, now
        self.journal: list[Event] = []
        self.breaks_after: int | None = None
        self.asked: list[tuple[datetime, str | None]] = []

    def happened(
        self,
        account_id: str,
        at: datetime,
        kind: str = "sign_in",
        success: bool | None = True,
        target: str | None = None,
    ) -> None:
        number = f"e{len(self.journal)}"
        self.journal.append(Event("crm", number, at, kind, account_id, success=success, target=target))

    def pull(self, at: datetime) -> None:
        def connect(house: House, name: str, now: datetime) -> Connector:
            journal = Journal(house.settings.application_named(name), Circumstances(now=now, home=house.home))
            journal.journal, journal.breaks_after, journal.asked = self.journal, self.breaks_after, self.asked
            return journal

        [result] = pull(self.house, ["crm"], at, connect=connect)
        assert result.status == "published", result

    def table(self, name: str) -> pl.DataFrame:
        with self.house.store.read() as session:
            snapshot = believed(session, "crm")
        assert snapshot is not None
        return pl.read_parquet(self.house.snapshots / snapshot.path / f"{name}.parquet")

    def kept(self) -> list[str]:
        return self.table("events")["event_id"].to_list()


@pytest.fixture
def world(house: House, now: datetime) -> World:
    return World(house, now)


def test_every_event_is_kept_once_over_many_pulls(world: World) -> None:
    for number in range(6):
        for _ in range(number):
            world.happened("ada", world.now + number * DAY - timedelta(minutes=1))
        world.pull(world.now + number * DAY)
    assert world.kept() == [event.event_id for event in world.journal]
    assert [mark for _, mark in world.asked] == [None, "0", "1", "3", "6", "10"]


def test_a_journal_that_breaks_off_costs_no_account_and_loses_no_event(world: World) -> None:
    for minute in range(10):
        world.happened("ada", world.now - timedelta(minutes=10 - minute))
    world.breaks_after = 4
    world.pull(world.now)
    assert world.table("accounts").height == 3
    assert world.kept() == ["e0", "e1", "e2", "e3"]
    with world.house.store.read() as session:
        [evidence] = session.exec(Pull.__table__.select()).all()  # type: ignore[attr-defined]
    assert any("events could not be read: Unavailable" in note for note in evidence.notes)
    world.breaks_after = None
    world.pull(world.now + DAY)
    assert world.asked[-1][1] is None  # the mark stayed where it was
    assert world.kept() == [event.event_id for event in world.journal]


def test_events_are_kept_for_ninety_days(world: World) -> None:
    for days in (95, 89, 1):
        world.happened("ada", world.now - days * DAY)
    world.pull(world.now)
    assert world.kept() == ["e1", "e2"]
    world.pull(world.now + 2 * DAY)
    assert world.kept() == ["e2"]


def test_successful_use_tells_the_last_use_and_failed_sign_ins_do_not(world: World) -> None:
    world.happened("ada", world.now - 3 * DAY)
    world.happened("ada", world.now - 2 * DAY, "token_used")
    world.happened("ada", world.now - 1 * DAY, "sign_in_failed", False)
    world.happened("ada", world.now - 1 * DAY, "sign_in", False)
    world.happened("ada", world.now - 1 * DAY, "sign_in", None)
    world.happened("ben", world.now - 1 * DAY, "granted")
    world.pull(world.now)
    seen = {row["account_id"]: row for row in world.table("accounts").iter_rows(named=True)}
    assert seen["ada"]["last_seen_at"] == world.now - 2 * DAY
    assert seen["ada"]["last_seen_at_s"] == int((world.now - 2 * DAY).timestamp())
    assert seen["ada"]["last_seen_known"] is True
    assert (seen["ben"]["last_seen_at"], seen["ben"]["last_seen_known"]) == (None, False)
    assert (seen["cho"]["last_seen_at"], seen["cho"]["last_seen_known"]) == (None, False)


def test_a_sign_in_to_something_else_is_no_use_but_one_through_an_identity_provider_is(world: World) -> None:
    world.happened("ada", world.now - 3 * DAY)
    world.happened("ada", world.now - 1 * DAY, target="Atlassian account")
    world.happened("ben", world.now - 1 * DAY, target="Atlassian account")
    world.happened("cho", world.now - 1 * DAY, "sso", target="Wiki")
    world.pull(world.now)
    seen = {row["account_id"]: row["last_seen_at"] for row in world.table("accounts").iter_rows(named=True)}
    assert seen == {"ada": world.now - 3 * DAY, "ben": None, "cho": world.now - 1 * DAY}


def refused(house: House, at: datetime, error: LeaverwatchError | None) -> None:
    def connect(house: House, name: str, now: datetime) -> Connector:
        if error is not None:
            raise error
        journal = Journal(house.settings.application_named(name), Circumstances(now=now, home=house.home))
        journal.journal, journal.breaks_after, journal.asked = [], None, []
        return journal

    pull(house, ["crm"], at, connect=connect)


@pytest.mark.parametrize("other", [Unavailable("away"), FeedError("odd"), None])
def test_a_credential_refused_three_times_in_a_row_is_quarantined(
    house: House, now: datetime, other: LeaverwatchError | None
) -> None:
    wrong = AuthenticationFailed("crm: GET /accounts: 401")
    for minute in range(REFUSALS - 1):
        refused(house, now + timedelta(minutes=minute), wrong)
    refused(house, now + timedelta(minutes=5), other)
    refused(house, now + timedelta(minutes=6), wrong)
    assert quarantined(house, "crm") is None
    for minute in range(7, 7 + REFUSALS - 1):
        refused(house, now + timedelta(minutes=minute), wrong)
    found = quarantined(house, "crm")
    assert found is not None
    assert found.started_at == now + timedelta(minutes=8)
    refused(house, now + timedelta(minutes=9), None)
    assert quarantined(house, "crm") is None
