"""Who holds what, gathered before the accounts themselves are read."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from typing import Any, Final

from connectors.kit.granted import grant_rows
from connectors.kit.numbered import Ids, Noted
from connectors.kit.portions import Meanings
from connectors.kit.privilege import holds_privilege
from governance.records import Entitlement, Rows

DIRECT: Final = "direct"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(microseconds=1)
_UNTOLD: Final = -(2**63)


class Holders:
    """Who holds one thing, by their running numbers, how and, where that is told, since when: 5 or 13 bytes of each."""

    def __init__(self) -> None:
        self.numbers = array("I")
        self._how, self._since = array("B"), array("q")
        self._words: list[str] = []

    def add(self, numbers: Sequence[int], how: Sequence[str], since: Sequence[datetime | None]) -> None:
        """Some more."""
        self._words += dict.fromkeys(one for one in how if one not in self._words)
        self.numbers.extend(numbers)
        if self._since or any(since):
            self._since.extend(repeat(_UNTOLD, len(self._how) - len(self._since)))
            self._since.extend(map(_in_steps, since))
        self._how.extend(map(self._words.index, how))

    @property
    def how(self) -> Iterator[str]:
        """How each of them does."""
        return map(self._words.__getitem__, self._how)

    @property
    def since(self) -> list[datetime | None]:
        """Since when; None where that is not told."""
        return list(map(_instant, self._since)) or [None] * len(self.numbers)


class Holdings:
    """Every entitlement and who holds it. What could not be read is not told, which differs from nothing.

    Accounts are meant by their running numbers in `ids`.
    """

    def __init__(self, ids: Ids | None = None) -> None:
        """`ids`: accounts that have numbers already."""
        self.entitlements: dict[str, Entitlement] = {}
        self.ids = Ids() if ids is None else ids
        self.unclear: set[int] = set()  # accounts of which a part could not be read
        self.groups_told = True
        self.roles_told = True
        self._noted = Noted()  # of each account its grants, each by the place of what is held and how in `known`
        self._known: list[tuple[str, str]] = []
        self._ways: dict[tuple[str, str], int] = {}
        self._since = array("q")  # of each grant, in microseconds; shorter where none of the last ones is told
        self._meant = Meanings(partial(_held, self._known))  # no method: a circle would keep all of it for long
        self._asked: tuple[Sequence[str], list[Mapping[str, str]]] = ((), [])  # the last page, asked for twice

    @property
    def all_told(self) -> bool:
        """Whether groups and roles may be seen at all."""
        return self.groups_told and self.roles_told

    def add(self, account_id: str, entitlement_id: str, how: str, since: datetime | None = None) -> None:
        """One grant; what is held directly goes before what comes through a group."""
        self.give(self.ids.numbers((account_id,)), entitlement_id, how, since)

    def give(self, numbers: Sequence[int], entitlement_id: str, how: str, since: datetime | None = None) -> None:
        """The same grant to each of these accounts."""
        several = len(numbers)
        told = None if since is None else [since] * several
        self._note(numbers, repeat(self._way(entitlement_id, how), several), told)

    def give_each(
        self, numbers: Sequence[int], ways: Iterable[tuple[str, str]], since: Sequence[datetime | None] | None = None
    ) -> None:
        """To each of these accounts its own grant: an entitlement and how it is held."""
        self._note(numbers, [self._way(*way) for way in ways], since)

    def held(self, ids: Sequence[str]) -> list[Mapping[str, str]]:
        """How each of these accounts holds what, by the ids of entitlements in the order they were given first."""
        if self._asked[0] is not ids:
            noted, meant = self._noted, self._meant
            self._asked = ids, [meant[ways] for ways in noted.of(self.ids.known(ids))]
        return self._asked[1]

    def holders(self) -> Iterator[str]:
        """The id of every account that holds something, in the order they came."""
        lasts = self._noted.lasts(range(1, len(self.ids) + 1))
        return (account_id for account_id, last in zip(self.ids, lasts, strict=True) if last)

    def privileged(self, ids: Sequence[str]) -> list[bool | None]:
        """Whether each of these accounts holds anything privileged."""
        entitlements, all_told, unclear = self.entitlements, self.all_told, self.unclear
        numbers = self.ids.known(ids) if unclear else repeat(None, len(ids))
        return [
            holds_privilege([entitlements[e].privileged for e in held], told=all_told and number not in unclear)
            for held, number in zip(self.held(ids), numbers, strict=True)
        ]

    def grants(self, application: str, ids: Sequence[str]) -> Rows:
        """What these accounts hold."""
        held = self.held(ids)
        told: dict[str, Sequence[Any]] = {"how": [how for several in held for how in several.values()]}
        if self._since:
            lasts = self._noted.lasts(self.ids.known(ids))
            told["since"] = [since for last in lasts for since in self._held_since(last)]
        return grant_rows(application, ids, held, **told)

    def _way(self, entitlement_id: str, how: str) -> int:
        way = self._ways.get((entitlement_id, how))
        if way is None:
            way = self._ways[entitlement_id, how] = len(self._known)
            self._known.append((entitlement_id, how))
        return way

    def _note(self, numbers: Sequence[int], ways: Iterable[int], since: Sequence[datetime | None] | None) -> None:
        if since is not None and (self._since or any(since)):
            self._since.extend(repeat(_UNTOLD, len(self._noted) - len(self._since)))
            self._since.extend(map(_in_steps, since))
        self._noted.note(numbers, ways)
        self._asked = (), []

    def _held_since(self, newest: int) -> Iterable[datetime | None]:
        """Since when one account holds each of what it holds, in the order of `held`; by the last entry of its list."""
        places, since, last = self._noted.entries(newest), self._since, len(self._since)
        held: dict[str, int] = {}
        for place, way in zip(places, self._noted.at(places), strict=True):
            entitlement_id, how = self._known[way]
            if entitlement_id not in held or how == DIRECT:
                held[entitlement_id] = since[place - 1] if place <= last else _UNTOLD
        return list(map(_instant, held.values()))


def _held(known: Sequence[tuple[str, str]], ways: tuple[int, ...]) -> Mapping[str, str]:
    """What an account holds by these places in `known`, and how; directly where that is so."""
    held: dict[str, str] = {}
    for entitlement_id, how in map(known.__getitem__, ways):
        if entitlement_id not in held or how == DIRECT:
            held[entitlement_id] = how
    return held


def _in_steps(at: datetime | None) -> int:
    return _UNTOLD if at is None else (at - _EPOCH) // _STEP


def _instant(steps: int) -> datetime | None:
    return None if steps == _UNTOLD else _EPOCH + steps * _STEP
