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
from connectors.kit.numbered import Chains, Flags, Ids, Marks, Noted, Pieces, Values
from connectors.kit.resource import Reader

NOW = datetime(2026, 11, 26, tzinfo=UTC)
ODD = ("", "\ud800", "ü", "u", "\0", "a" * 300)


@pytest.mark.parametrize("few", [0, 1, 7, 100_000])
class TestIds:
    def test_number_as_a_dictionary_does(self, few):
        luck, ids, known = random.Random(5), Ids(few), {}
        for _ in range(2_000):
            page = [f"id-{luck.randrange(3_000)}" for _ in range(luck.randrange(5))]
            assert ids.known(page) == [known.get(key, 0) for key in page]
            assert ids.numbers(page) == [known.setdefault(key, len(known) + 1) for key in page]
            assert len(ids) == len(known)
            assert ids.of(ids.known(list(known)[-3:])) == list(known)[-3:]
        assert list(ids) == ids.of(range(1, len(ids) + 1)) == list(known)

    def test_texts_of_every_kind_stay_apart(self, few):
        texts = [*ODD, "ab", "b", "é", "e\u0301", "日本", "\0\0"]
        ids = Ids(few)
        assert ids.numbers(texts) == list(range(1, len(texts) + 1))
        assert ids.numbers(texts[::-1]) == list(range(len(texts), 0, -1))
        assert list(ids) == ids.of(range(1, len(ids) + 1)) == texts

    def test_one_that_comes_twice_at_once_has_one_number(self, few):
        ids = Ids(few)
        assert ids.numbers(["a", "b", "a", "c", "b"]) == [1, 2, 1, 3, 2]
        assert ids.numbers(["d", "d", "a", "e", "d"]) == [4, 4, 1, 5, 4]
        assert ids.numbers([]) == []
        assert list(ids) == list("abcde")

    def test_those_whose_hashes_are_alike_stay_apart(self, few, monkeypatch):
        monkeypatch.setattr("connectors.kit.numbered.hash", len, raising=False)
        ids, texts = Ids(few), [f"{n}" for n in range(500)]
        assert ids.numbers(texts) == list(range(1, 501))
        assert ids.known(["499", "500", "7", "8", "\ud800"]) == [500, 0, 8, 9, 0]

    def test_in_whatever_order_they_are_asked_for(self, few):
        ids, texts = Ids(few), [f"U{n:07}" for n in range(30_000)]
        assert ids.numbers(texts) == list(range(1, 30_001))
        assert ids.known([*reversed(texts), "U"]) == [*range(30_000, 0, -1), 0]
        assert ids.known(texts) == list(range(1, 30_001))

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
    taken = sum(map(sys.getsizeof, (ids._slots, ids._hashes, ids._texts.kept, ids._texts.ends)))
    as_a_dictionary = 250_000 * (sys.getsizeof("00000000-4f1c-4c1e-9d2e-0123456789ab") + 42 + 28)
    assert taken < as_a_dictionary / 2
    assert not ids._numbers


def test_pieces_are_found_at_their_places_be_they_longer_than_was_thought():
    luck, pieces, known = random.Random(6), Pieces("B"), [b""]
    for _ in range(300):
        told = [luck.randbytes(luck.randrange(5)) for _ in range(luck.randrange(4))]
        assert list(pieces.add(told)) == list(range(len(known), len(known) + len(told)))
        known += told
        assert [pieces[place] for place in range(1, len(known))] == known[1:]
    assert pieces.ends.typecode == "Q"


@pytest.mark.parametrize(("largest", "kind"), [(255, "B"), (256, "H"), (65_535, "H"), (65_536, "I"), (2**32 - 1, "I")])
def test_what_is_noted_may_be_small_first_and_large_then(largest, kind):
    noted = Noted()
    noted.note([1, 2], [3, 255])
    noted.note([1, 3], iter((largest, 0)))
    noted.note([2, 3], (0, largest))
    assert noted.of([1, 2, 3, 4]) == [(3, largest), (255, 0), (0, largest), ()]
    assert len(noted) == 6
    assert noted._what.typecode == kind


def test_what_is_noted_comes_back_in_its_order():
    luck, noted, known = random.Random(7), Noted(), {}
    for count in range(2_000):
        numbers = [luck.randrange(300) for _ in range(luck.randrange(4))]
        noted.note(numbers, repeat(count, len(numbers)))
        for number in numbers:
            known.setdefault(number, []).append(count)
    assert list(map(list, noted.of(range(310)))) == [known.get(n, []) for n in range(310)]
    assert [list(noted.at(noted.entries(last))) for last in noted.lasts([7])] == [known[7]]
    assert len(noted) == sum(map(len, known.values()))


def test_marks_stand_where_they_were_put_last():
    dice, marks, counts = random.Random(1), Marks(), Marks("I")
    known, counted = {}, {}
    for _ in range(200):
        numbers = [dice.randrange(1, 500) for _ in range(5)]
        values = [dice.randrange(256) for _ in numbers]
        marks.put(numbers, values)
        counts.count(numbers)
        known |= zip(numbers, values, strict=True)
        for number in numbers:
            counted[number] = counted.get(number, 0) + 1
        asked = [dice.randrange(700) for _ in range(20)]
        assert marks.of(asked) == [known.get(number, 0) for number in asked]
        assert marks.marked() == sum(1 for mark in known.values() if mark)
        assert counts.of(asked) == [counted.get(number, 0) for number in asked]
    assert marks.of([]) == []


def test_a_chain_holds_the_entries_of_its_number_in_their_order():
    dice, chains, known, entries = random.Random(2), Chains(), {}, 0
    for _ in range(200):
        numbers = [dice.randrange(1, 100) for _ in range(dice.randrange(5))]
        chains.add(numbers)
        for number in numbers:
            entries += 1
            known.setdefault(number, []).append(entries)
        asked = [dice.randrange(150) for _ in range(20)]
        assert list(map(chains.entries, chains.lasts(asked))) == [known.get(number, []) for number in asked]


def test_values_are_told_as_they_were_put():
    dice, known = random.Random(3), {}
    packed = Values(tuple[str | None, datetime | None], (None, None))
    for n in range(200):
        numbers = [dice.randrange(1, 100) for _ in range(dice.randrange(5))]
        rows = [(dice.choice((None, *ODD)), dice.choice((None, NOW - timedelta(microseconds=n)))) for _ in numbers]
        packed.put(numbers, rows)
        known |= zip(numbers, rows, strict=True)
        asked = [dice.randrange(150) for _ in range(20)]
        assert packed.of(asked) == [known.get(number, (None, None)) for number in asked]
    [(_, at)] = packed.of([next(number for number, (_, at) in known.items() if at)])
    assert at.tzinfo is UTC


def test_values_that_are_alike_are_kept_once():
    dice, known = random.Random(4), {}
    packed = Values(tuple[str | None, str | None], (), alike=True)
    for n in range(3_000):
        numbers = [dice.randrange(1, 2_000) for _ in range(3)]
        rows = [("User", dice.choice((None, "", "\ud800", f"{n}"))) for _ in numbers]
        packed.put(numbers, rows)
        known |= zip(numbers, rows, strict=True)
    asked = range(2_500)
    assert packed.of(asked) == [known.get(number, ()) for number in asked]
    assert packed.stand(asked) == [number in known for number in asked]
    packed.put(range(1, 1_001), [("User", None)] * 1_000)
    assert packed.of([1, 1_000]) == [("User", None)] * 2
    assert len(packed._rows.ends) < 3_000


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
