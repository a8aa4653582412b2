"""What GitHub tells about one organisation: members, outside collaborators, invitations, teams and roles.

Confirmed in the descriptions of docs.github.com/rest/orgs and /teams: private members only for members; `role` and
`inherited` of a team's members; filter 2fa_disabled only for owners (422 otherwise); invitations have no login where
only an address was invited, and do not exist in organisations of managed users; organisation roles on Enterprise Cloud.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote

from connectors.kit.columns import Objects
from connectors.kit.github_calls import REFUSED, GitHubCalls, several
from connectors.kit.github_listed import Listed, Person, persons
from connectors.kit.holdings import DIRECT, Holdings
from connectors.kit.numbered import Flags, Ids
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader, Resource
from governance.errors import AuthenticationFailed
from governance.records import Entitlement, Reading, Rejected

OWNER: Final = ("role:owner", "Organisation owner", True)
MEMBER: Final = ("role:member", "Organisation member", False)
COLLABORATOR: Final = ("role:outside_collaborator", "Outside collaborator", False)
INVITATION: Final = "invitation:"
Told = TypeVar("Told")
_OWNERS_ONLY: Final = (*REFUSED, 422)


class Organisation(Holdings):
    """Everything that was read, and what is held by login."""

    def __init__(self, ids: Ids | None = None) -> None:
        super().__init__(ids)
        self.members = Listed(self.ids)
        self.collaborators = Listed(self.ids)
        self.invitations: list[Resource] = []
        self.without_2fa: Flags | None = None  # True of who has none; None: not told

    def everybody(self) -> Iterator[Person]:
        """Outside collaborators, then members, each once; who is both is told of as a member."""
        for person in self.collaborators:
            yield self.members.get(person.login) or person
        for people in self.members.pages():
            told = self.collaborators.hold([person.login for person in people])
            yield from (person for person, is_told in zip(people, told, strict=True) if not is_told)


class OrganisationLists:
    """Reads them all. Accounts must be readable, for who is left out would look gone; of other things it is said.

    `members_only` of the configuration says that nobody but members is meant.
    """

    def __init__(self, calls: GitHubCalls, name: str, application: str, privilege: Privilege, size: int) -> None:
        self._calls = calls
        self.path = f"orgs/{quote(name, safe='')}"
        self._application = application
        self._privilege = privilege
        self._size = size

    def whoever_asks(self) -> str:
        """The login the token belongs to; AuthenticationFailed unless it is a member, for then lists are not whole."""
        if self._calls.app is not None:
            self._calls.get(self.path)
            if "members" not in self._calls.app.permissions:
                raise AuthenticationFailed(f"{self._application}: the App lacks the organisation permission Members")
            return "the GitHub App"
        login = Reader(self._application, self._calls.http.deadline.now).of(self._calls.get("user").data).text("login")
        answer = self._calls.get(f"{self.path}/memberships/{quote(login or '-', safe='')}", allow=REFUSED)
        state = answer.data.get("state") if isinstance(answer.data, dict) else None
        if answer.status != 200 or state != "active":
            raise AuthenticationFailed(
                f"{self._application}: the token's owner is no member of {self.path}: GitHub would show only public"
                " members, and nobody would notice; or the token is not authorised for single sign-on"
            )
        return login or ""

    def read(
        self, reading: Reading, ids: Ids | None = None, *, managed: bool, members_only: bool = False
    ) -> Organisation:
        """The whole organisation. `ids`: logins that have numbers already."""
        found = Organisation(ids)
        for entitlement_id, name, privileged in (OWNER, MEMBER, COLLABORATOR):
            self.entitle(found, entitlement_id, name, "role", privileged)
        reader = Reader(self._application, self._calls.http.deadline.now)
        for page in self._people(reader, "members", reading, {"role": "all"}):
            found.members.add(page)
        owners = self._owners(reader, reading)
        if members_only:
            reading.notes.append("outside collaborators and pending invitations are left out (members_only)")
        else:
            for page in self._people(reader, "outside_collaborators", reading, {}, allow=REFUSED):
                found.collaborators.add(page)
        if not managed:
            if not members_only:
                invited = self._calls.listed(
                    f"{self.path}/invitations", reading, size=self._size, key=_id, allow=REFUSED
                )
                found.invitations = [reader.of(item) for item in self._must(invited, "pending invitations")]
            self._two_factor(found, reader, reading)
        for people in found.members.pages():
            logins = [person.login for person in people]
            ways = [(OWNER[0] if login in owners else MEMBER[0], DIRECT) for login in logins]
            found.give_each(found.ids.numbers(logins), ways)
        for person in found.collaborators:
            found.add(person.login, COLLABORATOR[0], DIRECT)
        self._teams(found, reader, reading)
        self._roles(found, reader, reading)
        reader.note(reading)
        return found

    def owners(self) -> set[str]:
        """Who owns the organisation right now."""
        reader = Reader(self._application, self._calls.http.deadline.now)
        return self._owners(reader, Reading())

    def _owners(self, reader: Reader, reading: Reading) -> set[str]:
        pages = self._people(reader, "members", reading, {"role": "admin"})
        return {person.login for page in pages for person in page}

    def collaborator(self, login: str) -> Person | None:
        """An outside collaborator; GitHub has no call for a single one."""
        reader = Reader(self._application, self._calls.http.deadline.now)
        listed = Listed(Ids())
        for page in self._people(reader, "outside_collaborators", Reading(), {}, allow=REFUSED):
            listed.add(page)
        return listed.get(login)

    def invitation(self, invitation_id: str) -> Resource | None:
        """A pending invitation."""
        reader = Reader(self._application, self._calls.http.deadline.now)
        listed = self._calls.listed(f"{self.path}/invitations", Reading(), key=_id, allow=REFUSED)
        return next((reader.of(i) for i in several(listed) if str(i.get("id")) == invitation_id), None)

    def entitle(self, found: Organisation, entitlement_id: str, name: str, kind: str, privileged: bool | None) -> None:
        """Note an entitlement."""
        told = self._privilege.of(name, privileged)
        found.entitlements[entitlement_id] = Entitlement(self._application, entitlement_id, name, kind, told)

    def _people(
        self,
        reader: Reader,
        path: str,
        reading: Reading,
        params: Mapping[str, str],
        allow: tuple[int, ...] = (),
    ) -> Iterator[list[Person]]:
        """People page by page; at the end who has no login is quarantined."""
        pages = self._calls.lists(f"{self.path}/{path}", reading, params, size=self._size, allow=allow)
        quiet = Reader(self._application, self._calls.http.deadline.now)  # of what else is told little matters
        nameless, number = [], 0
        for page in self._must(pages, "outside collaborators"):
            logins = Objects(page, reader).texts("login")
            nameless += [number + place for place, login in enumerate(logins, 1) if login is None]
            number += len(page)
            yield persons(Objects(page, quiet), logins)
        if params.get("role") != "admin":  # those are in the list of all, too
            where = f"{self._calls.http.address.join(self.path)}/{path}"
            reading.rejected += [Rejected(f"{where}#{one}", "login", "is missing or no text") for one in nameless]

    def _must(self, listed: Iterable[Told] | None, whom: str) -> Iterable[Told]:
        if listed is None:
            raise AuthenticationFailed(
                f"{self._application}: 403: {whom} may not be seen: the token is none of an owner. Left out they would"
                " look gone; set members_only = true where nobody but members is meant"
            )
        return listed

    def _two_factor(self, found: Organisation, reader: Reader, reading: Reading) -> None:
        without = Flags(found.ids)
        for path in ("members", "outside_collaborators"):
            pages = self._calls.lists(
                f"{self.path}/{path}", reading, {"filter": "2fa_disabled"}, size=self._size, allow=_OWNERS_ONLY
            )
            if pages is None:
                reading.notes.append("two-factor authentication is told to owners only")
                return
            for page in pages:
                without.tell(dict.fromkeys(filter(None, Objects(page, reader).texts("login")), True))
        found.without_2fa = without

    def _teams(self, found: Organisation, reader: Reader, reading: Reading) -> None:
        for item in several(self._calls.listed(f"{self.path}/teams", reading, size=self._size, key=_id)):
            team = reader.of(item)
            slug = team.text("slug")
            if slug is None:
                continue
            name = team.text("name") or slug
            self.entitle(found, f"team:{slug}", name, "team", team.text("permission") == "admin")
            path = f"{self.path}/teams/{quote(slug, safe='')}/members"
            for page in self._calls.lists(path, reading, size=self._size) or ():
                self._team(found, slug, name, map(reader.of, several(page)))

    def _team(self, found: Organisation, slug: str, name: str, page: Iterable[Resource]) -> None:
        logins, ways = [], []
        for member in page:
            login = member.text("login")
            if login is None:
                continue
            entitlement_id = f"team:{slug}"
            if member.text("role") == "maintainer":  # may add others to the team
                entitlement_id = f"team:{slug}:maintainer"
                if entitlement_id not in found.entitlements:
                    self.entitle(found, entitlement_id, f"{name} (maintainer)", "team", False)
            logins.append(login)
            ways.append((entitlement_id, "group" if member.flag("inherited") else DIRECT))
        found.give_each(found.ids.numbers(logins), ways)

    def _roles(self, found: Organisation, reader: Reader, reading: Reading) -> None:
        path = f"{self.path}/organization-roles"
        answer = self._calls.get(path, allow=_OWNERS_ONLY)
        if answer.status != 200:
            found.roles_told = False
            reading.notes.append("organisation roles are not told: they need Enterprise Cloud and an owner's token")
            return
        for role in reader.of(answer.data).parts("roles"):
            role_id = role.text("id")
            if role_id is None:
                continue
            # A role of an organisation reaches into all its repositories or its settings.
            self.entitle(found, f"orgrole:{role_id}", role.text("name") or role_id, "role", True)
            holders = self._calls.listed(f"{path}/{quote(role_id, safe='')}/users", reading, size=self._size)
            for person in several(holders):
                holder = reader.of(person)
                if login := holder.text("login"):
                    how = "group" if holder.text("assignment") == "indirect" else DIRECT
                    found.add(login, f"orgrole:{role_id}", how)


def _id(item: Any) -> str | None:
    value = item.get("id") if isinstance(item, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
