"""From what HR says, file after file, to who is a ghost: future, back-dated, cancelled, leave, rehire (A8, A13, A14)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import narwhals as nw
import polars as pl
import pytest

from governance.estate import Facts, build, correlate
from governance.records import Account, Identity
from governance.rulebook import run
from governance.settings import parse
from governance.snapshots.frames import frames_of
from governance.snapshots.memory import Absence, remember_accounts, remember_identities

START = datetime(2026, 11, 2, 6, tzinfo=UTC)  # the day of the first file; one file a day
DAY = timedelta(days=1)
KEEP = timedelta(days=400)
SETTINGS = parse(
    {"source": [{"name": "hr", "connector": "hr_csv"}], "application": [{"name": "crm", "connector": "app_csv"}]}
)
AHEAD = START + 20 * DAY
STATEMENTS = {
    "works here": {"state": "current"},
    "will leave": {"state": "current", "ended_at": AHEAD},
    "left last week": {"state": "ended", "ended_at": START - 7 * DAY},
    "on leave": {"state": "leave"},
}


def rules_that_fire(said: list[dict], now: datetime) -> list[str]:
    """What the rulebook holds against the account of one person of whom these things were said, one a day."""
    return rules_that_fire_on([said], now)[0]


def rules_that_fire_on(people: list[list[dict]], now: datetime) -> list[list[str]]:
    """The same for several people of one company, who have nothing in common: they are judged together."""
    identities = None
    for day in range(max(map(len, people))):
        records = [
            Identity(
                source="hr", employee_id=str(n), display_name=f"Ana{n} Li{n}", email=f"ana{n}@example.com", **said[day]
            )
            for n, said in enumerate(people)
            if day < len(said)
        ]
        read = frames_of(records)["identities"]
        identities = remember_identities(read, identities, START + day * DAY, Absence(), KEEP)
    seen = START - 9 * DAY
    tables = frames_of(
        Account("crm", f"a{n}", email=f"ana{n}@example.com", active=True, last_seen_at=seen, last_seen_known=True)
        for n in range(len(people))
    )
    tables["accounts"] = remember_accounts(tables["accounts"].lazy(), None, now, KEEP).collect()
    tables["identities"] = identities
    lazy = {
        name: nw.from_native(table.with_columns(as_of_s=pl.lit(0, pl.Int64)).lazy()) for name, table in tables.items()
    }
    pins = pl.LazyFrame(schema=dict.fromkeys(("application", "account_id", "pinned_id"), pl.String))
    facts = Facts(**lazy, pins=nw.from_native(pins), snapshots={}, sources=("hr",))
    correlated = nw.from_native(nw.to_native(correlate(facts, SETTINGS, now)).collect().lazy())
    estate = build(facts, correlated, SETTINGS, now)
    found = run(estate, SETTINGS.policy, now).findings
    about = [(pl.col("account_id") == f"a{n}") | (pl.col("identity_id") == f"hr:{n}") for n in range(len(people))]
    return [found.filter(this)["rule"].to_list() for this in about]


ORDERS = list(permutations(STATEMENTS))


@pytest.fixture(scope="module")
def in_every_order():
    """By instant and order, what the rulebook holds against whom things were said of in that order."""
    people = [[STATEMENTS[name] for name in order] for order in ORDERS]
    return {
        now: dict(zip(ORDERS, rules_that_fire_on(people, now), strict=True))
        for now in (START + 5 * DAY, AHEAD, AHEAD - timedelta(seconds=1))
    }


@pytest.mark.parametrize("order", ORDERS, ids=" → ".join)
def test_the_last_word_counts_in_whatever_order_things_were_said(order, in_every_order):
    now = START + 5 * DAY
    assert in_every_order[now][order] == (["ghost"] if order[-1] == "left last week" else [])
    after = ["ghost"] if order[-1] in {"left last week", "will leave"} else []
    assert in_every_order[AHEAD][order] == after
    just_before = in_every_order[AHEAD - timedelta(seconds=1)][order]
    assert just_before == (after if order[-1] == "left last week" else [])


def test_a_cancelled_leaving_is_forgotten_before_and_after_its_day():
    said = [STATEMENTS["will leave"], STATEMENTS["works here"]]
    assert rules_that_fire(said, AHEAD - DAY) == []
    assert rules_that_fire(said, AHEAD + DAY) == []


def test_a_rehire_is_no_ghost():
    said = [STATEMENTS["left last week"], {"state": "future", "hire_at": AHEAD}]
    assert rules_that_fire(said[:1], START + DAY) == ["ghost"]
    assert rules_that_fire(said, AHEAD - DAY) == []
    assert rules_that_fire(said, AHEAD + DAY) == []


def test_an_end_that_had_passed_when_the_source_still_said_active_is_a_contradiction_and_no_leaving():
    said = [{"state": "current", "ended_at": START - DAY}]
    assert rules_that_fire(said, START + DAY) == ["contradictory_source"]
