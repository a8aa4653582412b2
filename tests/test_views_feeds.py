"""How old the facts are, and which people and accounts they speak of."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from governance.views import freshness, population
from tests import seeded
from tests.seeded import put_pull, put_run, put_snapshot

DAY = timedelta(days=1)


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def test_a_feed_is_outdated_by_its_own_limit_and_stands_first(house, now):
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now - timedelta(hours=3))
    feeds = freshness.freshness(house, now)
    assert [(f.name, f.state) for f in feeds] == [("wiki", "outdated"), ("hr", "fresh"), ("crm", "fresh")]
    assert feeds[0].said == "Wiki 3 h, outdated"


def test_what_was_read_while_the_clock_was_ahead_is_of_no_known_age(house, now):
    for feed, ahead in (("hr", timedelta(minutes=4)), ("crm", 700 * DAY), ("wiki", timedelta())):
        put_snapshot(house, feed, now + ahead)
    said = {feed.name: feed for feed in freshness.freshness(house, now)}
    assert {name: feed.sound for name, feed in said.items()} == {"hr": True, "crm": False, "wiki": True}
    assert said["crm"].said == "Customer CRM minus 700 d, outdated"
    words = population.population(house, now).read
    assert words.endswith(f"Customer CRM was read with a clock that was ahead, as of {now + 700 * DAY:%Y-%m-%d %H:%M}Z")


def test_a_failed_or_held_pull_leaves_the_last_good_facts_and_says_so(house, now):
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now - timedelta(minutes=5))
    put_pull(house, "crm", 1, now, "failed", error="no such file", error_kind="IncompleteFeed")
    put_snapshot(house, "hr", now, "held", held_why="too many removed")
    said = {feed.name: feed for feed in freshness.freshness(house, now)}
    assert (said["crm"].state, said["crm"].failed, said["crm"].sound) == ("fresh", "no such file", False)
    assert (said["hr"].held, said["hr"].age) == (True, timedelta(minutes=5))
    assert said["wiki"].sound


def test_only_the_newest_pull_decides_whether_a_feed_failed(house, now):
    put_snapshot(house, "crm", now)
    put_pull(house, "crm", 1, now - DAY, "failed", error="x")
    put_pull(house, "crm", 2, now, "ok")
    put_pull(house, "crm", 3, now, "running")
    assert {f.name: f.failed for f in freshness.freshness(house, now)}["crm"] is None


def test_the_newest_of_each_feed_is_found_by_an_index_however_many_there_are(house, now):
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now)
        put_pull(house, feed, 1 + len(feed), now)
    asked = []
    sa.event.listen(house.store.engine, "before_cursor_execute", lambda *heard: asked.append(heard[2:4]))
    freshness.freshness(house, now)
    plans = []
    with house.store.engine.connect() as link:
        for statement, values in [one for one in asked if "ORDER BY" in one[0]]:
            plan = link.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.append("; ".join(row.detail for row in plan))
    assert plans
    for plan in plans:
        assert "INDEX snapshot_newest" in plan or "INDEX pull_newest" in plan, plan
        assert "TEMP B-TREE" not in plan, plan


def test_the_population_states_rows_read_on_both_sides(house, now):
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now - timedelta(minutes=4))
    put_pull(house, "hr", 1, now, rows_read=503, duplicates=1, rejected=2)
    put_pull(house, "crm", 2, now, rows_read=40)
    put_pull(house, "wiki", 3, now, rows_read=60, duplicates=3)
    put_run(
        house,
        now,
        summary={
            "accounts": 97,
            "identities": 500,
            "unmatched": 9,
            "ambiguous": 3,
            "checks": 1000,
            "not_evaluable": 65,
        },
        not_evaluable={"crm": {"stale": "60 accounts: not told"}, "wiki": {"stale": "5 accounts: not told"}},
    )
    drawn = population.population(house, now)
    assert drawn.looked_at == "97 accounts and 500 identities in 2 applications"
    assert drawn.unjudged == "65 of 1,000 checks (6.5 %) could not be judged, most of them in Customer CRM and Wiki"
    assert drawn.read == (
        "Read: 503 rows about people (1 duplicate, 2 rejected) and 100 rows about accounts (3 duplicate, 0 rejected);"
        " 9 unmatched, 3 ambiguous; data up to 4 min old"
    )


def test_rows_of_pulls_that_read_only_changes_are_told_apart(house, now):
    whole, later, last = now - timedelta(hours=1), now - timedelta(minutes=30), now - timedelta(minutes=4)
    read = [
        ("hr", last, None, {"rows_read": 503, "duplicates": 1, "rejected": 2}),
        ("crm", whole - DAY, None, {"rows_read": 39}),
        ("crm", whole, None, {"rows_read": 40, "duplicates": 2}),
        ("crm", later, whole, {"rows_read": 7, "rejected": 1}),
        ("crm", last, whole, {"rows_read": 0}),
        ("wiki", last, None, {"rows_read": 60}),
    ]
    for number, (feed, at, over, counts) in enumerate(read):
        snapshot = put_snapshot(house, feed, at, whole_at=over or at)
        put_pull(house, feed, number, at, snapshot=snapshot, **counts)
    assert population.population(house, now).read == (
        "Read: 503 rows about people (1 duplicate, 2 rejected) and 100 rows about accounts (2 duplicate, 0 rejected);"
        " since then only what changed in Customer CRM: 7 rows (0 duplicate, 1 rejected); data up to 4 min old"
    )


def test_what_a_guard_released_counts_as_read_and_what_it_holds_does_not(house, now):
    released = put_snapshot(house, "crm", now - timedelta(minutes=9), whole_at=now - timedelta(minutes=9))
    put_pull(house, "crm", 1, now - timedelta(minutes=9), "held", snapshot=released, rows_read=40)
    held = put_snapshot(house, "crm", now, "held", whole_at=now)
    put_pull(house, "crm", 2, now, "held", snapshot=held, rows_read=3)
    one = put_snapshot(house, "hr", now, whole_at=now)
    put_pull(house, "hr", 3, now, snapshot=one, rows_read=1)
    assert "Read: 1 row about people" in population.population(house, now).read
    assert "40 rows about accounts" in population.population(house, now).read
