"""The accounts of an Atlassian organisation by their ids: a million of them fit into memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple

import msgspec

from connectors.kit.bodies import Body
from connectors.kit.numbered import Ids

HELD: Final = 8 * 1024 * 1024  # bytes; what is more lies in a temporary file
NEAR: Final = 4 * 1024 * 1024  # bytes that are read at once
AT_ONCE: Final = 1_000


class Member(NamedTuple):
    """One account as the organisation knows it."""

    account_id: str
    kind: str | None = None
    active: bool | None = None
    account_status: str | None = None  # active, inactive, closed
    suspended: bool = False
    managed: bool | None = None
    synced: bool = False
    email: str | None = None
    name: str | None = None
    department: str | None = None
    title: str | None = None
    created_at: datetime | None = None
    last_seen_at: datetime | None = None
    last_seen_known: bool = False
    mfa: bool | None = None
    uses: bool = False  # the product was opened at least once
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


NOBODY: Final = Member("")  # of whom nothing is told
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Member).decode


class Members:
    """Everybody in the order they came; of an id that comes again the last word counts."""

    def __init__(self, ids: Ids | None = None, held: int = HELD) -> None:
        """`ids`: accounts that have numbers already, whose order then counts; `held`: so many bytes stay in memory."""
        self.ids = Ids() if ids is None else ids
        self._places = array("I", [0])  # by running number: which row, or 0
        self._rows = Body(held)
        self._ends = array("Q", [0])
        self._count = 0
        self._odd: dict[int, Member] = {}  # rows that cannot be packed

    def __len__(self) -> int:
        return self._count

    def __contains__(self, account_id: str) -> bool:
        return self._placed((account_id,)) != [0]

    def __iter__(self) -> Iterator[Member]:
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[Member]]:
        """Everybody, some at a time."""
        for first in range(1, len(self._places), AT_ONCE):
            yield self._at([place for place in self._places[first : first + AT_ONCE] if place])

    def of(self, account_ids: Sequence[str]) -> list[Member]:
        """What is known of each; NOBODY where nothing is."""
        return self._at(self._placed(account_ids))

    def add(self, members: Sequence[Member]) -> None:
        """Take these in."""
        begin = len(self._ends)
        for place, member in enumerate(members, begin):
            try:
                self._rows.add(_pack(member))
            except UnicodeEncodeError:  # half a character, which no file format but JSON can hold
                self._odd[place] = member
            self._ends.append(len(self._rows))
        numbers = self.ids.numbers([member.account_id for member in members])
        self._places.extend([0] * (len(self.ids) + 1 - len(self._places)))
        for place, number in enumerate(numbers, begin):
            self._count += not self._places[number]
            self._places[number] = place

    def _placed(self, account_ids: Sequence[str]) -> list[int]:
        places, size = self._places, len(self._places)
        return [places[number] if number < size else 0 for number in self.ids.known(account_ids)]

    def _at(self, places: Sequence[int]) -> list[Member]:
        """The members in these rows; nobody is in row 0."""
        ends = self._ends
        there = [place for place in places if place]
        if not there:
            return [NOBODY] * len(places)
        begin, end = ends[min(there) - 1], ends[max(there)]
        together = end - begin <= NEAR  # mostly, for one vendor's lists mostly come in one order
        rows, begin = (self._rows[begin:end], begin) if together else (self._rows, 0)
        found = []
        for place in places:
            packed = rows[ends[place - 1] - begin : ends[place] - begin] if place else b""
            found.append(_unpack(packed) if packed else self._odd.get(place, NOBODY))
        return found
