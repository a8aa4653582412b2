"""Changes in Salesforce: accounts on, off and frozen, what they hold, their sessions and their OAuth tokens.

PATCH /sobjects/User/{id} {"IsActive": false}; what stands in its way is a setting that names the account
(help.salesforce.com 000384586, 005385527): then the login is frozen, PATCH /sobjects/UserLogin/{id} {"IsFrozen": true},
as the vendor advises. Sessions end by DELETE /sobjects/AuthSession/{id}; an OAuth token by POST /services/oauth2/revoke
with the DeleteToken that only OauthToken tells (object reference: the Id of that object is always null).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.kit.answers import Answer
from connectors.kit.http import Http
from connectors.kit.redaction import guard_logs
from connectors.kit.resource import Reader, as_text
from connectors.kit.salesforce_access import GROUP, LICENCE, PROFILE, ROLE, SET, SET_GROUP
from connectors.kit.salesforce_query import (
    DATA,
    REFUSED,
    NotReadable,
    Soql,
    checked,
    code_of,
    message_of,
    refusal,
    row_id,
    select,
    where,
)
from governance.errors import NotSupported
from governance.records import Credential, Receipt

# What the vendor says, folded -> what it means and where it is changed.
BLOCKS: Final = (
    ("default owner of cases", "it is the default owner of cases: Setup, Support Settings"),
    ("default case owner", "it is the default owner of cases: Setup, Support Settings"),
    ("automated case", "it is the automated case user: Setup, Support Settings"),
    ("default lead owner", "it is the default owner of leads: Setup, Lead Settings"),
    ("web to lead", "it is the default creator of web-to-lead: Setup, Web-to-Lead"),
    ("web-to-lead", "it is the default creator of web-to-lead: Setup, Web-to-Lead"),
    ("assignment rule", "an assignment rule names it: Setup, Assignment Rules"),
    ("workflow", "it is the default workflow user, or a workflow names it: Setup, Process Automation Settings"),
    ("approval", "an approval process names it: Setup, Approval Processes"),
    ("portal administrator", "it is the administrator of a customer portal"),
    ("hierarch", "another account names it in a hierarchy field"),
)
_TABLES: Final = {  # prefix of the entitlement -> object, column of the account, column of what is held
    SET: ("PermissionSetAssignment", "AssigneeId", "PermissionSetId"),
    SET_GROUP: ("PermissionSetAssignment", "AssigneeId", "PermissionSetGroupId"),
    GROUP: ("GroupMember", "UserOrGroupId", "GroupId"),
    LICENCE: ("PermissionSetLicenseAssign", "AssigneeId", "PermissionSetLicenseId"),
}


class SalesforceChange:
    """Changes accounts with a client of its own; `soql` reads with it."""

    def __init__(self, http: Http, soql: Soql, place: str, own_accounts: Callable[[], tuple[str | None, ...]]) -> None:
        self._http = http
        self._soql = soql
        self._place = place
        self._own_accounts = own_accounts

    def deactivate(self, account_id: str) -> Receipt:
        """Switch off, or freeze where a setting stands in the way."""
        self._not_itself(account_id)
        answer = self._patch("User", account_id, {"IsActive": False})
        if answer.status not in REFUSED:
            return self._receipt("PATCH", answer, "IsActive=false")
        if answer.status != 400:
            raise refusal(answer, self._place)
        why = _blocked(answer)
        frozen = self._freeze(account_id, True)
        return Receipt(frozen.at, frozen.call, f"{frozen.answer}; frozen, because it cannot be deactivated: {why}")

    def suspend(self, account_id: str) -> Receipt:
        """Freeze: no sign-in any more, and nothing else changes, not even the licence."""
        self._not_itself(account_id)
        return self._freeze(account_id, True)

    def reactivate(self, account_id: str) -> Receipt:
        """Unfreeze and switch on."""
        login = self._login(account_id)
        if login is not None and login.get("IsFrozen") is not False:
            self._freeze(account_id, False)
        answer = self._patch("User", account_id, {"IsActive": True})
        if answer.status not in REFUSED:
            return self._receipt("PATCH", answer, "IsActive=true")
        if code_of(answer) == "LICENSE_LIMIT_EXCEEDED":
            raise NotSupported(f"{self._place}: no licence of this kind is free; free one, then try again")
        raise refusal(answer, self._place)

    def regrant(self, account_id: str, entitlement_id: str, *, inside: bool) -> Receipt:
        """Give or take a permission set, group, licence or role."""
        kind = entitlement_id[:3]
        if kind == PROFILE:
            raise NotSupported(
                f"{self._place}: every account has exactly one profile; it can only be changed for another one of the"
                " same licence: Setup, Users, Edit"
            )
        if kind == ROLE:
            role = checked(entitlement_id) if inside else None
            answer = self._patch("User", account_id, {"UserRoleId": role})
            return self._done(answer, "PATCH", f"UserRoleId={role}")
        if kind not in _TABLES:
            raise NotSupported(f"{self._place}: {entitlement_id} is nothing that can be given or taken here")
        table, who, what = _TABLES[kind]
        held = self._soql.first(
            select(("Id",), table, where(who, checked(account_id)), where(what, checked(entitlement_id)))
        )
        row = row_id(held)
        if (row is not None) is inside:
            return Receipt(self._http.deadline.now, f"query {table}", "already so" if inside else "not held directly")
        if inside:
            body = {who: account_id, what: entitlement_id}
            return self._done(self._send("POST", f"{DATA}/sobjects/{table}", body), "POST", "")
        return self._done(self._send("DELETE", f"{DATA}/sobjects/{table}/{checked(row or '')}", None), "DELETE", "")

    def end_sessions(self, account_id: str) -> Receipt:
        """End every session of the account."""
        rows = self._soql.all(select(("Id",), "AuthSession", where("UsersId", checked(account_id))))
        ended = 0
        for row in rows:
            answer = self._send("DELETE", f"{DATA}/sobjects/AuthSession/{checked(row_id(row) or '')}", None)
            if answer.status in REFUSED and answer.status != 404:
                raise refusal(answer, self._place)
            ended += 1
        return Receipt(self._http.deadline.now, f"DELETE AuthSession of {account_id}", f"{ended} sessions ended")

    def revoke_token(self, account_id: str, credential_id: str) -> Receipt:
        """Revoke an OAuth token; one that is gone already is no error."""
        now = self._http.deadline.now
        for row in oauth_tokens(self._soql, account_id):
            delete_token = as_text(row.get("DeleteToken")) or ""
            if credential_id_of(row) == credential_id:
                guard_logs([delete_token])
                answer = self._http.send(
                    "POST", "services/oauth2/revoke", None, form={"token": delete_token}, allow=REFUSED, idempotent=True
                )
                if answer.status in REFUSED:
                    raise NotSupported(f"{self._place}: {answer.path}: {answer.status}: the token could not be revoked")
                return Receipt(now, f"POST {answer.path}", str(answer.status))
        return Receipt(now, "query OauthToken", "already gone")

    def _freeze(self, account_id: str, frozen: bool) -> Receipt:
        login = self._login(account_id)
        if login is None:
            raise NotSupported(f"{self._place}: the account has no login that could be frozen")
        if login.get("IsFrozen") is frozen:
            return Receipt(self._http.deadline.now, "query UserLogin", "already frozen" if frozen else "not frozen")
        answer = self._patch("UserLogin", row_id(login) or "", {"IsFrozen": frozen})
        return self._done(answer, "PATCH", f"IsFrozen={str(frozen).lower()}")

    def _login(self, account_id: str) -> Mapping[str, Any] | None:
        columns = ("Id", "UserId", "IsFrozen")
        return self._soql.first(select(columns, "UserLogin", where("UserId", checked(account_id))))

    def _patch(self, table: str, record_id: str, body: Any) -> Answer:
        return self._send("PATCH", f"{DATA}/sobjects/{table}/{checked(record_id)}", body)

    def _send(self, method: str, path: str, body: Any) -> Answer:
        return self._http.send(method, path, body, allow=REFUSED, idempotent=method != "POST")

    def _done(self, answer: Answer, method: str, what: str) -> Receipt:
        if answer.status == 404 and method == "DELETE":
            return self._receipt(method, answer, what)
        if answer.status in REFUSED:
            raise refusal(answer, self._place)
        return self._receipt(method, answer, what)

    def _receipt(self, method: str, answer: Answer, what: str) -> Receipt:
        return Receipt(self._http.deadline.now, f"{method} {answer.path} {what}".strip(), str(answer.status))

    def _not_itself(self, account_id: str) -> None:
        checked(account_id)
        if account_id[:15] in {(own or "")[:15] for own in self._own_accounts()}:
            raise NotSupported(
                f"{self._place}: this is the account Leaverwatch itself works with; give the client another one first"
            )


def oauth_tokens(soql: Soql, account_id: str) -> list[Mapping[str, Any]]:
    """The OAuth tokens of an account, with what deletes them: never to be shown."""
    columns = ("Id", "AppName", "CreatedDate", "LastUsedDate", "UserId", "DeleteToken")
    try:
        return soql.all(select(columns, "OauthToken", where("UserId", checked(account_id))))
    except NotReadable:
        raise NotSupported(
            "OAuth tokens of others are shown only to an account with the permission Customize Application"
        ) from None


def credentials_of(soql: Soql, account_id: str, application: str, reader: Reader) -> list[Credential]:
    """The OAuth tokens of an account as credentials."""
    found = []
    for data in oauth_tokens(soql, account_id):
        row = reader.of(data)
        made, used = row.instant("CreatedDate"), row.instant("LastUsedDate")
        found.append(
            Credential(application, account_id, credential_id_of(data), "oauth_grant", row.text("AppName"), made, used)
        )
    return found


def credential_id_of(row: Mapping[str, Any]) -> str:
    """A name for a token that has no id: nothing can be opened with it."""
    secret = f"{as_text(row.get('AppName'))} {as_text(row.get('DeleteToken'))}"
    return f"oauth-{hashlib.sha256(secret.encode()).hexdigest()[:24]}"


def _blocked(answer: Answer) -> str:
    """Why an account cannot be deactivated, in words of ours."""
    message = message_of(answer)
    for known, words in BLOCKS:
        if known in message:
            return words
    return f"Salesforce refuses it ({code_of(answer) or 'no code'}); its page in Setup, Users says why"
