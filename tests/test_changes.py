"""Reading what changed gives what reading everything gives: over HTTP, through stage, guard and publish."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import re
from datetime import timedelta

import pytest
from polars.testing import assert_frame_equal

import jobs.pull
from connectors.kit.contract import MarkRefused, TellsChanges, connector_class, connector_names
from connectors.sandbox.faults import Faults
from connectors.sandbox.serving import Sandbox
from governance.access import Actor
from governance.guards import list_held, release
from governance.snapshots import believed
from governance.tables import Snapshot
from jobs import changing
from jobs.pull import Told
from jobs.scheduler import Planned
from jobs.worker import Worker
from tests.changing_worlds import STEP, World, happen
from tests.specs import SpecCheck

TELLING = ("entra", "okta", "salesforce")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox([]) as running:
        yield running


class OnceAdministrators:
    """A snapshot of so many accounts, all of them privileged then, and unknown to the vendor now."""

    def __init__(self, many):
        self.many = many

    def accounts(self, *columns):
        yield tuple(
            [f"{name}-{number}" if name == "account_id" else True for number in range(self.many)] for name in columns
        )

    def entitlements(self):
        return iter(())

    def grants(self):
        return iter(())


@pytest.fixture(params=TELLING)
def world(request, sandbox, make_house, monkeypatch):
    tenant = importlib.import_module(f"tests.tenants.{request.param}").TENANT
    return World(tenant, sandbox, make_house, monkeypatch)


def same(world, why=""):
    """Both feeds are believed to say the same."""
    part, whole = world.frames("part"), world.frames("whole")
    for table in part:
        try:
            assert_frame_equal(part[table], whole[table])
        except AssertionError as error:
            raise AssertionError(f"{table} after {why}: {error}") from None


def test_these_connectors_tell_changes_and_no_others():
    assert [name for name in connector_names() if issubclass(connector_class(name), TellsChanges)] == list(TELLING)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_whatever_happened_it_is_the_same_as_reading_everything(world, seed):
    chance, story = random.Random(seed), []
    assert world.pull().status == world.pull("whole").status == "published"
    same(world)
    for _ in range(7):
        world.clock += STEP
        story.append(happen(world, chance, 6))
        world.house = world.opened()  # the mark outlives the process
        part = world.pull()
        assert (part.status, part.error) == ("published", None), story
        assert world.by_changes()
        assert world.pull("whole", incremental=False).status == "published"
        same(world, story)
    asked = {(seen.path, *sorted(seen.query)): seen for seen in world.sandbox.asked(world.application.name)}.values()
    assert SpecCheck(world.tenant.vendor, world.tenant.specs, world.tenant.spec_free).problems(asked) == []


def test_where_nothing_changed_hardly_any_account_is_read_and_none_is_lost(world):
    world.pull()
    first, before = world.asked(), world.frames("part")["accounts"]
    world.clock += timedelta(minutes=30)
    result = world.pull()
    assert (result.status, world.by_changes()) == ("published", True)
    assert world.asked() - first <= first
    assert world.evidence().rows_read == result.rows_read < 5
    after = world.frames("part")["accounts"]
    seen = ["last_present_at", "last_present_at_s"]
    assert_frame_equal(after.drop(seen), before.drop(seen))


def test_requests_and_bytes_are_saved(world):
    world.house = world.opened(page_size=10)
    world.pull()
    happen(world, random.Random(8), 5)
    world.clock += timedelta(minutes=30)
    cost = {}
    for name, incremental in (("changes", True), ("everything", False)):
        world.sandbox.requests.clear()
        assert world.pull(incremental=incremental).status == "published"
        asked = world.sandbox.asked(world.application.name)
        cost[name] = (len(asked), sum(len(str(seen.answer)) for seen in asked))
        world.clock += timedelta(minutes=30)
    assert cost["changes"][0] < cost["everything"][0] - 5
    assert cost["changes"][1] < 0.9 * cost["everything"][1]


def test_the_evidence_says_since_when_and_what_it_rests_on(world):
    world.pull()
    world.clock += timedelta(hours=1)
    world.pull()
    world.clock += timedelta(hours=1)
    world.pull()
    evidence = world.evidence()
    assert "changes since 2026-11-23 09:13Z; everything was read at 2026-11-23 08:13Z" in evidence.filters
    assert any("did not change" in note for note in evidence.notes)


class TestWhenEverythingIsRead:
    def test_the_first_time_by_hand_and_as_of_another_day(self, world):
        world.pull()
        assert not world.by_changes()
        world.clock += timedelta(minutes=20)
        world.pull(incremental=False)
        assert not world.by_changes()
        jobs.pull.pull(world.house, ["part"], world.clock, at=world.clock + timedelta(hours=1), incremental=True)
        assert not world.by_changes()

    def test_once_in_full_every(self, world):
        world.house = world.opened(full_every="24h")
        kinds = []
        for _ in range(5):
            world.pull()
            kinds.append(world.by_changes())
            world.clock += timedelta(hours=9)
        assert kinds == [False, True, True, False, True]

    def test_when_the_configuration_changed(self, world):
        world.pull()
        world.clock += timedelta(minutes=20)
        world.house = world.opened(privileged=["group *"])
        world.pull()
        assert not world.by_changes()
        assert world.frames("part")["accounts"]["privileged"].any()

    def test_when_the_mark_is_refused_or_none_of_ours_in_the_same_pull(self, world):
        world.pull()
        world.pull("whole")
        world.clock += STEP
        happen(world, random.Random(4), 4)
        with world.house.store.write() as session:
            row = believed(session, "part")
            made_with, _, mark = row.account_mark.partition(" ")
            row.account_mark = f"{made_with} {re.sub('[0-9]', 'x', mark)}"
            session.add(row)
        assert world.pull().status == "published"
        assert not world.by_changes()
        assert any(note.startswith("everything was read: part: ") for note in world.evidence().notes)
        world.pull("whole")
        same(world)
        world.clock += timedelta(minutes=20)
        world.pull()
        assert world.by_changes()

    def test_when_something_may_not_be_seen_any_more(self, world):
        closed = {"entra": "/groups$", "okta": "/logs", "salesforce": ""}[world.tenant.vendor]
        world.pull()
        world.clock += timedelta(minutes=20)
        world.application.settings["forbidden"] = closed
        world.application.settings["unseen"] = ["Profile"]
        assert world.pull().status == "published"
        assert not world.by_changes()

    def test_when_reading_each_that_changed_takes_more(self, world):
        world.pull()
        base = changing.ground(world.house, "part", world.clock + timedelta(minutes=2))
        with contextlib.closing(jobs.home.connect(world.house, "part", world.clock)) as connector:
            with pytest.raises(MarkRefused, match=r"reading all of them takes less"):
                list(connector.changes(base.mark, OnceAdministrators(3_000)))
            list(connector.changes(base.mark, OnceAdministrators(0)))  # by whatever else it is not refused

    def test_when_a_link_of_entra_expired(self, world):
        if world.tenant.vendor != "entra":
            pytest.skip("only Entra gives links")
        world.pull()
        world.clock += STEP
        world.application.settings["links_expired"] = True
        world.pull()
        assert not world.by_changes()
        assert any("410 syncStateNotFound" in note for note in world.evidence().notes)


class TestNothingIsLost:
    def test_by_a_pull_that_fails(self, world):
        world.pull()
        world.clock += STEP
        happen(world, random.Random(5), 6)
        world.sandbox.faults[world.application.name] = Faults(half_body=True)
        world.house = world.opened(deadline="2s")  # which is no reason to read everything
        assert world.pull().status == "failed"
        del world.sandbox.faults[world.application.name]
        assert world.pull(at=world.clock + timedelta(minutes=5)).status == "published"
        assert world.by_changes()
        world.pull("whole", at=world.clock + timedelta(minutes=5))
        part, whole = world.frames("part"), world.frames("whole")
        for table in ("entitlements", "grants", "events"):
            assert_frame_equal(part[table], whole[table])

    def test_by_a_pull_that_is_killed_before_it_is_believed(self, world, monkeypatch):
        world.pull()
        world.pull("whole")
        world.clock += STEP
        happen(world, random.Random(6), 6)
        base = changing.ground(world.house, "part", world.clock)
        with contextlib.closing(jobs.home.connect(world.house, "part", world.clock)) as connector:
            staged = Told(world.house, connector, world.clock, base).staged(world.clock)
        assert staged.account_mark != base.snapshot.account_mark or world.tenant.vendor == "salesforce"
        assert world.pull().status == "published"  # from the mark that is believed
        assert world.by_changes()
        world.pull("whole")
        same(world)

    def test_what_the_guard_holds_is_read_whole_until_it_is_released(self, world):
        world.pull()
        world.clock += timedelta(minutes=20)
        for account in world.alive()[:40]:
            world.application.set_status(account.id, "deactivated", "api")
        held = world.pull()
        assert (held.status, world.by_changes()) == ("held", True)
        with world.house.store.read() as session:
            assert believed(session, "part").id != held.snapshot
        world.clock += timedelta(minutes=20)
        assert (world.pull().status, world.by_changes()) == ("held", False)
        [waiting] = list_held(world.house)
        for email in ("ana@x.example", "ben@x.example"):
            release(world.house, Actor(email, email, frozenset({"security"})), world.clock, waiting.id, "they left")
        world.clock += timedelta(minutes=20)
        assert (world.pull().status, world.by_changes()) == ("published", True)
        world.pull("whole")
        part, whole = (world.frames(name)["accounts"]["active"] for name in ("part", "whole"))
        assert part.to_list() == whole.to_list()


def test_the_worker_reads_what_changed(world):
    world.pull()
    world.pull("whole")
    started = world.evidence().started_at
    with world.house.store.write() as session:  # its clock is that of the wall
        for row in session.exec(Snapshot.__table__.select()).all():
            whole = session.get_one(Snapshot, row.id)
            whole.whole_at = whole.at = jobs.home.clock() - timedelta(hours=1)
            session.add(whole)
    worker = Worker(world.house, os.environ)
    worker._pull(Planned("pull", "part"))
    worker.lanes.join("detect", 30)
    assert world.evidence().started_at != started
    assert world.by_changes()
