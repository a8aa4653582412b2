"""What groups of Confluence show of their members is told again as it was shown, however it was kept meanwhile."""

from __future__ import annotations

import random
from array import array
from datetime import UTC, datetime

import pytest

from connectors.kit.confluence_site import TOLD, Held
from connectors.kit.resource import Reader

NOW = datetime(2026, 11, 26, tzinfo=UTC)
VALUES = ("a", "b", "", None, True, False, 1, 1.0, 0, [1], [True], {"x": 1}, "\ud800")


@pytest.mark.parametrize("seed", range(40))
def test_members_are_told_as_the_first_group_showed_them(seed):
    luck, held, shown = random.Random(seed), Held(), {}
    values = VALUES if seed % 2 else VALUES[:6]
    for group in range(4):
        held.members[f"g{group}"] = array("I")
        names = luck.sample(TOLD, luck.randrange(len(TOLD) + 1))
        same = luck.choice(values)
        entries, ids = [], []
        for _ in range(luck.randrange(1, 9)):
            entry = {name: same if luck.random() < 0.5 else luck.choice(values) for name in names}
            if "displayName" in entry and luck.random() < 0.9:
                entry["publicName"] = entry["displayName"]
            entries.append(entry)
            ids.append(f"id-{luck.randrange(12)}")
        held.take(f"g{group}", entries, ids)
        for one, entry in zip(ids, entries, strict=True):
            shown.setdefault(one, entry)
    told = {}
    for ids, rows in held.pages(Reader("here", NOW)):
        columns = {name: (rows.values(name), rows.tells(name)) for name in TOLD}
        for at, one in enumerate(ids):
            told[one] = {name: column[at] for name, (column, there) in columns.items() if there[at]}
    assert repr(told) == repr({one: {n: entry[n] for n in TOLD if n in entry} for one, entry in shown.items()})


def test_roles_and_accounts_no_group_shows_come_in_the_order_of_the_accounts():
    held = Held()
    held.members["g"] = array("I")
    held.take("g", [{}, {}], ["a", "b"])
    numbers = held.ids.numbers(["c", "d", "a", "b"])
    assert held.listed(numbers) == [False, False, True, True]
    held.unlisted.extend(numbers[1::-1])
    held.appoint(numbers[0], ["late", "x"])
    held.appoint(numbers[3], ["x", "y"])
    held.appoint(numbers[2], ["y", "z"])
    assert held.appointed == ["y", "z", "x", "late"]
    assert [one for ids, _ in held.pages(Reader("here", NOW)) for one in ids] == ["a", "b", "c", "d"]
