"""Ids by the million, each with a running number, and what is told of each, in arrays.

A dictionary of a million ids takes 130 MiB, and one with an object for each of them several times that; here they take
50, and what is told of each as many bytes as it needs. While they are few the ids lie in a dictionary, which is faster.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from connectors.kit.fingerprints import FEW

_MEANINGS: Final = (None, False, True)
_pack = msgspec.msgpack.Encoder().encode


class Ids:
    """Ids, and the number of each from 1 on in the order they came; 0 is nobody's."""

    def __init__(self, few: int = FEW) -> None:
        """`few`: so many are kept in a dictionary, which is quicker."""
        self._few = few
        self._numbers: dict[str, int] = {}
        self._hashes = array("q", [0])
        self._ids = bytearray()  # one after the other
        self._ends = array("Q", [0])
        self._slots = array("I")  # numbers, each in the first free slot from its own place on; a free one is zero

    def __len__(self) -> int:
        """How many they are, which is the last one's number."""
        return len(self._numbers) or len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        if not self._slots:
            yield from self._numbers
            return
        begin = 0
        for end in self._ends[1:]:
            yield self._ids[begin:end].decode("utf-8", "surrogatepass")
            begin = end

    def numbers(self, keys: Iterable[str]) -> list[int]:
        """The number of each; one that was not met before gets the next."""
        ids = keys if isinstance(keys, list) else list(keys)
        if self._slots and ids:
            if not self._slots[self._slot(ids[0])]:  # then mostly none of them was
                return list(map(self._number, ids))
            return [number or self._number(one) for one, number in zip(ids, self.known(ids), strict=True)]
        known, add = self._numbers, self._numbers.setdefault
        found = [add(one, len(known) + 1) for one in ids]
        if len(known) > self._few:
            self._spill()
        return found

    def known(self, keys: Iterable[str]) -> list[int]:
        """The number of each; 0 where it was not met."""
        if not self._slots:
            known = self._numbers.get
            return [known(one, 0) for one in keys]
        ids = keys if isinstance(keys, list) else list(keys)
        try:
            return self._found(ids, str.encode)
        except UnicodeEncodeError:  # half a character
            return self._found(ids, _encoded)

    def _found(self, ids: Sequence[str], encoded: Callable[[str], bytes]) -> list[int]:
        slots, hashes, ends, kept = self._slots, self._hashes, self._ends, self._ids
        last, size = len(slots) - 1, len(hashes)
        found = []
        number = 0
        for one in ids:
            hashed = hash(one)
            number += 1  # lists of one vendor mostly come in one order
            if number == size or hashes[number] != hashed:
                at = hashed & last
                number = slots[at]
                while number and hashes[number] != hashed:
                    at = (at + 1) & last
                    number = slots[at]
            if number and kept[ends[number - 1] : ends[number]] != encoded(one):  # another's hash is the same
                number = slots[self._slot(one)]
            found.append(number)
        return found

    def _spill(self) -> None:
        """From the many on they lie in arrays."""
        ids, self._numbers = list(self._numbers), {}
        self._fill(1 << (2 * len(ids) + 1).bit_length())
        for one in ids:
            self._number(one)

    def _number(self, one: str) -> int:
        at = self._slot(one)
        if number := self._slots[at]:
            return number
        number = self._slots[at] = len(self._ends)
        self._hashes.append(hash(one))
        self._ids += _encoded(one)
        self._ends.append(len(self._ids))
        if 5 * number > 3 * len(self._slots):
            self._fill(2 * len(self._slots))
        return number

    def _slot(self, one: str) -> int:
        """Where its number lies, or will lie."""
        slots, hashes, ends = self._slots, self._hashes, self._ends
        hashed, last = hash(one), len(slots) - 1
        at = hashed & last
        while number := slots[at]:
            if hashes[number] == hashed and self._ids[ends[number - 1] : ends[number]] == _encoded(one):
                break
            at = (at + 1) & last
        return at

    def _fill(self, size: int) -> None:
        slots = self._slots = array("I", (0,)) * size  # in one go, without a second copy
        last = size - 1
        for number in range(1, len(self._hashes)):
            at = self._hashes[number] & last
            while slots[at]:
                at = (at + 1) & last
            slots[at] = number


class Marks:
    """A small number at each running number; 0 where none was put."""

    def __init__(self, kind: str = "B") -> None:
        """`kind`: as arrays name it; by default from 0 to 255."""
        self._told = array(kind, [0])

    def put(self, numbers: Sequence[int], marks: Iterable[int]) -> None:
        """Instead of what stood there."""
        told = self._room(numbers)
        for number, mark in zip(numbers, marks, strict=True):
            told[number] = mark

    def count(self, numbers: Sequence[int]) -> None:
        """One more at each."""
        told = self._room(numbers)
        for number in numbers:
            told[number] += 1

    def of(self, numbers: Sequence[int]) -> list[int]:
        """What stands at each."""
        return list(map(self._room(numbers).__getitem__, numbers))

    def marked(self) -> int:
        """At how many numbers something stands."""
        return len(self._told) - self._told.count(0)

    def _room(self, numbers: Sequence[int]) -> array[int]:
        return _roomy(self._told, numbers)


class Flags:
    """Whether something is so of each of some ids: True, False or, where it is not told, None."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._marks = Marks()  # the place of the meaning

    def tell(self, told: Mapping[str, bool | None]) -> None:
        """What is so of these; the last word counts."""
        self._marks.put(self._ids.numbers(told), map(_MEANINGS.index, told.values()))

    def of(self, keys: Iterable[str]) -> list[bool | None]:
        """What was told of each."""
        return list(map(_MEANINGS.__getitem__, self._marks.of(self._ids.known(keys))))


class Chains:
    """A list at each running number, all of them in one. What stands in them is the caller's, entry by entry.

    Entries count from 1; an array of the caller's that tells something of each begins with a place that is nobody's.
    """

    def __init__(self) -> None:
        self._last = array("I", [0])  # at each number the last entry
        self._before = array("I", [0])  # at each entry the one before it in the same list

    def add(self, numbers: Sequence[int]) -> None:
        """The next entries: one in the list at each of these numbers."""
        last, before = _roomy(self._last, numbers), self._before
        for entry, number in enumerate(numbers, len(before)):
            before.append(last[number])
            last[number] = entry

    def lasts(self, numbers: Sequence[int]) -> list[int]:
        """The last entry of the list at each number; 0 where nothing stands in it."""
        return list(map(_roomy(self._last, numbers).__getitem__, numbers))

    def entries(self, last: int) -> list[int]:
        """The entries of a list in their order, by its last."""
        before, found = self._before, []
        while last:
            found.append(last)
            last = before[last]
        return found[::-1]


class Noted(Chains):
    """Small whole numbers, as many as there are at each running number."""

    def __init__(self) -> None:
        super().__init__()
        self._what = array("I", [0])

    def __len__(self) -> int:
        """How many there are of all."""
        return len(self._what) - 1

    def note(self, numbers: Sequence[int], what: Iterable[int]) -> None:
        """One more at each of these numbers."""
        self.add(numbers)
        self._what.extend(what)

    def of(self, numbers: Sequence[int]) -> list[tuple[int, ...]]:
        """What stands at each, in the order it came."""
        what, before = self._what, self._before
        found: list[tuple[int, ...]] = []
        for last in self.lasts(numbers):
            if last and not before[last]:  # nearly always
                found.append((what[last],))
            else:
                found.append(self.at(self.entries(last)))
        return found

    def at(self, entries: Iterable[int]) -> tuple[int, ...]:
        """What stands in these entries."""
        return tuple(map(self._what.__getitem__, entries))


class Values:
    """Some values at each running number, packed: `kind` is the type of the tuple that they are."""

    def __init__(self, kind: Any, silent: tuple[Any, ...]) -> None:
        """`silent`: what stands where nothing was put."""
        self._unpack = msgspec.msgpack.Decoder(kind).decode
        self._silent = silent
        self._places = array("I", [0])  # at each number the row that stands there; the first row is nobody's
        self._rows = bytearray()
        self._ends = array("Q", [0])
        self._odd: dict[int, tuple[Any, ...]] = {}  # rows that cannot be packed

    def put(self, numbers: Sequence[int], rows: Iterable[tuple[Any, ...]]) -> None:
        """Instead of what stood there."""
        places, packed, ends = _roomy(self._places, numbers), self._rows, self._ends
        for number, row in zip(numbers, rows, strict=True):
            places[number] = len(ends)
            try:
                packed += _pack(row)
            except UnicodeEncodeError:  # half a character, which no file format but JSON can hold
                self._odd[len(ends)] = row
            ends.append(len(packed))

    def of(self, numbers: Sequence[int]) -> list[tuple[Any, ...]]:
        """What stands at each."""
        return list(map(self._row, map(_roomy(self._places, numbers).__getitem__, numbers)))

    def _row(self, place: int) -> tuple[Any, ...]:
        if not place:
            return self._silent
        packed = self._rows[self._ends[place - 1] : self._ends[place]]
        row: tuple[Any, ...] = self._unpack(packed) if packed else self._odd[place]
        return row


def _encoded(one: str) -> bytes:
    return one.encode("utf-8", "surrogatepass")


def _roomy(told: array[int], numbers: Sequence[int]) -> array[int]:
    """The same array, with a place for each of these numbers."""
    missing = max(numbers, default=0) + 1 - len(told)
    if missing > 0:
        told.frombytes(bytes(told.itemsize * missing))
    return told
