"""Ids that were met already are known again, few or many, and a list of many is read as one of few is."""

from __future__ import annotations

import random
import sys

import pytest

from connectors.kit import pagination
from connectors.kit.fingerprints import Met
from connectors.kit.pagination import Page, read_pages
from governance.errors import IncompleteFeed
from governance.records import Reading


@pytest.mark.parametrize("few", [0, 1, 7, 100_000])
class TestMet:
    @pytest.mark.parametrize("many", [0, 100, 2_500, 60_000])
    def test_says_the_same_as_a_set(self, few, many):
        luck, met, known = random.Random(5), Met(few, many), set()
        for _ in range(5_000):
            key = f"id-{luck.randrange(2_500)}"
            assert met.new(key) == (key not in known)
            known.add(key)
            assert len(met) == len(known)

    def test_each_of_many_is_new_once(self, few):
        met = Met(few)
        keys = [f"{n:08x}-4f1c-4c1e-9d2e-0123456789ab" for n in range(30_000)]
        assert all(met.new(key) for key in keys)
        assert not any(met.new(key) for key in keys)
        assert len(met) == 30_000


def test_a_million_take_less_than_a_fifth_of_a_set():
    met = Met()
    for n in range(250_000):
        met.new(f"{n:08x}-4f1c-4c1e-9d2e-0123456789ab")
    as_a_set = 250_000 * (sys.getsizeof("00000000-4f1c-4c1e-9d2e-0123456789ab") + 32)
    assert sys.getsizeof(met._slots) < as_a_set / 5
    assert not met._keys


class TestPagesOfMany:
    @pytest.fixture(autouse=True)
    def few(self, monkeypatch):
        monkeypatch.setattr(pagination, "Met", lambda: Met(20))

    def pages(self, ids, total=None):
        parts = [ids[at : at + 10] for at in range(0, len(ids), 10)]

        def fetch(cursor):
            at = int(cursor or 0)
            return Page(parts[at], str(at + 1) if at + 1 < len(parts) else None, total)

        reading = Reading()
        return list(read_pages(fetch, str, reading, "here")), reading

    def test_who_comes_twice_is_read_once_and_counted(self):
        ids = [*range(60), 3, 59, *range(60, 98)]
        items, reading = self.pages(ids, total=98)
        assert [item for _, item in items] == list(range(98))
        assert (reading.rows_read, reading.duplicates) == (100, 2)

    def test_a_lost_one_is_noticed(self):
        with pytest.raises(IncompleteFeed, match="100 are declared, 99 different ones arrived"):
            self.pages([*range(99), 0], total=100)
