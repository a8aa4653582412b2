"""An application that is taken out of the settings: what is known of it stays, and lists say that nothing new comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from governance.guards import believe
from governance.records import Account, Identity, Reading
from governance.snapshots import stage
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
