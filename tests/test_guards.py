"""The feed guard (FAULTS.md A1-A6): limits for every size, windows, holding and the release by two actors."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from governance import audit
from governance.access import Actor
from governance.errors import (
    AlreadyDecided,
    ConfigurationError,
    DecisionError,
    FourEyesRequired,
    IncompleteFeed,
    NotAllowed,
)
from governance.guards import believe, exceeded, list_held, release, removed_limit
from governance.records import Account, Identity, Reading
from governance.snapshots import Change, believed, stage, sweep
from governance.tables import AuditEntry, Snapshot

ANA = Actor(email="ana@nwl.example", name="Ana", roles=frozenset({"security"}))
TOM = Actor(email="tom@nwl.example", name="Tom", roles=frozenset({"admin"}))
IRIS = Actor(email="iris@nwl.example", name="Iris", roles=frozenset({"auditor"}))


@pytest.fixture
def settings():
    return {
        "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv"}],
        "application": [{"name": "crm", "connector": "app_csv", "path": "crm.csv"}],
    }


def people(count, *, start=0, domain="nwl.example", state="current"):
    return [
        Identity(source="hr", employee_id=str(n), state=state, email=f"p{n}@{domain}")
        for n in range(start, start + count)
    ]


def pulled(house, records, now, sha256="", feed="hr"):
    staged = stage(house, house.settings.feed(feed), records, Reading(sha256=sha256), now, now)
    return believe(house, staged, now, "worker")


@pytest.mark.parametrize("base", range(1, 101))
def test_no_population_is_too_small_for_a_guard(base):
    assert exceeded(Change(base, base, 0, 0)), "the last ones never go at once"
    limit = removed_limit(base)
    assert 1 <= limit <= max(10, base)
    assert exceeded(Change(base, math.ceil(limit), 0, 0))
    assert not exceeded(Change(base, math.ceil(limit) - 1, 0, 0))


@pytest.mark.parametrize("base", [1, 10, 100, 1_000, 100_000])
@pytest.mark.parametrize("share", [0.001, 0.01, 0.019, 0.02, 0.05, 0.1, 0.5, 1.0])
def test_removed_stops_exactly_at_its_limit(base, share):
    removed = int(base * share)
    assert (exceeded(Change(base, removed, 0, 0)) is not None) == (removed >= removed_limit(base))


@pytest.mark.parametrize(
    ("change", "stops"),
    [
        (Change(1000, 19, 0, 0), False),
        (Change(1000, 20, 0, 0), True),
        (Change(500, 24, 0, 0), False),
        (Change(500, 25, 0, 0), True),
        (Change(50, 4, 0, 0), False),
        (Change(50, 5, 0, 0), True),
        (Change(5, 2, 0, 0), False),
        (Change(5, 3, 0, 0), True),
        (Change(1000, 0, 99, 0), False),
        (Change(1000, 0, 100, 0), True),
        (Change(10, 0, 9, 0), False),
        (Change(1000, 0, 0, 49), False),
        (Change(1000, 0, 0, 50), True),
        (Change(20, 0, 0, 5), True),
        (Change(0, 0, 5000, 0), False),  # a first snapshot passes
    ],
)
def test_limits_are_those_of_the_interface(change, stops):
    assert (exceeded(change) is not None) == stops


def test_a_held_snapshot_is_not_believed_and_says_why(house, now):
    first = pulled(house, people(500), now)
    held = pulled(house, people(400), now + timedelta(days=30))
    assert held.status == "held"
    assert "100 of 500 were removed since" in held.held_why
    with house.store.read() as session:
        assert believed(session, "hr").id == first.id
        assert session.exec(select(AuditEntry.verb)).all() == ["hold"]
    [waiting] = list_held(house)
    assert waiting.id == held.id
    assert "two different actors" in waiting.how


def test_two_different_actors_release_exactly_that_one(house, now):
    pulled(house, people(500), now)
    later = now + timedelta(days=30)
    held = pulled(house, people(400), later)
    release(house, ANA, later, held.id, "the Berlin office was sold")
    with house.store.read() as session:
        assert session.get_one(Snapshot, held.id).status == "held"
    alias = replace(ANA, email="a.na@nwl.example", addresses=frozenset({ANA.email, "a.na@nwl.example"}))
    for same in (ANA, replace(ANA, email="Ana@nwl.example"), alias):
        with pytest.raises(FourEyesRequired):
            release(house, same, later, held.id, "again")
    release(house, TOM, later, held.id, "confirmed with HR")
    with house.store.read() as session:
        assert believed(session, "hr").id == held.id
    with pytest.raises(AlreadyDecided):
        release(house, TOM, later, held.id, "once more")
    assert audit.verify(house.store).ok


def test_a_release_needs_the_right_and_a_reason(house, now):
    pulled(house, people(500), now)
    held = pulled(house, people(400), now + timedelta(days=30))
    with pytest.raises(NotAllowed):
        release(house, IRIS, now, held.id, "I would like to")
    with pytest.raises(DecisionError):
        release(house, ANA, now, held.id, "  ")
    with pytest.raises(AlreadyDecided):
        release(house, ANA, now, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "not there")


def test_the_same_file_again_keeps_the_release_given_and_another_one_starts_anew(house, now):
    pulled(house, people(500), now)
    later = now + timedelta(days=30)
    held = pulled(house, people(400), later, sha256="a" * 64)
    release(house, ANA, later, held.id, "fine")
    again = pulled(house, people(400), later + timedelta(hours=1), sha256="a" * 64)
    assert (again.id, again.released_by) == (held.id, ["ana@nwl.example"])
    other = pulled(house, people(300), later + timedelta(hours=2), sha256="b" * 64)
    assert (other.status, other.released_by) == ("held", [])
    assert [waiting.id for waiting in list_held(house)] == [other.id]


def test_a_good_pull_replaces_what_was_held(house, now):
    pulled(house, people(500), now)
    pulled(house, people(400), now + timedelta(days=30))
    assert pulled(house, people(499), now + timedelta(days=31)).status == "published"
    assert list_held(house) == []


def test_many_small_losses_count_together(house, now):
    remaining = 1000
    pulled(house, people(remaining), now)
    for hour in range(48):
        remaining -= 9
        result = pulled(house, people(remaining), now + timedelta(minutes=30 * (hour + 1)))
        if result.status == "held":
            break
    assert result.status == "held"
    assert remaining >= 950, "stopped before 5 % were gone"
    assert "24 hours" in result.held_why


def test_a_released_loss_does_not_stop_the_next_pull(house, now):
    pulled(house, people(500), now)
    later = now + timedelta(days=30)
    held = pulled(house, people(400), later)
    for actor in (ANA, TOM):
        release(house, actor, later, held.id, "sold")
    assert pulled(house, people(398), later + timedelta(hours=1)).status == "published"


def test_turned_ended_counts_as_removed(house, now):
    pulled(house, people(500), now)
    held = pulled(house, [*people(470), *people(30, start=470, state="ended")], now + timedelta(days=30))
    assert held.status == "held"


def test_other_addresses_for_the_same_people_are_stopped(house, now):
    pulled(house, people(500), now)
    assert (
        "changed their address" in pulled(house, people(500, domain="other.example"), now + timedelta(days=9)).held_why
    )


def test_an_application_that_lost_its_accounts_is_not_believed(house, now):
    accounts = [Account("crm", str(n), active=True) for n in range(200)]
    pulled(house, accounts, now, feed="crm")
    off = [Account("crm", str(n), active=n > 50) for n in range(200)]
    assert pulled(house, off, now + timedelta(days=1), feed="crm").status == "held"


@pytest.mark.parametrize("feed", ["hr", "crm"])
def test_nobody_at_all_is_no_snapshot(house, now, feed):
    with pytest.raises(IncompleteFeed, match="holds no"):
        pulled(house, [], now, feed=feed)
    with house.store.read() as session:
        assert session.exec(select(Snapshot)).all() == []
    assert not list(house.snapshots.rglob("*.parquet"))


def test_history_is_not_rewritten(house, now):
    pulled(house, people(50), now)
    with pytest.raises(ConfigurationError, match="in their order"):
        pulled(house, people(50), now - timedelta(days=1))


def test_a_reading_of_a_time_that_has_not_come_yet_says_that_the_clock_was_ahead(house, now):
    pulled(house, people(500), now + timedelta(days=700))
    ahead = r"in their order; that time has not come yet: where the clock was ahead then.* restore a backup from before"
    with pytest.raises(ConfigurationError, match=ahead):
        pulled(house, people(501), now)


def test_a_pull_that_fails_half_way_leaves_nothing_behind(house, now):
    def torn():
        yield from people(40)
        raise IncompleteFeed("half a file")

    pulled(house, people(50), now)
    before = sorted(house.snapshots.rglob("*"))
    with pytest.raises(IncompleteFeed):
        pulled(house, torn(), now + timedelta(days=1))
    assert sorted(house.snapshots.rglob("*")) == before


def test_what_a_killed_pull_left_is_swept_and_what_is_believed_stays(house, now):
    good = pulled(house, people(50), now)
    staged = stage(house, house.settings.feed("hr"), people(51), Reading(), now, now)  # killed before publishing
    orphan = house.snapshots / "hr" / ".01ARZ3NDEKTSV4RRFFQ69G5FAV"  # killed while writing
    orphan.mkdir()
    (orphan / "identities.parquet").write_bytes(b"PAR1")
    assert sweep(house, now + timedelta(minutes=5)) == 0, "it may still be running"
    tomorrow = now + timedelta(days=3650)
    sweep(house, tomorrow)
    assert [path.name for path in (house.snapshots / "hr").iterdir()] == [good.id]
    with house.store.read() as session:
        assert session.get(Snapshot, staged.id) is None
