"""What is told of each of some ids, packed, and from some MiB on in a temporary file: millions take little memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, islice
from typing import Any, Final, Generic, TypeVar

import msgspec

from connectors.kit.bodies import Body
from connectors.kit.numbered import Ids

Row = TypeVar("Row")
HELD: Final = 2 * 1024 * 1024  # bytes; what is more lies in a temporary file
NEAR: Final = 4 * 1024 * 1024  # bytes that are read at once
AT_ONCE: Final = 1_000
_pack = msgspec.msgpack.Encoder().encode


class Filed(Generic[Row]):
    """A row for each id, in the order of the ids; of an id that comes again the last word counts."""

    def __init__(
        self, kind: Any, silent: Row, ids: Ids | None = None, held: int = HELD, kind_of_ends: str = "I"
    ) -> None:
        """`kind`: the type of a row, as msgspec has it; `silent`: the row of an id of which nothing is told.

        `ids`: those that have numbers already, whose order then counts; `held`: so many bytes stay in memory;
        `kind_of_ends`, as arrays name it: what holds the length of all at first.
        """
        self._ids = Ids() if ids is None else ids
        self._unpack = msgspec.msgpack.Decoder(kind).decode
        self._silent = silent
        self._places = array("I", [0])  # by running number: which row, or 0
        self._rows = Body(held)
        self._ends = array(kind_of_ends, [0])
        self._count = 0
        self._odd: dict[int, Row] = {}  # rows that cannot be packed

    def __len__(self) -> int:
        return self._count

    def __contains__(self, one: str) -> bool:
        return self.stand((one,))[0]

    def __iter__(self) -> Iterator[Row]:
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[Row]]:
        """Every row, some at a time."""
        for first in range(1, len(self._places), AT_ONCE):
            yield self._at([place for place in self._places[first : first + AT_ONCE] if place])

    def stand(self, ids: Sequence[str]) -> list[bool]:
        """Whether anything is told of each."""
        return list(map(bool, self._placed(ids)))

    def of(self, ids: Sequence[str]) -> list[Row]:
        """What is told of each."""
        return self._at(self._placed(ids))

    def add(self, ids: list[str], rows: Sequence[Row]) -> None:
        """Take in a row for each of these."""
        if len(ids) != len(rows):
            raise ValueError(f"{len(ids)} ids for {len(rows)} rows")
        begin = len(self._ends)
        try:
            packed = list(map(_pack, rows))
        except (UnicodeEncodeError, OverflowError):
            packed = list(map(_packed, rows))
            self._odd |= {place: row for place, row in enumerate(rows, begin) if not packed[place - begin]}
        before = len(self._rows)
        self._rows.add(b"".join(packed))
        if len(self._rows) >> 8 * self._ends.itemsize:
            self._ends = array("Q", self._ends)
        self._ends.extend(islice(accumulate(map(len, packed), initial=before), 1, None))
        numbers = self._ids.numbers(ids)
        self._places.extend([0] * (len(self._ids) + 1 - len(self._places)))
        for place, number in enumerate(numbers, begin):
            self._count += not self._places[number]
            self._places[number] = place

    def _placed(self, ids: Sequence[str]) -> list[int]:
        places, size = self._places, len(self._places)
        return [places[number] if number < size else 0 for number in self._ids.known(ids)]

    def _at(self, places: Sequence[int]) -> list[Row]:
        """The rows at these places."""
        ends = self._ends
        there = [place for place in places if place]
        if not there:
            return [self._silent] * len(places)
        begin, end = ends[min(there) - 1], ends[max(there)]
        together = end - begin <= NEAR  # mostly, for one vendor's lists mostly come in one order
        rows, begin = (self._rows[begin:end], begin) if together else (self._rows, 0)
        found = []
        for place in places:
            packed = rows[ends[place - 1] - begin : ends[place] - begin] if place else b""
            found.append(self._unpack(packed) if packed else self._odd.get(place, self._silent))
        return found


def _packed(row: Any) -> bytes:
    try:
        return _pack(row)
    except (UnicodeEncodeError, OverflowError):  # half a character, or a number no file format can hold
        return b""
