"""Whose an address was at some time: one that is free again may be given to somebody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from connectors.kit.resource import Resource

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ROUGHLY: Final = timedelta(minutes=5)  # an account and the event of its making are not of the same moment


class Addresses:
    """Every address with the accounts that had it, by when each was made."""

    def __init__(self) -> None:
        self._owners: dict[str, list[tuple[datetime, str]]] = {}

    def add(self, account: Resource) -> None:
        """Note the addresses of an account."""
        account_id = account.text("id")
        made = account.instant("creationTime") or _LONG_AGO
        for address in (account.text("primaryEmail"), *account.several("aliases")):
            if isinstance(address, str) and account_id is not None:
                self._owners.setdefault(address.casefold(), []).append((made, account_id))

    def at(self, address: str, when: datetime) -> str | None:
        """The account that had the address then: the newest of those that were there already."""
        owners = [owner for owner in self._owners.get(address.casefold(), ()) if owner[0] <= when + _ROUGHLY]
        return max(owners)[1] if owners else None
