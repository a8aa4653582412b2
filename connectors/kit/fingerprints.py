"""Which ids were met already, by the million: exactly while they are few, by fingerprints when they are many.

A set of a million ids takes 130 MiB, more than everything else a pull holds; their fingerprints take 16. Of a million
ids two share one in about one pull of ten million, and then one account counts as told twice: where a total is declared
the pull fails, else the account is missing from one snapshot. The salt is new for every list, so that the next pull
finds it again.
"""

from __future__ import annotations

import secrets
from array import array
from collections.abc import Iterable, Sequence
from typing import Any, Final

FEW: Final = 100_000  # kept as they are
_BITS: Final = 2**62 - 1


class Met:
    """The keys of one list. `new` says of each whether it comes for the first time."""

    def __init__(self, few: int = FEW) -> None:
        self._few = few
        self._keys: set[str] = set()
        self._salt = secrets.token_hex(8)
        self._slots = array("Q")  # a free one is zero
        self._used = 0

    def __len__(self) -> int:
        return self._used or len(self._keys)

    def new(self, key: str) -> bool:
        """Remember the key; False when it was met before."""
        if self._used:
            if 5 * self._used > 3 * len(self._slots):
                self._fill(filter(None, self._slots), 2 * len(self._slots))
            return self._put(self._print(key))
        if key in self._keys:
            return False
        self._keys.add(key)
        self._spill()
        return True

    def places(self, keys: Sequence[str | None]) -> Sequence[int]:
        """Remember these keys and tell where one stands that was not met before; so does each None."""
        fresh: set[Any] = set(keys)
        if len(fresh) == len(keys) and None not in fresh and not self._used and self._keys.isdisjoint(fresh):
            self._keys |= fresh
            self._spill()
            return range(len(keys))
        return [place for place, key in enumerate(keys) if key is None or self.new(key)]

    def _spill(self) -> None:
        """From the many on fingerprints will do."""
        if len(self._keys) > self._few:
            self._fill(map(self._print, self._keys), 2 ** (4 * max(self._few, len(self._keys) // 2)).bit_length())
            self._keys = set()

    def _print(self, key: str) -> int:
        return hash(key + self._salt) & _BITS or 1

    def _put(self, fingerprint: int) -> bool:
        """Into the first free slot from its own place on; False when it lies there already."""
        slots = self._slots
        last = len(slots) - 1
        at = fingerprint & last
        while found := slots[at]:
            if found == fingerprint:
                return False
            at = (at + 1) & last
        slots[at] = fingerprint
        self._used += 1
        return True

    def _fill(self, fingerprints: Iterable[int], size: int) -> None:
        self._slots, self._used = array("Q", bytes(8 * size)), 0
        for fingerprint in fingerprints:
            self._put(fingerprint)
