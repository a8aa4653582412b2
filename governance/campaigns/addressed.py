"""Whose an address is: one person may be written under several, and is one reviewer under all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from governance.access import nearness
from governance.correlation import fold
from governance.settings import Settings

GONE: Final = frozenset({"ended", "missing"})


class Person(NamedTuple):
    """An identity as the search for a reviewer needs it; several addresses in one text stand apart by `;`."""

    email: str | None
    manager_id: str | None
    state: str
    aliases: str | None = None
    former_emails: str | None = None


class Addressed:
    """Leads from any address to its person, as `access.find_actor` does: who has it now, as an alias, or had it.

    `people`: by identity_id. Of several persons with an address the nearest counts (`access.nearness`).
    """

    def __init__(self, people: Mapping[str, Person], settings: Settings) -> None:
        self.people = people
        self._entries = {key: entry.email for entry in reversed(settings.actor) if (key := fold(entry.email))}
        self._holder: dict[str, str] = {}
        for field in ("email", "aliases", "former_emails"):
            found: dict[str, str] = {}
            for id, person in people.items():
                for key in _keys(getattr(person, field)) if getattr(person, field) else ():
                    other = found.setdefault(key, id)
                    if other != id and nearness(person.state, id) < nearness(people[other].state, other):
                        found[key] = id
            self._holder = found | self._holder

    def person(self, email: str | None) -> str | None:
        """The identity_id of whoever has this address; None when no source knows it."""
        return self._holder.get(fold(email) or "")

    def left(self, email: str | None) -> bool:
        """Whether whoever has this address has left or is missing."""
        id = self.person(email)
        return id is not None and self.people[id].state in GONE

    def is_of(self, email: str | None, identity_id: str | None) -> bool:
        """Whether this address is that person's."""
        key = fold(email)
        if key is None or identity_id is None or identity_id not in self.people:
            return False
        own = self.people[identity_id]
        return self._holder.get(key) == identity_id or key in _keys(own.email) | _keys(own.aliases)

    def same(self, one: str | None, other: str | None) -> bool:
        """Whether both addresses are one person's, or one address."""
        key = fold(one)
        if key is None:
            return False
        return key == fold(other) or (self.person(one) is not None and self.person(one) == self.person(other))

    def acts_as(self, email: str) -> str:
        """The address of whoever has this one, the same for all of theirs: as [[actor]] names them, else as told."""
        id = self.person(email)
        own = self.people[id] if id is not None else Person(None, None, "unknown")
        for one in (own.email, *(own.aliases or "").split(";"), email):
            entry = self._entries.get(fold(one) or "")
            if entry and self.person(entry) == id:  # an alias may be somebody else's own address
                return entry
        return own.email or email.strip()


def _keys(texts: str | None) -> set[str]:
    parts: Iterable[str] = (texts or "").split(";")
    return {key for part in parts if (key := fold(part))}
