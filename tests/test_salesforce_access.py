"""What accounts of Salesforce hold, kept in arrays: once, directly where that is so, in the order it was read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.kit.portions import Meanings
from connectors.kit.privilege import Privilege
from connectors.kit.salesforce_access import DIRECT, NEVER, THROUGH, Held, Hold, Own, _above, _through
from governance.records import Entitlement
from governance.settings import ApplicationSettings

AT = datetime(2106, 8, 28, 1, 2, 3, 456_789, UTC)


@pytest.fixture
def held():
    found = Held()
    for one in ("G1", "G2", "P1"):
        found.entitlements[one] = Entitlement("sf", one, one, "group", one == "G2")
    return found


def test_what_is_held_twice_is_told_once_and_directly_wins(held):
    held.add([1, 1, 2], ["G1", "G2", "G1"], [NEVER, AT.timestamp(), NEVER], bytes((THROUGH, DIRECT, THROUGH)))
    held.add([1, 1], ["G1", "G2"], [AT.timestamp(), NEVER], bytes((DIRECT, THROUGH)))
    first, second, nobody = held.of([1, 2, 3])
    assert list(first.items()) == [("G1", Hold("G1", "direct", AT)), ("G2", Hold("G2", "direct", AT))]
    assert second == {"G1": Hold("G1", "group")}
    assert nobody == {}


def test_what_no_list_shows_is_not_held(held):
    held.add([1, 1], ["G9", "P1"], [NEVER, AT.timestamp()])
    held.doubt([1])
    assert held.of([1]) == [{"P1": Hold("P1", "direct", AT)}]
    assert held.unclear([1, 2]) == [True, False]


@pytest.mark.parametrize("year", [1900, 1969, 1970, 2026, 2107, 2200])
def test_times_are_told_to_the_microsecond(held, year):
    times = [AT.replace(year=year, microsecond=n) for n in range(0, 1_000_000, 4_321)]
    held.add(range(1, len(times) + 1), ["G1"] * len(times), [at.timestamp() for at in times])
    assert [one["G1"].since for one in held.of(range(1, len(times) + 1))] == times


def test_groups_in_groups_come_after_the_one_they_are_held_through():
    above = Meanings(lambda group: _above(group, {"G1": ["G2"], "G2": ["G1"], "G3": []}))
    numbers, groups, since, how = _through(above, [1, 2], ["G3", "G2"], [AT.timestamp(), NEVER])
    assert (numbers, groups[:2]) == ([1, 2, 2, 2], ["G3", "G2"])
    assert sorted(groups[2:]) == ["G1", "G2"]
    assert list(how) == [DIRECT, DIRECT, THROUGH, THROUGH]
    assert since[0] == AT.timestamp()


def test_a_profile_that_no_list_shows_can_be_held_from_its_first_account_on(held):
    privilege = Privilege(ApplicationSettings(name="sf", connector="salesforce", privileged=["Admin*"]))
    own = Own(held.entitlements, privilege, "sf")
    rows = [("00e1", "Admin", None), (None, None, "00e1"), ("00e1", "Admin", "G2"), (None, None, "00E9")]
    holds, privileged = own.together((one, own[row], False) for one, row in zip(held.of([0] * 4), rows, strict=True))
    assert [list(one) for one in holds] == [["00e1"], ["00e1"], ["00e1", "G2"], []]
    assert privileged == [True, True, True, None]
    assert own.new == [Entitlement("sf", "00e1", "Admin", "profile", True)]
