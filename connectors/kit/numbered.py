"""Ids by the million, each with a running number, and what is told of each, in arrays.

A dictionary of a million ids takes 130 MiB, and one with an object for each of them several times that; here they take
40, and what is told of each as many bytes as it needs. While they are few the ids lie in a dictionary, which is faster.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import Any, Final

import msgspec

from connectors.kit.fingerprints import FEW

_MEANINGS: Final = (None, False, True)
_HASH: Final = 2**32 - 1  # as much as is kept of one
_OFTEN: Final = 1_000
_pack = msgspec.msgpack.Encoder().encode


class Pieces:
    """Pieces of bytes one after the other, each known by its place, from 1 on."""

    def __init__(self, kind: str = "I") -> None:
        """`kind`, as arrays name it: what holds the length of all at first."""
        self.kept = bytearray()
        self.ends = array(kind, [0])

    def add(self, pieces: Sequence[bytes]) -> range:
        """Take these in; their places."""
        first, begin = len(self.ends), len(self.kept)
        self.kept += b"".join(pieces)
        if len(self.kept) >> 8 * self.ends.itemsize:
            self.ends = array("Q", self.ends)
        self.ends.extend(islice(accumulate(map(len, pieces), initial=begin), 1, None))
        return range(first, len(self.ends))

    def __getitem__(self, place: int) -> bytearray:
        """The piece at that place."""
        return self.kept[self.ends[place - 1] : self.ends[place]]


class Ids:
    """Ids, and the number of each from 1 on in the order they came; 0 is nobody's."""

    def __init__(self, few: int = FEW) -> None:
        """`few`: so many are kept in a dictionary, which is quicker."""
        self._few = few
        self._numbers: dict[str, int] = {}
        self._order: list[str] = []  # those in the dictionary, as far as they were asked for by their numbers
        self._hashes = array("I", [0])
        self._texts = Pieces()
        self._slots = array("I")  # numbers, each in the first free slot from its own place on; a free one is zero

    def __len__(self) -> int:
        """How many they are, which is the last one's number."""
        return len(self._numbers) or len(self._hashes) - 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers) if not self._slots else map(self._text, range(1, len(self._hashes)))

    def of(self, numbers: Iterable[int]) -> list[str]:
        """Whose numbers these are."""
        if self._slots:
            return list(map(self._text, numbers))
        if len(self._order) < len(self._numbers):
            self._order += islice(self._numbers, len(self._order), None)
        return [self._order[number - 1] for number in numbers]

    def numbers(self, keys: Iterable[str]) -> list[int]:
        """The number of each; one that was not met before gets the next."""
        ids = keys if isinstance(keys, list) else list(keys)
        if self._slots:
            found = self.known(ids)
            if 0 not in found:
                return found
            fresh = dict.fromkeys(one for one, number in zip(ids, found, strict=True) if not number)
            fresh = dict(zip(fresh, self._take(list(fresh)), strict=True))
            return [number or fresh[one] for one, number in zip(ids, found, strict=True)]
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
        return self._met(keys if isinstance(keys, list) else list(keys))

    def _met(self, ids: Sequence[str]) -> list[int]:
        """The number of each by the arrays."""
        try:
            return self._found(ids, str.encode)
        except UnicodeEncodeError:  # half a character
            return self._found(ids, encoded)

    def _found(self, ids: Sequence[str], coded: Callable[[str], bytes]) -> list[int]:
        slots, hashes, ends, kept = self._slots, self._hashes, self._texts.ends, self._texts.kept
        last, size = len(slots) - 1, len(hashes)
        found = []
        number = 0
        for one in ids:
            hashed = hash(one) & _HASH
            number += 1  # lists of one vendor mostly come in one order
            if number == size or hashes[number] != hashed:
                at = hashed & last
                number = slots[at]
                while number and hashes[number] != hashed:
                    at = (at + 1) & last
                    number = slots[at]
            if number and kept[ends[number - 1] : ends[number]] != coded(one):  # another's hash is the same
                number = self._number(one, hashed)
            found.append(number)
        return found

    def _spill(self) -> None:
        """From the many on they lie in arrays."""
        ids, self._numbers, self._order = list(self._numbers), {}, []
        self._take(ids)

    def _take(self, ids: Sequence[str]) -> range:
        """Take in some that were not met before; their numbers."""
        first = len(self._hashes)
        self._hashes.extend([hash(one) & _HASH for one in ids])
        self._texts.add(list(map(self._coded, ids)))
        if 5 * len(self._hashes) > 3 * len(self._slots):
            self._slots = array("I", (0,)) * (1 << (2 * len(self._hashes)).bit_length())  # in one go, not copied
            self._lay(1)
        else:
            self._lay(first)
        return range(first, len(self._hashes))

    def _lay(self, first: int) -> None:
        """The numbers from that one on into their slots."""
        slots, last = self._slots, len(self._slots) - 1
        for number, hashed in enumerate(self._hashes[first:], first):
            at = hashed & last
            while slots[at]:
                at = (at + 1) & last
            slots[at] = number

    def _number(self, one: str, hashed: int) -> int:
        """The number of one whose hash another has, too."""
        slots, last, text = self._slots, len(self._slots) - 1, self._coded(one)
        at = hashed & last
        while (number := slots[at]) and not (self._hashes[number] == hashed and self._texts[number] == text):
            at = (at + 1) & last
        return number

    def _coded(self, one: str) -> bytes:
        """One as it is kept."""
        return encoded(one)

    def _decoded(self, kept: bytearray) -> str:
        return kept.decode("utf-8", "surrogatepass")

    def _text(self, number: int) -> str:
        return self._decoded(self._texts[number])


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
        return _at(self._told, numbers)

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
        return _at(self._last, numbers)

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
        self._what = array("B", [0])

    def __len__(self) -> int:
        """How many there are of all."""
        return len(self._what) - 1

    def note(self, numbers: Sequence[int], what: Iterable[int]) -> None:
        """One more at each of these numbers."""
        told = array("I", what)
        self.add(numbers)
        while max(told, default=0) >> 8 * self._what.itemsize:
            self._what = array("BHI"[self._what.itemsize], self._what)
        self._what.extend(array(self._what.typecode, told))

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

    def __init__(self, kind: Any, silent: tuple[Any, ...], *, alike: bool = False) -> None:
        """`silent`: what stands where nothing was put. `alike`: they are texts, and those of many may be the same."""
        self._unpack = msgspec.msgpack.Decoder(kind).decode
        self._silent = silent
        self._places = Marks("I")  # which row stands at each number
        self._rows = Pieces()
        self._open: dict[int, tuple[Any, ...]] = {}  # rows that are not packed
        self._alike = alike
        self._often: dict[tuple[Any, ...], int] = {}  # the places of some rows, each of which is kept once and open

    def put(self, numbers: Sequence[int], rows: Iterable[tuple[Any, ...]]) -> None:
        """Instead of what stood there."""
        told, often = list(rows), self._often
        if not self._alike:
            self._places.put(numbers, self._added(told, list(map(_packed, told))))
            return
        fresh = list(dict.fromkeys(row for row in told if row not in often))
        few = len(often) < _OFTEN
        places = dict(zip(fresh, self._added(fresh, [b"" if few else _packed(row) for row in fresh]), strict=True))
        if few:
            often |= places
        self._places.put(numbers, [often.get(row) or places[row] for row in told])

    def of(self, numbers: Sequence[int]) -> list[tuple[Any, ...]]:
        """What stands at each."""
        return list(map(self._row, self._places.of(numbers)))

    def stand(self, numbers: Sequence[int]) -> list[bool]:
        """Whether anything was put at each."""
        return list(map(bool, self._places.of(numbers)))

    def _added(self, rows: Sequence[tuple[Any, ...]], pieces: Sequence[bytes]) -> range:
        """The places of these rows; of one without a piece the row itself is kept."""
        places = self._rows.add(pieces)
        if b"" in pieces:
            self._open |= {at: row for at, row, piece in zip(places, rows, pieces, strict=True) if not piece}
        return places

    def _row(self, place: int) -> tuple[Any, ...]:
        if not place:
            return self._silent
        packed = self._rows[place]
        row: tuple[Any, ...] = self._unpack(packed) if packed else self._open[place]
        return row


def encoded(one: str) -> bytes:
    """A text as it is kept, half a character too."""
    return one.encode("utf-8", "surrogatepass")


def _packed(row: tuple[Any, ...]) -> bytes:
    try:
        return _pack(row)
    except UnicodeEncodeError:  # half a character, which no file format but JSON can hold
        return b""


def _at(told: array[int], numbers: Sequence[int]) -> list[int]:
    """What stands at each of these places; 0 behind the last one."""
    size = len(told)
    if max(numbers, default=0) < size:
        return list(map(told.__getitem__, numbers))
    return [told[number] if number < size else 0 for number in numbers]


def _roomy(told: array[int], numbers: Sequence[int]) -> array[int]:
    """The same array, with a place for each of these numbers."""
    missing = max(numbers, default=0) + 1 - len(told)
    if missing > 0:
        told.frombytes(bytes(told.itemsize * missing))
    return told
