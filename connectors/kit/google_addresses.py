"""Whose an address was at some time: one that is free again may be given to somebody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Final

from connectors.kit.columns import Objects
from connectors.kit.numbered import Ids, Noted
from connectors.kit.packed import Packed

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROUGHLY: Final = timedelta(minutes=5)  # an account and the event of its making are not of the same moment
_Told = tuple[str | None, datetime | None, list[str]]  # an account's id, when it was made, its addresses


class Addresses:
    """Every address with the accounts that had it, by when each was made. Packed, for most pulls never ask for one."""

    def __init__(self) -> None:
        self._told = Packed[_Told](_Told)
        self._noted = 0  # accounts whose addresses were looked through
        self._addresses = Ids()
        self._owners = Noted()  # by the number of the address, the places of its accounts

    def add(self, accounts: Objects) -> None:
        """Note the addresses of these accounts."""
        ids, made = accounts.texts("id"), accounts.instants("creationTime")
        each = map(_texts, accounts.texts("primaryEmail"), accounts.values("aliases"))
        self._told.add(list(zip(ids, made, each, strict=True)))

    def at(self, address: str, when: datetime) -> str | None:
        """The account that had the address then: the newest of those that were there already."""
        self._note()
        [number] = self._addresses.known((address.casefold(),))
        several = map(self._told.__getitem__, self._owners.under((number,))[0])
        owners = [(made or _LONG_AGO, account_id or "") for account_id, made, _ in several]
        return max((owner for owner in owners if owner[0] <= when + _ROUGHLY), default=(when, None))[1]

    def _note(self) -> None:
        """Whose each address is, of the accounts that came since the last time."""
        for begin, rows in self._told.pages(self._noted):
            for place, (account_id, _, addresses) in enumerate(rows, begin):
                if account_id is not None:
                    folded = self._addresses.numbers(map(str.casefold, addresses))
                    self._owners.note(folded, repeat(place, len(folded)))
        self._noted = len(self._told)


def _texts(primary: str | None, aliases: Any) -> list[str]:
    """Every address of an account; a single alias may stand without its list."""
    several = aliases if isinstance(aliases, list) else (aliases,)
    return [one for one in (primary, *several) if isinstance(one, str)]
