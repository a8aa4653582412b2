"""Whose an address was at some time: one that is free again may be given to somebody else."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Final

import msgspec

from connectors.kit.columns import Objects
from connectors.kit.numbered import Ids, Noted

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROUGHLY: Final = timedelta(minutes=5)  # an account and the event of its making are not of the same moment
_Told = tuple[str | None, datetime | None, list[str]]  # an account's id, when it was made, its addresses
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[_Told]).decode


class Addresses:
    """Every address with the accounts that had it, by when each was made. Packed, for most pulls never ask for one."""

    def __init__(self) -> None:
        self._portions: list[list[_Told] | bytes] = []
        self._ends: list[int] = []  # of the portions
        self._noted = 0  # portions whose addresses were looked through
        self._addresses = Ids()
        self._owners = Noted()  # by the number of the address, the places of its accounts

    def add(self, accounts: Objects) -> None:
        """Note the addresses of these accounts."""
        ids, made = accounts.texts("id"), accounts.instants("creationTime")
        each = map(_texts, accounts.texts("primaryEmail"), accounts.values("aliases"))
        told: list[_Told] = list(zip(ids, made, each, strict=True))
        self._portions.append(_packed(told))
        self._ends.append(len(told) + (self._ends[-1] if self._ends else 0))

    def at(self, address: str, when: datetime) -> str | None:
        """The account that had the address then: the newest of those that were there already."""
        self._note()
        [places] = self._owners.of(self._addresses.known((address.casefold(),)))
        owners = [owner for owner in map(self._owner, places) if owner[0] <= when + _ROUGHLY]
        return max(owners)[1] if owners else None

    def _note(self) -> None:
        """Whose each address is, of the portions that came since the last time."""
        for number in range(self._noted, len(self._portions)):
            place = self._ends[number - 1] if number else 0
            for account_id, _, addresses in _opened(self._portions[number]):
                if account_id is not None:
                    folded = self._addresses.numbers(map(str.casefold, addresses))
                    self._owners.note(folded, repeat(place, len(folded)))
                place += 1
        self._noted = len(self._portions)

    def _owner(self, place: int) -> tuple[datetime, str]:
        number = bisect_right(self._ends, place)
        begin = self._ends[number - 1] if number else 0
        account_id, made, _ = _opened(self._portions[number])[place - begin]
        return made or _LONG_AGO, account_id or ""


def _texts(primary: str | None, aliases: Any) -> list[str]:
    """Every address of an account; a single alias may stand without its list."""
    several = aliases if isinstance(aliases, list) else (aliases,)
    return [one for one in (primary, *several) if isinstance(one, str)]


def _packed(told: list[_Told]) -> list[_Told] | bytes:
    try:
        return _pack(told)
    except UnicodeEncodeError:  # half a character, which no file format can hold
        return told


def _opened(portion: list[_Told] | bytes) -> list[_Told]:
    return _unpack(portion) if isinstance(portion, bytes) else portion
