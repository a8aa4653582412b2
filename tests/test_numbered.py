"""Ids keep their running numbers, few or many, and what was noted under a number comes back in its order."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from itertools import repeat

import pytest

from connectors.kit import holdings as kit
from connectors.kit.columns import Objects
from connectors.kit.google_addresses import Addresses
from connectors.kit.holdings import Holdings
from connectors.kit.numbered import Flags, Ids, Noted
from connectors.kit.resource import Reader

NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize("few", [0, 1, 7, 100_000])
class TestIds:
    def test_number_as_a_dictionary_does(self, few):
        luck, ids, known = random.Random(5), Ids(few), {}
        for _ in range(2_000):
            page = [f"id-{luck.randrange(3_000)}" for _ in range(luck.randrange(5))]
            assert ids.known(page) == [known.get(key) for key in page]
            assert ids.numbers(page) == [known.setdefault(key, len(known)) for key in page]
            assert len(ids) == len(known)
        assert list(ids) == list(known)

    def test_texts_of_every_kind_stay_apart(self, few):
        texts = ["", "a", "ab", "b", "é", "e\u0301", "\ud800", "日本", "a" * 1_000, "\0", "\0\0"]
        ids = Ids(few)
        assert ids.numbers(texts) == list(range(len(texts)))
        assert ids.numbers(texts[::-1]) == list(range(len(texts)))[::-1]
        assert list(ids) == texts

    def test_those_whose_fingerprints_are_alike_stay_apart(self, few, monkeypatch):
        monkeypatch.setattr("connectors.kit.numbered._PRINT", 3)
        ids, texts = Ids(few), [f"{n}" for n in range(500)]
        assert ids.numbers(texts) == list(range(500))
        assert ids.known(["499", "500"]) == [499, None]

    def test_flags_are_as_the_last_word_has_them(self, few):
        flags = Flags(Ids(few))
        flags.tell({"a": True, "b": False, "c": None, "d": True})
        flags.tell({"d": None, "a": False})
        flags.tell({})
        assert flags.of(["a", "b", "c", "d", "e"]) == [False, False, None, None, None]


def test_many_ids_take_a_third_of_a_dictionary():
    ids = Ids()
    for at in range(0, 250_000, 500):
        ids.numbers(f"{n:08x}-4f1c-4c1e-9d2e-0123456789ab" for n in range(at, at + 500))
    taken = sum(map(sys.getsizeof, (ids._slots, ids._texts, ids._ends)))
    as_a_dictionary = 250_000 * (sys.getsizeof("00000000-4f1c-4c1e-9d2e-0123456789ab") + 42 + 28)
    assert taken < as_a_dictionary / 2
    assert not ids._numbers


def test_what_is_noted_comes_back_in_its_order():
    luck, noted, known = random.Random(7), Noted(), {}
    for count in range(2_000):
        numbers = [luck.randrange(300) for _ in range(luck.randrange(4))]
        noted.note(numbers, repeat(count, len(numbers)))
        for number in numbers:
            known.setdefault(number, []).append(count)
    assert [list(noted.at(noted.places(n))) for n in range(310)] == [known.get(n, []) for n in range(310)]
    assert noted.under(range(310)) == [tuple(known.get(n, [])) for n in range(310)]
    assert noted.under([None]) == [()]
    assert noted.places(None) == []
    assert len(noted) == sum(map(len, known.values()))


class TestHoldings:
    @pytest.fixture(params=[0, 3, 100_000], autouse=True)
    def few(self, request, monkeypatch):
        monkeypatch.setattr(kit, "Ids", lambda: Ids(request.param))

    @pytest.mark.parametrize("share", [0, 0.02, 1])
    def test_direct_goes_before_group_and_the_first_place_stays(self, share):
        """As a dictionary of dictionaries has it."""
        luck, found, known = random.Random(3), Holdings(), {}
        for _ in range(3_000):
            account, entitlement = f"a{luck.randrange(40)}", f"e{luck.randrange(9)}"
            how = luck.choice(("direct", "group"))
            since = NOW - timedelta(microseconds=luck.randrange(10**15)) if luck.random() < share else None
            found.add(account, entitlement, how, since)
            mine = known.setdefault(account, {})
            if entitlement not in mine or how == "direct":
                mine[entitlement] = how, since
        ids = [f"a{n}" for n in range(45)]
        expected = [{e: how for e, (how, _) in known.get(one, {}).items()} for one in ids]
        assert found.held(ids) == expected
        assert list(map(list, found.held(ids))) == list(map(list, expected))
        told = [(g.account_id, g.entitlement_id, g.how, g.since) for g in found.grants("here", ids).records()]
        assert told == [(one, e, *way) for one in ids for e, way in known.get(one, {}).items()]
        assert list(found.holders()) == list(known)

    def test_the_same_page_asked_again_tells_what_was_added_since(self):
        found, page = Holdings(), ["a"]
        assert found.held(page) == [{}]
        found.add("a", "e", "group")
        assert found.held(page) == [{"e": "group"}]

    def test_of_an_instant_far_from_now_no_microsecond_is_lost(self):
        found = Holdings()
        instants = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), NOW, None]
        for n, at in enumerate(instants):
            found.add(f"{n}", "e", "direct", at)
        assert [g.since for g in found.grants("here", list("0123")).records()] == instants


class TestAddresses:
    def test_go_to_the_newest_account_that_was_there_then(self):
        rows = [
            {"id": "1", "creationTime": "2026-01-01T00:00:00Z", "primaryEmail": "Joe@x", "aliases": ["j@x", 5]},
            {"id": "2", "creationTime": "2026-06-01T00:00:00Z", "primaryEmail": "joe@x", "aliases": "J@X"},
            {"creationTime": "2026-06-01T00:00:00Z", "primaryEmail": "nobody@x"},
            {"id": "3", "primaryEmail": "\ud800@x"},
        ]
        found, reader = Addresses(), Reader("here", NOW)
        for row in rows:
            found.add(Objects([row], reader))
            found.at("joe@x", NOW)  # asking in between changes nothing
        at = [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)]
        assert [found.at("JOE@x", one) for one in at] == ["1", "2", None]
        assert [found.at("j@x", one) for one in at] == ["1", "2", None]
        assert [found.at(one, NOW) for one in ("\ud800@x", "nobody@x", "x@x")] == ["3", None, None]
