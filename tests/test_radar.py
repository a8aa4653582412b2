"""The radar of two writers (FAULTS.md C15): twelve scenario sets found, and nothing where one writer is at work."""

from __future__ import annotations

import pytest
from estates import NOW
from radar_scenes import BORN, FIRST, MANNERS, TWELVE, alone, born_outside, company

from governance.provisioning.conflict import KINDS
from governance.provisioning.radar import radar
from governance.provisioning.steps import TITLES

WRITERS = ("jit", "scim", "hand")


@pytest.mark.parametrize("name", TWELVE)
def test_what_came_of_two_writers_is_found(name):
    where, kind, change = TWELVE[name]
    found = change(company()).blip(where)
    assert kind in {one.kind for one in found.consequences}
    assert all(one.accounts and one.examples for one in found.consequences)


@pytest.mark.parametrize("name", TWELVE)
@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_found_where_one_writer_is_at_work(name, writer):
    _, _, change = TWELVE[name]
    for blip in radar(alone(writer, change).estate(), NOW, MANNERS).values():
        assert blip.consequences == ()
        assert blip.unknown == ()
        assert {one.writer for one in blip.acting} <= {writer}


def test_there_are_twelve_sets_and_each_kind_is_among_them():
    assert len(TWELVE) == 12
    assert {kind for _, kind, _ in TWELVE.values()} == set(KINDS) == set(TITLES)


def test_writers_are_told_since_when_and_over_how_many():
    found = born_outside(company()).blip()
    told = {one.writer: (one.since, one.accounts, one.told_by) for one in found.acting}
    assert told == {"scim": (FIRST, 7, "events"), "jit": (BORN, 1, "events")}
    assert (found.born, found.reached, found.provider) == (1, 0, "sso")


def test_settings_alone_tell_of_writers_and_of_no_consequence():
    scene = company()
    scene.ways = ("jit", "scim")
    found = scene.blip()
    assert [(one.writer, one.told_by, one.accounts) for one in found.acting] == [
        ("jit", "settings", 0),
        ("scim", "settings", 0),
    ]
    assert found.consequences == ()
    assert {one.kind: one.why for one in found.unknown}["born_outside_scim"] == (
        "no push to it is told, neither by it nor by an identity provider"
    )
