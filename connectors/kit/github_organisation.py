"""What GitHub tells about one organisation: members, outside collaborators, invitations, teams and roles.

Confirmed in the descriptions of docs.github.com/rest/orgs and /teams: private members only for members; `role` and
`inherited` of a team's members; filter 2fa_disabled only for owners (422 otherwise); invitations have no login where
only an address was invited, and do not exist in organisations of managed users; organisation roles on Enterprise Cloud.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.github_calls import REFUSED, GitHubCalls, several
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader, Resource
from governance.errors import AuthenticationFailed
from governance.records import Entitlement, Reading, Rejected

OWNER: Final = ("role:owner", "Organisation owner", True)
MEMBER: Final = ("role:member", "Organisation member", False)
COLLABORATOR: Final = ("role:outside_collaborator", "Outside collaborator", False)
INVITATION: Final = "invitation:"
_OWNERS_ONLY: Final = (*REFUSED, 422)


@dataclass
class Organisation:
    """Everything that was read; people by login."""

    members: dict[str, Resource] = field(default_factory=dict)
    collaborators: dict[str, Resource] = field(default_factory=dict)
    invitations: list[Resource] = field(default_factory=list)
    owners: set[str] = field(default_factory=set)
    without_2fa: set[str] | None = None  # None: not told
    entitlements: dict[str, Entitlement] = field(default_factory=dict)
    held: dict[str, dict[str, str]] = field(default_factory=dict)  # login -> entitlement -> how
    roles_told: bool = True

    def give(self, login: str, entitlement_id: str, how: str) -> None:
        """Note a grant; a direct one goes before one through a team."""
        mine = self.held.setdefault(login, {})
        if mine.get(entitlement_id) != "direct":
            mine[entitlement_id] = how


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

    def read(self, reading: Reading, *, managed: bool, members_only: bool = False) -> Organisation:
        """The whole organisation."""
        found = Organisation()
        for entitlement_id, name, privileged in (OWNER, MEMBER, COLLABORATOR):
            self.entitle(found, entitlement_id, name, "role", privileged)
        reader = Reader(self._application, self._calls.http.deadline.now)
        found.members = self._people(reader, "members", reading, {"role": "all"})
        found.owners = set(self._people(reader, "members", reading, {"role": "admin"}))
        if members_only:
            reading.notes.append("outside collaborators and pending invitations are left out (members_only)")
        else:
            found.collaborators = self._people(reader, "outside_collaborators", reading, {}, allow=REFUSED)
        if not managed:
            if not members_only:
                invited = self._calls.listed(
                    f"{self.path}/invitations", reading, size=self._size, key=_id, allow=REFUSED
                )
                found.invitations = [reader.of(item) for item in self._must(invited, "pending invitations")]
            self._two_factor(found, reader, reading)
        for login in found.members:
            found.give(login, OWNER[0] if login in found.owners else MEMBER[0], "direct")
        for login in found.collaborators:
            found.give(login, COLLABORATOR[0], "direct")
        self._teams(found, reader, reading)
        self._roles(found, reader, reading)
        reader.note(reading)
        return found

    def owners(self) -> set[str]:
        """Who owns the organisation right now."""
        reader = Reader(self._application, self._calls.http.deadline.now)
        return set(self._people(reader, "members", Reading(), {"role": "admin"}))

    def collaborator(self, login: str) -> Resource | None:
        """An outside collaborator; GitHub has no call for a single one."""
        reader = Reader(self._application, self._calls.http.deadline.now)
        return self._people(reader, "outside_collaborators", Reading(), {}, allow=REFUSED).get(login)

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
    ) -> dict[str, Resource]:
        listed = self._calls.listed(f"{self.path}/{path}", reading, params, size=self._size, allow=allow)
        found: dict[str, Resource] = {}
        for number, item in enumerate(self._must(listed, "outside collaborators"), 1):
            person = reader.of(item)
            login = person.text("login")
            if login is not None:
                found[login] = person
            elif params.get("role") != "admin":  # those are in the list of all, too
                where = f"{self._calls.http.address.join(self.path)}/{path}#{number}"
                reading.rejected.append(Rejected(where, "login", "is missing or no text"))
        return found

    def _must(self, listed: list[Any] | None, whom: str) -> list[Any]:
        if listed is None:
            raise AuthenticationFailed(
                f"{self._application}: 403: {whom} may not be seen: the token is none of an owner. Left out they would"
                " look gone; set members_only = true where nobody but members is meant"
            )
        return listed

    def _two_factor(self, found: Organisation, reader: Reader, reading: Reading) -> None:
        without: set[str] = set()
        for path in ("members", "outside_collaborators"):
            listed = self._calls.listed(
                f"{self.path}/{path}", reading, {"filter": "2fa_disabled"}, size=self._size, allow=_OWNERS_ONLY
            )
            if listed is None:
                reading.notes.append("two-factor authentication is told to owners only")
                return
            without |= {login for item in several(listed) if (login := reader.of(item).text("login"))}
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
            for person in several(self._calls.listed(path, reading, size=self._size)):
                member = reader.of(person)
                login = member.text("login")
                if login is None:
                    continue
                entitlement_id = f"team:{slug}"
                if member.text("role") == "maintainer":  # may add others to the team
                    entitlement_id = f"team:{slug}:maintainer"
                    if entitlement_id not in found.entitlements:
                        self.entitle(found, entitlement_id, f"{name} (maintainer)", "team", False)
                found.give(login, entitlement_id, "group" if member.flag("inherited") else "direct")

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
                    how = "group" if holder.text("assignment") == "indirect" else "direct"
                    found.give(login, f"orgrole:{role_id}", how)


def _id(item: Any) -> str | None:
    value = item.get("id") if isinstance(item, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
