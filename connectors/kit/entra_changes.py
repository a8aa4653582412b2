"""Changes to an Entra directory: who can sign in, what they hold, and what they are signed in with.

Confirmed in Microsoft's documentation: the consents of one user are listed by users/{id}/oauth2PermissionGrants, those
for everybody are not among them. Seen in other readers of Graph: `accountEnabled` needs User.EnableDisableAccount.All,
for administrators a privileged role of the application itself. General knowledge: dynamic groups and those of Active
Directory reject changes of members.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from connectors.kit.entra_account import SELECT
from connectors.kit.entra_calls import EntraCalls, Refused, entry_id, step
from connectors.kit.entra_holdings import DEFAULT_ROLE
from connectors.kit.resource import Reader, Resource
from governance.errors import AuthenticationFailed, NotSupported, UnexpectedAnswer
from governance.records import Credential, Reading, Receipt

_ASSIGNMENTS: Final = "roleManagement/directory/roleAssignments"


class EntraChanges:
    """Reads with one application and writes with the other."""

    def __init__(self, reading: EntraCalls, writing: EntraCalls, reader: Reader) -> None:
        self._reading = reading
        self._writing = writing
        self._reader = reader

    def begin(self) -> None:
        """Start both deadlines."""
        self._reading.http.begin()
        self._writing.http.begin()

    def close(self) -> None:
        """Let go of connections."""
        self._writing.close()

    def enable(self, account_id: str, enabled: bool) -> Receipt:
        """Switch the account on or off; twice is the same as once."""
        row = read_row(self._reading, account_id)
        if row is None:
            if enabled:
                raise NotSupported(
                    f"{self._writing.place}: {account_id} is deleted: somebody has to restore it in the admin center,"
                    " which is possible for 30 days"
                )
            return self._note(f"GET users/{account_id}", "404, gone")
        told = self._reader.of(row)
        if told.flag("accountEnabled") is enabled:
            return self._note(f"GET users/{account_id}", f"accountEnabled is {str(enabled).lower()} already")
        if told.flag("onPremisesSyncEnabled"):
            raise NotSupported(
                f"{self._writing.place}: {account_id} comes from Active Directory: it has to be switched"
                f" {'on' if enabled else 'off'} there, for the next synchronization would undo it here"
            )
        path = f"users/{step(account_id)}"
        answer = self._writing.http.send("PATCH", path, {"accountEnabled": enabled}, allow=(403,), idempotent=True)
        if answer.status == 403:
            raise AuthenticationFailed(
                f"{self._writing.place}: PATCH {answer.path}: 403: User.EnableDisableAccount.All is missing, or the"
                " account is an administrator's, for which the application must hold a privileged role itself"
            )
        return self._note(f"PATCH {answer.path} accountEnabled={str(enabled).lower()}", str(answer.status))

    def end_sessions(self, account_id: str) -> Receipt:
        """Make every refresh token and session cookie useless."""
        return self._send("POST", f"users/{step(account_id)}/revokeSignInSessions", gone=True, idempotent=True)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a group, a directory role or a role of an application away."""
        kind, _, rest = entitlement_id.partition(":")
        if kind == "group":
            return self._leave(account_id, rest)
        if kind == "app":
            app_id, _, role_id = rest.partition(":")
            found = self._assigned(account_id, app_id, role_id or DEFAULT_ROLE)
            direct = [r for r in found if r.text("principalType") != "Group"]
            if found and not direct:
                raise NotSupported(f"{self._writing.place}: {account_id} has {entitlement_id} through a group")
            base = f"users/{step(account_id)}/appRoleAssignments"
            return self._drop(base, direct, entitlement_id)
        if kind != "role":
            raise NotSupported(
                f"{self._writing.place}: {entitlement_id} can only be taken up: somebody has to remove the eligibility"
                " in privileged identity management"
            )
        direct, through = self._role_held(account_id, rest)
        if through and not direct:
            raise NotSupported(f"{self._writing.place}: {account_id} has {entitlement_id} through a group")
        return self._drop(_ASSIGNMENTS, direct, entitlement_id)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give it back as it was."""
        kind, _, rest = entitlement_id.partition(":")
        if kind == "group":
            self._must_be_ours(rest)
            link = {"@odata.id": self._writing.http.address.join(f"directoryObjects/{step(account_id)}")}
            return self._send("POST", f"groups/{step(rest)}/members/$ref", link, allow=(400,))
        if kind == "app":
            app_id, _, role_id = rest.partition(":")
            if self._assigned(account_id, app_id, role_id or DEFAULT_ROLE):
                return self._note(f"GET users/{account_id}/appRoleAssignments", f"{entitlement_id} is held already")
            body = {"principalId": account_id, "resourceId": app_id, "appRoleId": role_id or DEFAULT_ROLE}
            return self._send("POST", f"users/{step(account_id)}/appRoleAssignments", body)
        if kind != "role":
            raise NotSupported(f"{self._writing.place}: {entitlement_id} is given in privileged identity management")
        if self._role_held(account_id, rest)[0]:
            return self._note(f"GET {_ASSIGNMENTS}", f"{entitlement_id} is held already")
        role_id, _, scope = rest.partition("@")
        body = {"principalId": account_id, "roleDefinitionId": role_id, "directoryScopeId": scope or "/"}
        return self._send("POST", _ASSIGNMENTS, body)

    def revoke_credential(self, credential: Credential | None, account_id: str, credential_id: str) -> Receipt:
        """Withdraw a consent or a temporary access pass."""
        if credential is None:
            return self._note(f"credential {credential_id} of {account_id}", "not there any more")
        if credential.kind == "oauth_grant":
            return self._send("DELETE", f"oauth2PermissionGrants/{step(credential_id)}", gone=True, idempotent=True)
        path = f"users/{step(account_id)}/authentication/temporaryAccessPassMethods/{step(credential_id)}"
        return self._send("DELETE", path, gone=True, idempotent=True)

    def _leave(self, account_id: str, group_id: str) -> Receipt:
        self._must_be_ours(group_id)
        path = f"groups/{step(group_id)}/members/{step(account_id)}/$ref"
        receipt = self._send("DELETE", path, gone=True, idempotent=True)
        if "404" in receipt.answer and group_id in self._groups_of(account_id):
            raise NotSupported(f"{self._writing.place}: {account_id} is in the group {group_id} through another group")
        return receipt

    def _must_be_ours(self, group_id: str) -> None:
        params = {"$filter": f"id eq '{_quoted(group_id)}'", "$select": "id,groupTypes,onPremisesSyncEnabled"}
        for _, row in self._reading.pages("groups", params, Reading()):
            told = self._reader.of(row)
            why = ""
            if "DynamicMembership" in told.several("groupTypes"):
                why = "a rule decides who is in it"
            elif told.flag("onPremisesSyncEnabled"):
                why = "it comes from Active Directory; change it there"
            if why:
                raise NotSupported(f"{self._writing.place}: the group {group_id} cannot be changed here: {why}")

    def _assigned(self, account_id: str, app_id: str, role_id: str) -> list[Resource]:
        """Assignments of that role of an application, also those through a group the account is directly in."""
        rows = self._reading.pages(f"users/{step(account_id)}/appRoleAssignments", {"$top": "999"}, Reading())
        told = (self._reader.of(row) for _, row in rows)
        return [r for r in told if (r.text("resourceId"), r.text("appRoleId") or DEFAULT_ROLE) == (app_id, role_id)]

    def _role_held(self, account_id: str, role: str) -> tuple[list[Resource], list[Resource]]:
        """Assignments of that role to the account, and to groups it is in."""
        role_id, _, scope = role.partition("@")
        params = {"$filter": f"roleDefinitionId eq '{_quoted(role_id)}'"}
        told = [self._reader.of(row) for _, row in self._reading.pages(_ASSIGNMENTS, params, Reading())]
        told = [r for r in told if (r.text("directoryScopeId") or "/") == (scope or "/")]
        direct = [r for r in told if r.text("principalId") == account_id]
        others = [r for r in told if r.text("principalId") != account_id]
        groups = self._groups_of(account_id) if others and not direct else set()
        return direct, [r for r in others if r.text("principalId") in groups]

    def _groups_of(self, account_id: str) -> set[str]:
        path = f"users/{step(account_id)}/transitiveMemberOf"
        rows = self._reading.pages(path, {"$select": "id", "$top": "999"}, Reading())
        return {found for _, row in rows if (found := entry_id(row))}

    def _drop(self, base: str, found: list[Resource], entitlement_id: str) -> Receipt:
        receipt = self._note(f"GET {base}", f"{entitlement_id} is not held")
        for assignment in found:
            if assignment_id := assignment.text("id"):
                receipt = self._send("DELETE", f"{base}/{step(assignment_id)}", gone=True, idempotent=True)
        return receipt

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, str] | None = None,
        *,
        allow: tuple[int, ...] = (),
        gone: bool = False,
        idempotent: bool = False,
    ) -> Receipt:
        allow = (*allow, 404) if gone else allow
        answer = self._writing.http.send(method, path, body, allow=allow, idempotent=idempotent)
        if answer.status == 400 and "already exist" not in str(answer.data):
            raise UnexpectedAnswer(f"{self._writing.place}: {method} {answer.path}: answered 400", answer.path)
        words = {404: "404, gone", 400: "400, it is there already"}.get(answer.status, str(answer.status))
        return self._note(f"{method} {answer.path}", words)

    def _note(self, call: str, answer: str) -> Receipt:
        return Receipt(self._writing.http.deadline.now, call, answer)


def read_row(calls: EntraCalls, account_id: str, more: str = "") -> dict[str, Any] | None:
    """What Graph says of an account now; None when it is gone. An answer about another one is refused."""
    if not account_id.strip("."):
        raise NotSupported(f"an account with the id {account_id!r} cannot be addressed")
    answer = calls.http.get(f"users/{step(account_id)}", {"$select": SELECT + more}, allow=(404,))
    if answer.status == 404:
        return None
    if entry_id(answer.data) != account_id:
        raise UnexpectedAnswer(f"{answer.path}: the answer is not about the account that was asked for", answer.path)
    row: dict[str, Any] = answer.data
    return row


def credentials(calls: EntraCalls, reader: Reader, place: str, account_id: str) -> list[Credential]:
    """Consents of the account and temporary access passes; AuthenticationFailed where there may be more than is told.

    What is found is told even where the other list is closed; that nothing is left takes both.
    """
    base = f"users/{step(account_id)}"
    grants = calls.may_list(f"{base}/oauth2PermissionGrants", {}, Reading(), gone=True)
    passes = calls.may_list(f"{base}/authentication/temporaryAccessPassMethods", {}, Reading(), gone=True)
    found = []
    for told in _told(grants, reader):
        name = f"{told.text('clientId') or 'a program'}: {told.text('scope') or 'unknown scope'}"
        found.append(Credential(place, account_id, told.text("id") or "", "oauth_grant", name))
    for told in _told(passes, reader):
        if told.flag("isUsable") is not False:
            made = told.instant("createdDateTime")
            found.append(Credential(place, account_id, told.text("id") or "", "token", "temporary access pass", made))
    if not found and (isinstance(grants, Refused) or isinstance(passes, Refused)):
        raise AuthenticationFailed(
            f"{place}: 403: consents (Directory.Read.All) or access passes (UserAuthenticationMethod.Read.All) of"
            f" {account_id} may not be listed: whether any is left is unknown"
        )
    return found


def _told(rows: Iterator[tuple[int, Any]] | Refused, reader: Reader) -> Iterator[Resource]:
    for _, row in () if isinstance(rows, Refused) else rows:
        if entry_id(row):
            yield reader.of(row)


def _quoted(value: str) -> str:
    return value.replace("'", "''")
