"""Who must decide about which item: by the HR tree, the owners and the deputies, and never about one's own access."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from governance.campaigns.addressed import GONE, Addressed, Person
from governance.campaigns.scope import ReviewPlan
from governance.correlation import fold
from governance.settings import Settings


class Found(NamedTuple):
    """A reviewer's e-mail as they act (None: nobody may decide) and how they were found."""

    reviewer: str | None
    via: str


class Reviewers:
    """Finds the reviewers of items. `deputies`: whose reviews somebody else decides now, both as e-mails.

    `people`: by identity_id. A reviewer who left is passed over: of a manager the next one above counts; a deputy is
    asked once, never the deputy's deputy. Whoever is found is one person under all their addresses.
    """

    def __init__(
        self,
        people: Mapping[str, Person],
        settings: Settings,
        plan: ReviewPlan,
        deputies: Mapping[str, str] | None = None,
    ) -> None:
        self._people = people
        self.addressed = Addressed(people, settings)
        self._plan = plan
        self._owners = {a.name: a.owner for a in settings.application}
        self._entitlements = settings.entitlement_owner
        self._deputies = {self._whose(who): deputy for who, deputy in (deputies or {}).items()}
        self._spelled: dict[str, str] = {}
        self._managers: dict[str, str | None] = {}

    def assign(self, item: Mapping[str, Any]) -> list[Found]:
        """The reviewer of each level; a level that finds nobody goes to the fallback, one that repeats is left out."""
        subject = item["identity_id"]
        found: list[Found] = []
        for ways in self._plan.levels:
            one = self._level(ways, item, subject)
            if not any(one.reviewer == before.reviewer for before in found):
                found.append(one)
        return found

    def escalation(self, item: Mapping[str, Any]) -> Found:
        """Who decides when the reviewer did not: the fallback, unless it is their own access."""
        return self._fallback("not decided in time", item["identity_id"])

    def _level(self, ways: Iterable[str], item: Mapping[str, Any], subject: str | None) -> Found:
        why = "nobody was found"
        for way in ways:
            email = self._by(way, item)
            name = way.replace("_", " ") if "@" not in way else "named in the campaign"
            if email is None:
                why = f"no {name} is known"
            elif self.addressed.is_of(email, subject):
                why = f"the {name} would review their own access"
            elif self.addressed.left(email):
                why = f"the {name} has left"
            else:
                return self._or_deputy(Found(self._acts_as(email), name), subject)
        return self._fallback(why, subject)

    def _or_deputy(self, found: Found, subject: str | None) -> Found:
        deputy = self._deputies.get(self._whose(found.reviewer))
        if deputy is None or self.addressed.is_of(deputy, subject) or self.addressed.left(deputy):
            return found
        return Found(self._acts_as(deputy), f"{found.via}, for {found.reviewer}")

    def _fallback(self, why: str, subject: str | None) -> Found:
        if self.addressed.is_of(self._plan.fallback, subject):
            return Found(None, f"{why}, and the fallback would review their own access")
        if self.addressed.left(self._plan.fallback):
            return Found(None, f"{why}, and the fallback has left")
        return Found(self._acts_as(self._plan.fallback), f"fallback: {why}")

    def _whose(self, email: str | None) -> tuple[str | None, str | None]:
        """What is equal for all addresses of one person."""
        id = self.addressed.person(email)
        return id, None if id else fold(email)

    def _acts_as(self, email: str) -> str:
        if email not in self._spelled:
            self._spelled[email] = self.addressed.acts_as(email)
        return self._spelled[email]

    def _by(self, way: str, item: Mapping[str, Any]) -> str | None:
        if way == "manager":
            return self._manager(item["manager_id"])
        if way == "application_owner":
            return self._owners.get(item["application"])
        if way == "entitlement_owner":
            return self._owner_of(item["application"], item["entitlement"])
        return way

    def _manager(self, identity_id: str | None) -> str | None:
        """The e-mail of this manager, or of the next one above who still works here; a circle ends."""
        if identity_id is None:
            return None
        if identity_id not in self._managers:
            seen: set[str] = set()
            above: str | None = identity_id
            found = None
            while above is not None and above not in seen and found is None:
                seen.add(above)
                person = self._people.get(above)
                found = person.email if person and person.state not in GONE else None
                above = person.manager_id if person else None
            self._managers[identity_id] = found
        return self._managers[identity_id]

    def _owner_of(self, application: str, entitlement: str | None) -> str | None:
        if entitlement is None:
            return None
        for entry in self._entitlements:
            if entry.application == application and fnmatchcase(entitlement.casefold(), entry.entitlement.casefold()):
                return entry.owner
        return None
