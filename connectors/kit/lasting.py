"""What all portions of a table told, column by column, until it is told on: a million rows fit into memory."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, compress, pairwise, repeat
from types import NoneType
from typing import Any, Final

import msgspec

from connectors.kit.fingerprints import Met

AS_THEY_ARE: Final = 100_000  # rows whose texts are kept as objects; those of a million take 65 MiB a column, packed 20
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[str | None]).decode
_Part = Sequence[Any] | bytes
MOST_CODES: Final = 2**16  # so that one takes two bytes, a quarter of what holding on to the value takes
_CODES: Final = "H"


class Lasting:
    """The rows of a table. Every portion tells the same columns; `texts` names those that hold nothing but texts."""

    def __init__(self, texts: Collection[str] = (), as_they_are: int = AS_THEY_ARE) -> None:
        self._ends: list[int] = []  # of each portion
        self.lines = Column(self._ends)
        self.columns: dict[str, Column] = {}
        self._texts, self._as_they_are = texts, as_they_are
        self._dropped: set[int] = set()
        self._changed: dict[int, Mapping[str, Any]] = {}

    def __len__(self) -> int:
        """How many rows there are that were not dropped."""
        return len(self.lines) - len(self._dropped)

    def add(self, lines: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        """Take in one portion."""
        if not lines:
            return
        before = len(self.lines)
        self._ends.append(before + len(lines))
        self.lines.parts.append(_in_a_row(lines))
        packed = len(self.lines) > self._as_they_are
        if packed and before <= self._as_they_are:  # all of them from now on, and those that came so far
            for name, column in self.columns.items():
                column.pack(texts=name in self._texts)
        for name, values in columns.items():
            self.columns.setdefault(name, Column(self._ends)).add(values, packed=packed, texts=name in self._texts)

    def kept(self, name: str) -> Iterable[Any]:
        """What that column tells of each row that was not dropped."""
        told = self.columns.get(name)
        if told is None:
            return repeat(None, len(self))
        return self._kept(name, told) if self._dropped or self._changed else told

    def _kept(self, name: str, told: Column) -> Iterator[Any]:
        for place, value in enumerate(told):
            if place in self._changed:
                yield self._changed[place].get(name, value)
            elif place not in self._dropped:
                yield value

    def repeated(self, key: str) -> dict[Any, list[int]]:
        """The places of each value of that column which stands in several rows, in the order of the first."""
        met = Met(many=len(self.lines))
        several: set[Any] = set()
        for values in self.columns[key].portions() if key in self.columns else ():
            if len(places := met.places(values)) < len(values):
                there = set(places)
                several |= {value for place, value in enumerate(values) if place not in there}
        if not several:
            return {}
        found: dict[Any, list[int]] = {}
        for place, value in enumerate(self.columns[key]):
            if value in several:
                found.setdefault(value, []).append(place)
        return {value: places for value, places in found.items() if len(places) > 1}  # fingerprints may be alike

    def drop(self, places: set[int]) -> None:
        """Take these rows out."""
        self._dropped |= places

    def widen(self, name: str, value: Any) -> None:
        """One column more, which tells the same in each row."""
        column = self.columns[name] = Column(self._ends)
        column.parts += [[value] * (end - begin) for begin, end in pairwise((0, *self._ends))]

    def change(self, place: int, told: Mapping[str, Any]) -> None:
        """What some columns tell in that row instead."""
        self._changed[place] = told

    def slices(self, size: int) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        """The columns `size` rows at a time, each with how many rows it holds. Gives back what was told on."""
        gathered: dict[str, list[Any]] = {name: [] for name in self.columns}
        height = 0
        for more, portion in self._portions():
            if more == size and not height:  # it came as it is asked for
                yield size, portion
                continue
            for name, values in portion.items():
                gathered[name] += values
            height += more
            whole = height - height % size
            for begin in range(0, whole, size):
                yield size, {name: values[begin : begin + size] for name, values in gathered.items()}
            if whole:
                gathered = {name: values[whole:] for name, values in gathered.items()}
                height -= whole
        if height:
            yield height, gathered

    def _portions(self) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        """The portions as they came, with what was changed and without what was dropped."""
        changed, dropped = self._by_portion(self._changed), self._by_portion(self._dropped)
        for number, (begin, end) in enumerate(pairwise((0, *self._ends))):
            portion = {name: column.take(number) for name, column in self.columns.items()}
            for place in changed.get(number, ()):
                for name, value in self._changed[place].items():
                    portion[name][place - begin] = value
            gone = dropped.get(number, [])
            if gone:
                good = [True] * (end - begin)
                for place in gone:
                    good[place - begin] = False
                portion = {name: list(compress(values, good)) for name, values in portion.items()}
            yield end - begin - len(gone), portion

    def _by_portion(self, places: Collection[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for place in places:
            found.setdefault(bisect_right(self._ends, place), []).append(place)
        return found


class Column(Sequence[Any]):
    """One column of all rows. Two portions stay open: asked for places in their order, each is opened once."""

    def __init__(self, ends: Sequence[int]) -> None:
        self.parts: list[_Part] = []
        self._ends = ends
        self._codes: dict[Any, int] = {}  # of values that repeat
        self._values: list[Any] = []
        self._open: dict[int, Sequence[Any]] = {}

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, place: Any) -> Any:
        """What it tells in that row."""
        number = bisect_right(self._ends, place)
        if number not in self._open:
            if len(self._open) > 1:
                del self._open[next(iter(self._open))]
            self._open[number] = self._opened(self.parts[number])
        return self._open[number][place - (self._ends[number - 1] if number else 0)]

    def __iter__(self) -> Iterator[Any]:
        return chain.from_iterable(self.portions())

    def add(self, values: Sequence[Any], *, packed: bool, texts: bool) -> None:
        """What it tells of the next portion."""
        self.parts.append(values)
        if packed:
            self.pack(len(self.parts) - 1, texts=texts)

    def pack(self, first: int = 0, *, texts: bool) -> None:
        """Keep the portions from that one on in fewer bytes."""
        for number, values in enumerate(self.parts[first:], first):
            self.parts[number] = _packed(values) if texts else self._coded(values)

    def portions(self) -> Iterator[Sequence[Any]]:
        """The same, portion by portion."""
        return map(self._opened, self.parts)

    def take(self, number: int) -> list[Any]:
        """One portion, to be changed; it is let go of."""
        part, self.parts[number] = self.parts[number], ()
        return list(self._opened(part))

    def _coded(self, values: Sequence[Any]) -> _Part:
        """These values by their numbers; as they are where there are too many different ones."""
        codes = self._codes
        if not isinstance(values, list) or len(codes) >= MOST_CODES:
            return values
        try:
            told = set(values)
        except TypeError:  # a list is no value that repeats
            return values
        new = told.difference(codes)
        if len(codes) + len(new) > MOST_CODES or not _are_themselves(values, set(map(type, told))):
            return values
        for value in new:
            codes[value] = len(self._values)
            self._values.append(value)
        return array(_CODES, map(codes.__getitem__, values))

    def _opened(self, part: _Part) -> Sequence[Any]:
        if isinstance(part, array) and part.typecode == _CODES:
            return list(map(self._values.__getitem__, part))
        return _unpack(part) if isinstance(part, bytes) else part


def _are_themselves(values: list[Any], kinds: set[type]) -> bool:
    """Whether what is equal to one of these is the same, as 1 and True are not, nor one instant in two zones."""
    if kinds <= {datetime, NoneType}:
        return all(value is None or value.tzinfo is UTC for value in values)
    return kinds <= {str, NoneType}


def _in_a_row(lines: Sequence[int]) -> Sequence[int]:
    """These numbers in few bytes: mostly each is one more than that before it."""
    whole = range(lines[0], lines[0] + len(lines))
    return whole if lines == whole or [*lines] == [*whole] else array("q", lines)


def _packed(values: Sequence[Any]) -> _Part:
    try:
        return _pack(values)
    except UnicodeEncodeError:  # half a character, which no file format but this one can hold
        return values
