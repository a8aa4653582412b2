"""Rows that wait to be told on, some at a time and packed: a fifth of what they take as objects."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import msgspec

Row = TypeVar("Row")
_pack = msgspec.msgpack.Encoder().encode


class Packed(Generic[Row]):
    """Rows of one kind in the order they came, each known by its place."""

    def __init__(self, kind: Any) -> None:
        """`kind`: the type of a row, as msgspec has it."""
        self._unpack = msgspec.msgpack.Decoder(list[kind]).decode
        self._portions: list[list[Row] | bytes] = []
        self._ends: list[int] = []  # of the portions

    def __len__(self) -> int:
        """How many rows there are."""
        return self._ends[-1] if self._ends else 0

    def add(self, rows: list[Row]) -> None:
        """Take in a portion; it must not be changed any more."""
        if not rows:
            return
        self._ends.append(len(self) + len(rows))
        try:
            self._portions.append(_pack(rows))
        except (UnicodeEncodeError, OverflowError):  # half a character, or a number no file format can hold
            self._portions.append(rows)

    def __getitem__(self, place: int) -> Row:
        number = bisect_right(self._ends, place)
        return self._opened(self._portions[number])[place - (self._ends[number - 1] if number else 0)]

    def __iter__(self) -> Iterator[Row]:
        for _, rows in self.pages():
            yield from rows

    def pages(self, begin: int = 0) -> Iterator[tuple[int, list[Row]]]:
        """The portions from that place on, where one begins; each with its first place."""
        first = bisect_right(self._ends, begin)
        for portion in self._portions[first:]:
            rows = self._opened(portion)
            yield begin, rows
            begin += len(rows)

    def _opened(self, portion: list[Row] | bytes) -> list[Row]:
        return self._unpack(portion) if isinstance(portion, bytes) else portion
