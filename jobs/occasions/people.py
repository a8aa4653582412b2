"""Who may decide what, looked up only when somebody has to be told."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any, Final

import polars as pl

from governance.access import Actor, Verb, find_actor, may
from governance.correlation import fold
from governance.errors import NotAllowed
from governance.house import House
from jobs.home import identities

HIGHEST: Final = 20  # levels of management that are climbed at most


class People:
    """The actors of the settings, and the managers of those who need one."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._known: dict[str, Actor | None] = {}
        self._managers: dict[str, Actor | None] = {}

    @cached_property
    def actors(self) -> tuple[Actor, ...]:
        """Everybody whom the settings name and who has not left."""
        found = (self._actor(entry.email) for entry in self._house.settings.actor)
        return tuple(actor for actor in found if actor is not None and not actor.left)

    @cached_property
    def admins(self) -> tuple[str, ...]:
        """The e-mails of those who run the house."""
        return tuple(actor.email for actor in self.actors if "admin" in actor.roles)

    def who_may(
        self,
        verb: Verb,
        application: str | None = None,
        identity_id: str | None = None,
        but: Collection[str | None] = (),
    ) -> tuple[str, ...]:
        """The e-mails of those who may do this, all but some, and never who it is about. A manager stands first."""
        asked = [*self._manager_of(identity_id), *self.actors]
        return tuple(
            dict.fromkeys(
                actor.email
                for actor in asked
                if may(actor, verb, application=application, identity_id=identity_id)
                and not any(map(actor.is_same, but))
                and not (identity_id is not None and actor.identity_id == identity_id)
            )
        )

    def owners_of(self, application: str) -> tuple[str, ...]:
        """The e-mails of those who own an application; of the admins where nobody who may act here does."""
        own = [a.email for a in self.actors if "application_owner" in a.roles and application in a.applications]
        return tuple(own) or self.admins

    def look_up_managers(self, identity_ids: Collection[str]) -> None:
        """Find the managers of all these at once; in place of one who left, the manager of that one."""
        for subject, email in self._addresses({id for id in identity_ids if id not in self._managers}).items():
            self._managers[subject] = self._actor(email)

    def _manager_of(self, identity_id: str | None) -> tuple[Actor, ...]:
        if identity_id is None:
            return ()
        if identity_id not in self._managers:
            self._managers[identity_id] = None
            self.look_up_managers((identity_id,))
        manager = self._managers[identity_id]
        return (manager,) if manager is not None and not manager.left else ()

    @cached_property
    def _frame(self) -> Callable[[], Any] | None:
        people = identities(self._house)
        return None if people is None else lambda: people

    def _actor(self, email: str) -> Actor | None:
        key = fold(email) or email
        if key not in self._known:
            try:
                self._known[key] = find_actor(self._house.settings, email, self._frame)
            except NotAllowed:
                self._known[key] = None
        return self._known[key]

    def _addresses(self, subjects: Collection[str]) -> dict[str, str]:
        """Subject -> e-mail of the manager."""
        if self._frame is None or not subjects:
            return {}
        people: pl.LazyFrame = self._frame()
        found: dict[str, str] = {}
        below = {subject: subject for subject in subjects}
        for _ in range(HIGHEST):
            if not below:
                break
            above = _rows(people, below.values(), "manager_id")
            managers = {subject: above[one][0] for subject, one in below.items() if above.get(one, (None,))[0]}
            known = _rows(people, managers.values(), "email", "state")
            found |= {s: known[m][0] for s, m in managers.items() if m in known and _works(known[m]) and known[m][0]}
            below = {s: m for s, m in managers.items() if m in known and not _works(known[m])}
        return found


def _works(row: tuple[Any, ...]) -> bool:
    return bool(row[1] != "ended")


def _rows(people: pl.LazyFrame, ids: Collection[str], *columns: str) -> dict[str, tuple[Any, ...]]:
    wanted = people.filter(pl.col("identity_id").is_in(sorted(set(ids)))).select("identity_id", *columns)
    return {row[0]: row[1:] for row in wanted.collect().rows()}
