"""What is told of each id in arrays is what dictionaries would tell of it, few or many."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.register import Chains, Marks, Packed, Register

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ODD = ("", "\ud800", "ü", "u", "\0", "a" * 300)


@pytest.mark.parametrize("few", [0, 1, 7, 100_000])
class TestRegister:
    def test_numbers_are_those_of_a_dictionary(self, few):
        dice, register, known = random.Random(few), Register(few), {}
        for _ in range(300):
            ids = [dice.choice(ODD) if dice.random() < 0.05 else f"id-{dice.randrange(2_500)}" for _ in range(20)]
            assert register.find(ids) == [known.get(one, 0) for one in ids]
            assert register.numbers(ids) == [known.setdefault(one, len(known) + 1) for one in ids]
            assert len(register) == len(known)

    def test_each_of_many_has_its_own(self, few):
        ids = [f"U{n:07}" for n in range(30_000)]
        register = Register(few)
        assert register.numbers(ids) == list(range(1, 30_001))
        assert register.find([*reversed(ids), "U"]) == [*range(30_000, 0, -1), 0]


def test_ids_of_one_hash_are_told_apart(monkeypatch):
    monkeypatch.setattr("connectors.kit.register.hash", len, raising=False)
    register = Register(2)
    assert register.numbers(["a", "b", "c", "d", "a"]) == [1, 2, 3, 4, 1]
    assert register.find(["d", "e", "bb", "b"]) == [4, 0, 0, 2]


def test_many_ids_take_a_third_of_a_dictionary():
    ids = [f"U0{n:09}" for n in range(200_000)]
    register = Register()
    for at in range(0, len(ids), 1_000):
        register.numbers(ids[at : at + 1_000])
    parts = (register._slots, register._hashes, register._ends, register._ids)
    as_a_dictionary = sys.getsizeof(dict.fromkeys(ids)) + len(ids) * (sys.getsizeof(ids[0]) + 32)
    assert sum(map(sys.getsizeof, parts)) < as_a_dictionary / 3
    assert not register._numbers


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
    packed = Packed(tuple[str | None, datetime | None], (None, None))
    for n in range(200):
        numbers = [dice.randrange(1, 100) for _ in range(dice.randrange(5))]
        rows = [(dice.choice((None, *ODD)), dice.choice((None, NOW - timedelta(microseconds=n)))) for _ in numbers]
        packed.put(numbers, rows)
        known |= zip(numbers, rows, strict=True)
        asked = [dice.randrange(150) for _ in range(20)]
        assert packed.of(asked) == [known.get(number, (None, None)) for number in asked]
    [(_, at)] = packed.of([next(number for number, (_, at) in known.items() if at)])
    assert at.tzinfo is UTC
