"""What Leaverwatch changes in Google Workspace. Every change can be undone; doing it twice is the same as once.

Confirmed in the discovery document of the Admin SDK (admin.directory.v1): users.patch, users.signOut, members.insert
and delete, roleAssignments.insert and delete, tokens and asps list and delete. Confirmed in
developers.google.com/workspace/admin/directory/v1/guides/manage-users: a super administrator is suspended only by
another super administrator.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from connectors.kit.answers import Answer
from connectors.kit.google_calls import DIRECTORY, GoogleCalls
from connectors.kit.google_directory import CUSTOMER
from connectors.kit.pagination import read_pages
from connectors.kit.resource import Reader, Resource
from governance.errors import AuthenticationFailed, LastPrivilegedAccount, NotSupported, ProtectedAccount
from governance.records import Credential, Reading, Receipt

GONE: Final = (404, 410)


class Changes:
    """Changes one customer with the session that may write."""

    def __init__(self, calls: GoogleCalls, application: str, acting: frozenset[str]) -> None:
        self._calls = calls
        self._application = application
        self._acting = acting  # the addresses of administrators that are acted as, folded

    def begin(self) -> None:
        """Start the deadline."""
        self._calls.http.begin()

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.close()

    def suspend(self, account_id: str) -> Receipt:
        """Make the account unable to sign in; LastPrivilegedAccount for the only super administrator."""
        told = self._account(account_id)
        if told is None:
            return self._receipt(f"GET {_path(account_id)}", "404, gone")
        email = told.text("primaryEmail") or account_id
        if email.casefold() in self._acting:
            raise ProtectedAccount(
                f"{self._application}: {email} is the administrator Leaverwatch acts as; without that account nothing"
                " could be read or changed any more. Set subject to another one first"
            )
        if told.flag("isAdmin") and told.flag("suspended") is not True and self._super_administrators() <= 1:
            raise LastPrivilegedAccount(
                f"{self._application}: {email} is the only active super administrator;"
                " nobody could undo the suspension. Make another one first"
            )
        return self._set_suspended(account_id, told, True)

    def restore(self, account_id: str) -> Receipt:
        """Let the account sign in again; NotSupported where it is archived or gone."""
        told = self._account(account_id)
        if told is None:
            raise NotSupported(
                f"{self._application}: account {account_id} is deleted; within 20 days an administrator can restore it"
                " in the Admin console, under Users > Recently deleted"
            )
        if told.flag("archived"):
            raise NotSupported(
                f"{self._application}: {told.text('primaryEmail')} is archived; bringing it back needs a free licence,"
                " so an administrator has to do that in the Admin console"
            )
        return self._set_suspended(account_id, told, False)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a group or role away; NotSupported where the account holds it only through a group."""
        kind, key, rank = _parsed(entitlement_id, self._application)
        if kind == "group":
            path = f"{DIRECTORY}/groups/{quote(key, safe='')}/members/{quote(account_id, safe='')}"
            answer = self._calls.send("DELETE", path, allow=(403, *GONE))
            if answer.status == 403:
                raise self._not_managed(answer, f"the members of group {key}")
            return self._receipt(f"DELETE {path}", _said(answer))
        assignment = self._assignment(account_id, key, rank)
        if assignment is None:
            return self._receipt(f"GET {CUSTOMER}/roleassignments?userKey={account_id}", "not assigned directly")
        path = f"{CUSTOMER}/roleassignments/{quote(assignment, safe='')}"
        return self._receipt(f"DELETE {path}", _said(self._calls.send("DELETE", path, allow=GONE)))

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a group or role back as it was held."""
        kind, key, rank = _parsed(entitlement_id, self._application)
        if kind == "group":
            path = f"{DIRECTORY}/groups/{quote(key, safe='')}/members"
            body = {"id": account_id, "role": (rank or "member").upper()}
            return self._receipt(f"POST {path}", _said(self._calls.send("POST", path, body, allow=(409,))))
        path = f"{CUSTOMER}/roleassignments"
        if self._assignment(account_id, key, rank) is not None:
            return self._receipt(f"GET {path}?userKey={account_id}", "is assigned already")
        scope = {"scopeType": "ORG_UNIT", "orgUnitId": rank} if rank else {"scopeType": "CUSTOMER"}
        answer = self._calls.send("POST", path, {"roleId": key, "assignedTo": account_id, **scope}, idempotent=False)
        return self._receipt(f"POST {path}", _said(answer))

    def end_sessions(self, account_id: str) -> Receipt:
        """Sign out; a suspended account has no session left and Google refuses to sign it out."""
        told = self._account(account_id)
        if told is None or told.flag("suspended"):
            return self._receipt(f"GET {_path(account_id)}", "gone" if told is None else "suspended, has no session")
        path = f"{_path(account_id)}/signOut"
        return self._receipt(f"POST {path}", _said(self._calls.send("POST", path, allow=GONE)))

    def credentials(self, account_id: str) -> list[Credential]:
        """Access given to programs (oauth_grant) and app passwords (app_password)."""
        reader = Reader(self._application, self._calls.http.deadline.now)
        found = []
        for kind, listed in (("oauth_grant", "tokens"), ("app_password", "asps")):
            answer = self._calls.get(f"{_path(account_id)}/{listed}", allow=GONE)
            for told in reader.of(answer.data if answer.status == 200 else None).parts("items"):
                key = told.text("clientId" if kind == "oauth_grant" else "codeId")
                if key is None:
                    continue
                used = told.text("lastTimeUsed")
                found.append(
                    Credential(
                        application=self._application,
                        account_id=account_id,
                        credential_id=f"{listed}:{key}",
                        kind=kind,
                        name=told.text("displayText") or told.text("name"),
                        created_at=told.instant("creationTime"),
                        last_used_at=None if used in (None, "0") else told.instant("lastTimeUsed"),
                    )
                )
        return found

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Make it useless."""
        listed, _, key = credential_id.partition(":")
        if listed not in ("tokens", "asps") or not key:
            raise NotSupported(f"{self._application}: {credential_id!r} is no credential of Google Workspace")
        path = f"{_path(account_id)}/{listed}/{quote(key, safe='')}"
        return self._receipt(f"DELETE {path}", _said(self._calls.send("DELETE", path, allow=GONE)))

    def _set_suspended(self, account_id: str, told: Resource, suspended: bool) -> Receipt:
        answer = self._calls.send("PATCH", _path(account_id), {"suspended": suspended}, allow=(403,))
        if answer.status == 403:
            if told.flag("isAdmin") or told.flag("isDelegatedAdmin"):
                raise NotSupported(
                    f"{self._application}: {told.text('primaryEmail')} is an administrator; Google lets only a super"
                    " administrator suspend or restore it: set write_subject to one, or do it in the Admin console"
                )
            raise AuthenticationFailed(f"{self._application}: {_path(account_id)}: 403: may not change accounts")
        return self._receipt(f"PATCH {_path(account_id)} suspended={str(suspended).lower()}", str(answer.status))

    def _super_administrators(self) -> int:
        params = {"customer": "my_customer", "query": "isAdmin=true isSuspended=false", "maxResults": "10"}
        answer = self._calls.get(f"{DIRECTORY}/users", params)
        reader = Reader(self._application, self._calls.http.deadline.now)
        return sum(
            1 for told in reader.of(answer.data).parts("users") if told.flag("isAdmin") and not told.flag("suspended")
        )

    def _account(self, account_id: str) -> Resource | None:
        answer = self._calls.get(_path(account_id), allow=GONE)
        if answer.status in GONE:
            return None
        return Reader(self._application, self._calls.http.deadline.now).of(answer.data)

    def _assignment(self, account_id: str, role_id: str, unit: str) -> str | None:
        """The direct assignment of that role, for the same organisational unit."""
        fetch = self._calls.pages(
            f"{CUSTOMER}/roleassignments", "items", {"userKey": account_id, "roleId": role_id, "maxResults": "200"}
        )
        reader = Reader(self._application, self._calls.http.deadline.now)
        for _, item in read_pages(fetch, lambda i: reader.of(i).text("roleAssignmentId"), Reading(), "", counted=False):
            told = reader.of(item)
            here = (told.text("orgUnitId") or "") if told.text("scopeType") == "ORG_UNIT" else ""
            direct = (told.text("assigneeType") or "user").casefold() == "user"
            if direct and here == unit and told.text("roleId") == role_id and told.text("assignedTo") == account_id:
                return told.text("roleAssignmentId")
        return None

    def _not_managed(self, answer: Answer, what: str) -> NotSupported:
        return NotSupported(
            f"{self._application}: Google refused to change {what}: it may be a dynamic group, whose rule decides,"
            " or belong to somebody else; an administrator has to change it in the Admin console"
        )

    def _receipt(self, call: str, answer: str) -> Receipt:
        return Receipt(self._calls.http.deadline.now, call, answer)


def _path(account_id: str) -> str:
    if account_id.strip(".") == "":
        raise NotSupported(f"an account with the id {account_id!r} cannot be addressed")
    return f"{DIRECTORY}/users/{quote(account_id, safe='')}"


def _parsed(entitlement_id: str, application: str) -> tuple[str, str, str]:
    """Kind, id, and the rank in a group or the unit of a role."""
    kind, _, rest = entitlement_id.partition(":")
    if kind not in ("group", "role") or not rest:
        raise NotSupported(f"{application}: {entitlement_id!r} can only be changed in the Admin console")
    key, _, rank = rest.partition(":" if kind == "group" else "@")
    return kind, key, rank


def _said(answer: Answer) -> str:
    return f"{answer.status}, was so already" if answer.status in (404, 409, 410) else str(answer.status)
