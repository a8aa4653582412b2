"""What other lists of Slack than the members' tell: SCIM, user groups and the access log. Each may be missing.

As in the pages of the methods: team.accessLogs needs a paid plan and `admin`, counts pages from 1, at most 100
of 1000 entries, one entry for each member, address and program, the newest first; usergroups.list can name members.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from connectors.kit.columns import Objects
from connectors.kit.http import Http
from connectors.kit.pagination import read_lists
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader
from connectors.kit.scim_list import Groups, ScimLists
from connectors.kit.slack_calls import PLAN, REFUSED, SlackCalls
from connectors.kit.slack_people import Beside
from connectors.kit.slack_provisioned import ProvisionedReader, keys_of, page_of
from governance.durations import day
from governance.errors import AuthenticationFailed
from governance.records import Entitlement, Reading

LOG_PAGE: Final = 1000
SCIM_PAGE: Final = 500
NO_SCIM: Final = "creation times and groups of the identity provider are not told: SCIM needs Business+ or Enterprise"
_MISSING: Final = (402, 404, 501)


class BesideLists:
    """Reads them all, and says which are not there."""

    def __init__(self, web: SlackCalls, scim: Http, application: str, privilege: Privilege) -> None:
        self._web = web
        self._scim = scim
        self._application = application
        self._privilege = privilege

    def refused(self) -> str | None:
        """Why SCIM does not answer; None when it does."""
        try:
            answer = self._scim.get("Users", {"count": "1"}, allow=_MISSING)
        except AuthenticationFailed:
            return NO_SCIM
        return NO_SCIM if answer.status in _MISSING else None

    def read(self, reading: Reading, log_pages: int) -> tuple[Beside, list[Entitlement]]:
        """What is known beside the list of members, and the groups."""
        beside = Beside()
        groups = self._user_groups(beside, reading)
        scopes = self._web.scopes
        if scopes is not None and "admin" not in scopes:
            reading.notes.append("creation times and last use are not told: the token lacks admin")
            return beside, groups
        groups += self._provisioned(beside, reading)
        if log_pages:
            self._access_log(beside, reading, log_pages)
        return beside, groups

    def _user_groups(self, beside: Beside, reading: Reading) -> list[Entitlement]:
        params = {"include_users": "true", "include_disabled": "true"}
        told = self._web.get("usergroups.list", params, allow=PLAN | REFUSED)
        if not told["ok"]:
            reading.notes.append("user groups are not told: they need a paid plan and usergroups:read")
            return []
        reader = Reader(self._application, self._web.http.deadline.now)
        found = []
        for group in reader.of(told).parts("usergroups"):
            group_id = group.text("id")
            if group_id is None or group.number("date_delete"):
                continue
            name = group.text("name") or group.text("handle") or group_id
            found.append(self._entitlement(f"group:{group_id}", name))
            beside.join(f"group:{group_id}", [one for one in group.several("users") if isinstance(one, str)])
        reader.note(reading)
        return found

    def _provisioned(self, beside: Beside, reading: Reading) -> list[Entitlement]:
        if refusal := self.refused():
            reading.notes.append(refusal)
            return []
        lists = ScimLists(self._scim, SCIM_PAGE)
        reader = ProvisionedReader(self._application, self._scim.deadline.now)
        place = f"{self._application}: SCIM Users"
        for _, items in read_lists(lists.users(None, page_of), keys_of, reading, place, counted=False):
            beside.provision(*reader.read(items))
        groups = Groups()
        for group_id, members in lists.members(reading, f"{self._application}: SCIM Groups", groups):
            beside.join(f"scim:{group_id}", members)
        return [self._entitlement(f"scim:{group_id}", name) for group_id, name in groups.names.items()]

    def _access_log(self, beside: Beside, reading: Reading, most: int) -> None:
        reader = Reader(self._application, self._web.http.deadline.now)
        back: datetime | None = None
        pages = 0
        for page in range(1, most + 1):
            params = {"count": str(LOG_PAGE), "page": str(page)}
            told = self._web.get("team.accessLogs", params, allow=PLAN | REFUSED | {"over_pagination_limit"})
            if not told["ok"]:
                break
            pages = page
            entries = reader.of(told).several("logins")
            found = [entry for entry in entries if isinstance(entry, dict)]
            if len(found) < len(entries):
                reader.unread["logins"] += len(entries) - len(found)
            logins = Objects(found, reader)
            for member, at in zip(logins.texts("user_id"), logins.instants("date_last"), strict=True):
                if member is not None and at is not None:
                    beside.last_used[member] = max(at, beside.last_used.get(member, at))
                    back = min(back or at, at)
            if page >= (reader.of(told).number("paging.pages") or 0):
                break
        reader.note(reading)
        if not pages:
            reading.notes.append("last use is not told: the access log needs a paid plan")
        elif back is not None:
            since = day(back.astimezone(UTC))
            reading.notes.append(f"last use is from the access log, back to {since}; who is not in it is unknown")

    def _entitlement(self, entitlement_id: str, name: str) -> Entitlement:
        privileged = self._privilege.of(name, False)
        return Entitlement(self._application, entitlement_id, name, "group", privileged)
