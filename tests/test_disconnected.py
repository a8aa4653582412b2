"""An application that is taken out of the settings: what is known of it stays, and lists say that nothing new comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from governance.guards import believe
from governance.records import Account, Identity, Reading
from governance.snapshots import stage, sweep
from governance.tables import Snapshot
from governance.views.population import population
from jobs.detect import detect

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def settings():
    return {
        "source": [{"name": "hr", "connector": "hr_csv"}],
        "application": [{"name": name, "connector": "app_csv"} for name in ("crm", "wiki", "blog")],
    }


def read(house, at):
    left = Identity(source="hr", employee_id="1", state="ended", email="a@x.example", ended_at=NOW - timedelta(days=9))
    told = {"hr": [left]} | {name: [Account(name, "a1", email="a@x.example", active=True)] for name in ("crm", "wiki")}
    for feed in house.settings.feeds:
        records = told.get(feed.name, [Account(feed.name, "b1", active=False)])
        believe(house, stage(house, feed, records, Reading(), at, at), at, "worker")
    detect(house, at)


def without(house, *names):
    kept = tuple(a for a in house.settings.application if a.name not in names)
    return replace(house, settings=house.settings.model_copy(update={"application": kept}))


def test_findings_of_what_is_no_longer_connected_stay_open_and_every_statement_says_so(house):
    read(house, NOW)
    assert population(house, NOW).left_behind == ""
    smaller = without(house, "wiki", "blog")
    read(smaller, NOW + timedelta(hours=1))
    said = population(smaller, NOW + timedelta(hours=1)).left_behind
    assert said == (
        "2 findings are about wiki, no longer connected: nothing new is known of them until it is connected again"
    )
    none = without(house, "crm", "wiki", "blog")
    read(none, NOW + timedelta(hours=2))
    assert "about crm and wiki" in population(none, NOW + timedelta(hours=2)).left_behind
    read(house, NOW + timedelta(hours=3))
    assert population(house, NOW + timedelta(hours=3)).left_behind == ""


def test_what_was_read_of_it_is_kept_as_long_as_everything_else_and_no_longer(house):
    read(house, NOW)
    smaller, kept = without(house, "wiki"), timedelta(days=house.settings.snapshots.keep_days)
    sweep(smaller, NOW + kept - timedelta(hours=1))
    assert {path.name: len(list(path.iterdir())) for path in house.snapshots.glob("[!e]*")} == {
        "hr": 1, "crm": 1, "wiki": 1, "blog": 1,
    }  # fmt: skip
    sweep(smaller, NOW + kept + timedelta(hours=1))
    with house.store.read() as session:
        assert {row.feed for row in session.exec(select(Snapshot))} == {"hr", "crm", "blog"}
    assert not list((house.snapshots / "wiki").iterdir())
    assert list((house.snapshots / "crm").iterdir())
