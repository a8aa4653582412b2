"""Whose an address was at some time: one that is free again may be given to somebody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

from connectors.kit.columns import Objects

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROUGHLY: Final = timedelta(minutes=5)  # an account and the event of its making are not of the same moment


class Addresses:
    """Every address with the accounts that had it, by when each was made."""

    def __init__(self) -> None:
        self._owners: dict[str, list[tuple[datetime, str]]] = {}
        self._told: list[Iterator[tuple[str | None, datetime | None, str | None, Any]]] = []  # not written down yet

    def add(self, accounts: Objects) -> None:
        """Note the addresses of these accounts."""
        made, primary = accounts.instants("creationTime"), accounts.texts("primaryEmail")
        self._told.append(zip(accounts.texts("id"), made, primary, accounts.values("aliases"), strict=True))

    def at(self, address: str, when: datetime) -> str | None:
        """The account that had the address then: the newest of those that were there already."""
        for account_id, made, primary, aliases in chain.from_iterable(self._told):
            several = aliases if isinstance(aliases, list) else [aliases]
            for one in (primary, *several):
                if isinstance(one, str) and account_id is not None:
                    self._owners.setdefault(one.casefold(), []).append((made or _LONG_AGO, account_id))
        self._told.clear()
        owners = [owner for owner in self._owners.get(address.casefold(), ()) if owner[0] <= when + _ROUGHLY]
        return max(owners)[1] if owners else None
