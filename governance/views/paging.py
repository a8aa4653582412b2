"""Keyset paging: a page is found by the key of the row before it: the thousandth costs what the first does."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SIZE: Final = 50
CAP: Final = 10_000  # counts stop here: "10,000+"
PART: Final = 20_000  # rows of an export read at a time

Row = Mapping[str, Any]
Fetch = Callable[["Cursor | None", int], Sequence[Row]]


@dataclass(frozen=True)
class Cursor:
    """Where a page begins: after the row with this key, or (`back`) before it. `offset` counts the rows before it."""

    offset: int
    key: tuple[Any, ...]
    back: bool = False

    def encode(self) -> str:
        """The cursor as text for an address."""
        text = json.dumps([self.offset, int(self.back), *self.key], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str | None, types: tuple[type, ...]) -> Cursor | None:
        """The cursor of an address; None (the first page) when it is absent or not one of ours."""
        try:
            offset, back, *key = json.loads(base64.urlsafe_b64decode(f"{text}{'=' * (-len(text or '') % 4)}"))
        except (ValueError, TypeError, binascii.Error):
            return None
        fits = len(key) == len(types) and all(type(part) is kind for part, kind in zip(key, types, strict=True))
        return cls(offset, tuple(key), bool(back)) if fits and type(offset) is int and offset >= 0 else None


@dataclass(frozen=True)
class Slice:
    """One page of a list: its rows, how many there are in all (up to the cap), and the ways on and back."""

    rows: list[Row]
    total: int
    first: int  # number of the first row, from 1; 0 when there is none
    previous: str | None
    next: str | None

    @property
    def total_text(self) -> str:
        """How many there are: `241`, `10,000+`."""
        return capped(self.total)

    def counted(self, one: str, many: str) -> str:
        """The same with its noun: `1 account`, `10,000+ accounts`."""
        return f"{self.total_text} {one if self.total == 1 else many}"

    @property
    def said(self) -> str:
        """Which rows these are: `51 to 100 of 241`."""
        if not self.rows:
            return "nothing to show"
        return f"{self.first:,} to {self.first + len(self.rows) - 1:,} of {self.total_text}"


def capped(number: int) -> str:
    """A count that was cut at the cap says so."""
    return f"{CAP:,}+" if number > CAP else f"{number:,}"


def turn(fetch: Fetch, key: Callable[[Row], tuple[Any, ...]], cursor: Cursor | None, total: int) -> Slice:
    """The page a cursor leads to. `fetch` gives up to n rows after the cursor's key, backwards when it is `back`."""
    found = list(fetch(cursor, SIZE + 1))
    more, rows = len(found) > SIZE, found[:SIZE]
    back = cursor is not None and cursor.back
    if back:
        rows.reverse()
    offset = 0 if cursor is None else max(0, cursor.offset - len(rows)) if back else cursor.offset
    if back and not more:
        offset = 0
    earlier = more if back else cursor is not None
    later = True if back else more
    return Slice(
        rows=rows,
        total=total,
        first=offset + 1 if rows else 0,
        previous=Cursor(offset, key(rows[0]), back=True).encode() if rows and earlier else None,
        next=Cursor(offset + len(rows), key(rows[-1])).encode() if rows and later else None,
    )
