"""What a Jira site tells of groups and roles: who is in which, and which of them administer something."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.atlassian_declaration import Administers
from connectors.kit.atlassian_lists import SiteLists, account_ids
from connectors.kit.holdings import DIRECT, Holdings
from connectors.kit.numbered import Ids
from connectors.kit.pagination import read_lists, read_pages
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader, as_text
from governance.errors import UnexpectedAnswer
from governance.records import Entitlement, Reading

ROLE: Final = "role:"  # application roles: who may use Jira Software, Jira Service Management ...
PROJECT: Final = "project:"
MEMBERS: Final = 50  # the site gives no more members of a group at once, whatever is asked for


class Held(Holdings):
    """Everything that can be held on the site, and by whom."""

    def __init__(self, ids: Ids) -> None:
        super().__init__(ids)
        self.groups: dict[str, array[int]] = {}  # group id -> numbers of accounts
        self.licences: dict[str, list[str]] = {}  # group id -> application roles it gives
        self.told = True  # False: the token may not see who is in which group
        self.asked = False  # whether that was asked

    def through_group(self, ids: Iterable[str], group_id: str) -> None:
        """Write down that these accounts are in the group, with the licences that come with it."""
        numbers = self.ids.numbers(ids)
        self.groups[group_id].extend(numbers)
        self.give(numbers, group_id, DIRECT)
        for role in self.licences.get(group_id, ()):
            self.give(numbers, role, "group")


class JiraGrants:
    """Reads them."""

    def __init__(self, lists: SiteLists, privilege: Privilege, administers: Administers, application: str) -> None:
        self._lists = lists
        self._administers = administers
        self._privilege = privilege
        self._application = application

    def read(self, reading: Reading, reader: Reader, known: Ids, *, projects: bool) -> Held:
        """Groups, application roles and, where wanted, the roles of every project; `known` have numbers already."""
        held = Held(known)
        for group_id, name in self._groups(reading, reader):
            privileged = self._administers(group_id, name)
            held.entitlements[group_id] = Entitlement(self._application, group_id, name, "group", privileged)
            held.groups[group_id] = array("I")
        self._licences(held, reading, reader)
        for group_id in sorted(held.groups):
            for ids in self._members(group_id, reading, held):
                held.through_group(ids, group_id)
        if projects:
            self._projects(held, reading, reader)
        return held

    def _groups(self, reading: Reading, reader: Reader) -> Iterator[tuple[str, str]]:
        fetch = self._lists.values("rest/api/3/group/bulk", {}, 1000)
        for _, entry in read_pages(fetch, _id("groupId"), reading, f"{self._application}: groups", counted=False):
            row = reader.of(entry)
            if group_id := row.text("groupId"):
                yield group_id, row.text("name") or group_id

    def _licences(self, held: Held, reading: Reading, reader: Reader) -> None:
        answer = self._lists.get("rest/api/3/applicationrole", allow=(403,))
        if answer.status == 403:
            reading.notes.append("who uses which Jira product is not told: the token lacks Administer Jira")
            return
        if not isinstance(answer.data, list):
            raise UnexpectedAnswer(f"{answer.path}: the answer is not a list", answer.path)
        for row in map(reader.of, answer.data):
            if key := row.text("key"):
                role, name = f"{ROLE}{key}", row.text("name") or key
                privileged = self._privilege.of(name, False)
                held.entitlements[role] = Entitlement(self._application, role, name, "licence", privileged)
                for group in row.parts("groupDetails"):
                    held.licences.setdefault(group.text("groupId") or "", []).append(role)

    def _members(self, group_id: str, reading: Reading, held: Held) -> Iterator[list[str]]:
        params = {"groupId": group_id, "includeInactiveUsers": "true"}
        if not held.asked:  # once, of the first group
            answer = self._lists.get("rest/api/3/group/member", {**params, "maxResults": "1"}, allow=(403,))
            held.asked, held.told = True, answer.status != 403
            if not held.told:
                reading.notes.append("who is in which group is not told: the token lacks Administer Jira")
        if not held.told:
            return
        fetch = self._lists.values("rest/api/3/group/member", params, MEMBERS)
        place = f"{self._application}: members of a group"
        for _, entries in read_lists(fetch, account_ids, reading, place, counted=False):
            yield list(filter(None, account_ids(entries)))

    def _projects(self, held: Held, reading: Reading, reader: Reader) -> None:
        fetch = self._lists.values("rest/api/3/project/search", {}, 50)
        for _, entry in read_pages(fetch, _id("key"), reading, f"{self._application}: projects", counted=False):
            key = reader.of(entry).text("key")
            answer = self._lists.get(f"rest/api/3/project/{quote(key or '', safe='')}/role", allow=(403, 404))
            if key is None or not isinstance(answer.data, dict) or answer.status != 200:
                continue
            for link in answer.data.values():
                role_id = str(link).rstrip("/").rpartition("/")[2]
                if role_id.isdigit():
                    self._project_role(key, role_id, held, reader)

    def _project_role(self, key: str, role_id: str, held: Held, reader: Reader) -> None:
        answer = self._lists.get(f"rest/api/3/project/{quote(key, safe='')}/role/{role_id}", allow=(404,))
        row = reader.of(answer.data)
        entitlement_id = f"{PROJECT}{key}:{role_id}"
        name = f"{key}: {row.text('name') or role_id}"
        privileged = self._privilege.of(name, row.flag("admin") or False)
        held.entitlements[entitlement_id] = Entitlement(self._application, entitlement_id, name, "role", privileged)
        for actor in row.parts("actors"):
            if account_id := actor.text("actorUser.accountId"):
                held.add(account_id, entitlement_id, DIRECT)
            held.give(held.groups.get(actor.text("actorGroup.groupId") or "", ()), entitlement_id, "group")


def _id(key: str) -> Any:
    return lambda entry: as_text(entry.get(key)) if isinstance(entry, dict) else None
