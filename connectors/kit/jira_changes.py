"""Groups and project roles of a Jira site, changed with a token of that site."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from connectors.kit.atlassian_directory import checked
from connectors.kit.http import Http
from governance.errors import NotSupported
from governance.records import Receipt

_REFUSED: Final = (400, 403, 404)


class JiraChange:
    """Puts accounts into groups and roles and takes them out; what is so already is left alone."""

    def __init__(self, reading: Http, writing: Http) -> None:
        self._reading = reading
        self._writing = writing

    def group(self, account_id: str, group_id: str, *, inside: bool) -> Receipt:
        """Membership of a group."""
        now = self._writing.deadline.now
        account = {"accountId": checked(account_id)}
        held = self._reading.get("rest/api/3/user/groups", account, allow=(404,))
        groups = held.data if isinstance(held.data, list) else []
        if any(isinstance(g, dict) and g.get("groupId") == group_id for g in groups) is inside:
            return Receipt(now, f"GET {held.path}", "already so")
        path = "rest/api/3/group/user"
        if inside:
            answer = self._writing.send("POST", path, account, params={"groupId": group_id}, allow=_REFUSED)
        else:
            params = {**account, "groupId": group_id}
            answer = self._writing.send("DELETE", path, None, params=params, allow=_REFUSED, idempotent=True)
        call = f"{'POST' if inside else 'DELETE'} {answer.path} groupId={group_id}"
        if answer.status in _REFUSED:
            raise NotSupported(
                f"{call}: {answer.status}: the group cannot be changed with this token; where an identity provider"
                " manages it, it has to be changed there"
            )
        return Receipt(now, call, str(answer.status))

    def project_role(self, account_id: str, role: str, *, inside: bool) -> Receipt:
        """A role in a project, given to the account itself; `role` is KEY:ID."""
        key, _, role_id = role.partition(":")
        path = f"rest/api/3/project/{quote(key, safe='')}/role/{quote(role_id, safe='')}"
        if inside:
            answer = self._writing.send("POST", path, {"user": [checked(account_id)]}, allow=_REFUSED)
        else:
            params = {"user": checked(account_id)}
            answer = self._writing.send("DELETE", path, None, params=params, allow=_REFUSED, idempotent=True)
        call = f"{'POST' if inside else 'DELETE'} {answer.path}"
        if answer.status == 404 and not inside:
            return Receipt(self._writing.deadline.now, call, "404, not held directly")
        if answer.status in _REFUSED:
            raise NotSupported(f"{call}: {answer.status}: the role cannot be changed with this token")
        return Receipt(self._writing.deadline.now, call, str(answer.status))
