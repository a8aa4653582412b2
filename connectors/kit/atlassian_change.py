"""Changes in an Atlassian organisation: accounts on and off, groups, organisation roles and API tokens.

A managed account (its domain is claimed) is switched off everywhere by user management, POST
/users/{id}/manage/lifecycle/disable; any other only within the organisation's directories, by suspend. Both keep what
the account holds. User management and the API tokens of an account open only to an organisation API key created without
scopes (developer.atlassian.com/cloud/admin/user-management). Groups synced from an identity provider refuse changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.answers import Answer
from connectors.kit.atlassian_directory import Directory, checked, entries
from connectors.kit.atlassian_members import Member
from connectors.kit.http import Http
from connectors.kit.resource import Reader
from governance.errors import NotSupported, UnexpectedAnswer
from governance.records import Credential, Receipt

MESSAGE: Final = "Deactivated by Leaverwatch after review."
_REFUSED: Final = (400, 403, 404, 409)


class OrganisationChange:
    """Changes accounts of one organisation with a key of its own."""

    def __init__(self, directory: Directory, writing: Http, place: str) -> None:
        self._directory = directory
        self._http = writing
        self._place = place

    def deactivate(self, account_id: str, reader: Reader) -> Receipt:
        """Switch off: everywhere where the account is managed, else in the organisation's directories."""
        member = self._member(account_id, reader)
        if member.account_status in ("inactive", "closed"):
            return self._nothing(account_id, f"already {member.account_status}")
        if member.managed is None:
            raise NotSupported(f"{self._place}: the organisation does not tell whether the account is managed")
        if not member.managed:
            return self._suspend(member)
        receipt = self._lifecycle(account_id, "disable", {"message": MESSAGE})
        return self._with_sync(receipt, member)

    def suspend(self, account_id: str, reader: Reader) -> Receipt:
        """Take the account's access to the organisation's products; it may stay in use elsewhere."""
        return self._suspend(self._member(account_id, reader))

    def reactivate(self, account_id: str, reader: Reader) -> Receipt:
        """Undo whichever of the two was done."""
        member = self._member(account_id, reader)
        if member.account_status == "closed":
            raise NotSupported(
                f"{self._place}: the account is closed. Within 14 days an organisation admin can cancel its deletion in"
                " Atlassian Administration; after that only a new invitation helps"
            )
        receipt = self._nothing(account_id, "already active")
        if member.account_status == "inactive":
            receipt = self._lifecycle(account_id, "enable", None)
        if member.suspended:
            receipt = self._in_directories(member, "restore")
        return receipt

    def join(self, account_id: str, group_id: str, inside: bool) -> Receipt:
        """Put the account into a group or take it out."""
        group = self._group(group_id)
        place = ("directories", str(group["directoryId"]), "groups", group_id, "memberships")
        method, path = "POST", self._directory.path(*place)
        body: Any = {"accountId": checked(account_id)}
        if not inside:
            method, path, body = "DELETE", self._directory.path(*place, account_id), None
        answer = self._http.send(method, path, body, allow=_REFUSED, idempotent=True)
        if answer.status == 404 and not inside:
            return Receipt(self._http.deadline.now, f"{method} {answer.path}", "404, not a member")
        if answer.status in _REFUSED:
            raise NotSupported(
                f"{answer.path}: {answer.status}: the group cannot be changed here; where an identity provider or an"
                " open team manages it, it has to be changed there"
            )
        return self._receipt(method, answer)

    def appoint(self, account_id: str, role: str, inside: bool) -> Receipt:
        """Give or take a role of the organisation. It may take half a minute until it shows."""
        verb = "assign" if inside else "revoke"
        path = self._directory.path("users", checked(account_id), "role-assignments", verb, version=1)
        answer = self._http.send("POST", path, {"role": role}, allow=_REFUSED, idempotent=True)
        if answer.status in _REFUSED:
            raise NotSupported(f"{answer.path}: {answer.status}: the role {role} cannot be changed with this key")
        return Receipt(self._http.deadline.now, f"POST {answer.path} role={role}", str(answer.status))

    def tokens(self, account_id: str, application: str, reader: Reader) -> list[Credential]:
        """The API tokens of a managed account."""
        answer = self._http.get(f"{_manage(account_id)}/api-tokens", allow=(403, 404))
        if answer.status in (403, 404):
            raise NotSupported(self._unmanaged(answer, "list its API tokens"))
        if not isinstance(answer.data, list):
            raise UnexpectedAnswer(f"{answer.path}: the answer is not a list", answer.path)
        rows = [reader.of(entry) for entry in answer.data]
        return [
            Credential(
                application,
                account_id,
                token_id,
                "token",
                row.text("label"),
                row.instant("createdAt"),
                row.instant("lastAccess"),
                row.instant("expiry", clamped=False),
            )
            for row in rows
            if (token_id := row.text("id"))
        ]

    def drop_token(self, account_id: str, token_id: str) -> Receipt:
        """Delete one API token."""
        path = f"{_manage(account_id)}/api-tokens/{quote(token_id, safe='')}"
        answer = self._http.send("DELETE", path, None, allow=(403, 404), idempotent=True)
        if answer.status == 403:
            raise NotSupported(self._unmanaged(answer, "delete its API tokens"))
        return self._receipt("DELETE", answer)

    def manages(self, account_id: str) -> bool:
        """Whether the key may manage this account."""
        return self._http.get(f"{_manage(account_id)}/profile", allow=(403, 404)).status == 200

    def _member(self, account_id: str, reader: Reader) -> Member:
        member = self._directory.member(account_id, reader)
        if member is None:
            raise NotSupported(f"{self._place}: the organisation's directory does not hold this account")
        return member

    def _lifecycle(self, account_id: str, verb: str, body: Any) -> Receipt:
        path = f"{_manage(account_id)}/lifecycle/{verb}"
        answer = self._http.send("POST", path, body, allow=_REFUSED, idempotent=True)
        if answer.status in (403, 404):
            raise NotSupported(self._unmanaged(answer, f"{verb} it"))
        if answer.status in _REFUSED:
            raise NotSupported(
                f"{answer.path}: {answer.status}: Atlassian refuses to {verb} the account; an account that is synced"
                " from an identity provider has to be changed there"
            )
        return self._receipt("POST", answer)

    def _suspend(self, member: Member) -> Receipt:
        if member.suspended:
            return self._nothing(member.account_id, "already suspended")
        return self._with_sync(self._in_directories(member, "suspend"), member)

    def _in_directories(self, member: Member, verb: str) -> Receipt:
        receipt = None
        for directory in self._directory.directories(member.account_id):
            path = self._directory.path("directories", directory, "users", member.account_id, verb)
            answer = self._http.send("POST", path, None, allow=_REFUSED, idempotent=True)
            if answer.status in _REFUSED:
                raise NotSupported(
                    f"{answer.path}: {answer.status}: the key may not {verb} this account;"
                    " it needs to be one that may write directories, or one without scopes"
                )
            receipt = self._receipt("POST", answer)
        if receipt is None:
            raise NotSupported(f"{self._place}: the account is in no directory of the organisation")
        return receipt

    def _group(self, group_id: str) -> Mapping[str, Any]:
        answer = self._directory.http.ask(
            self._directory.path("directories", self._directory.directory_id, "groups", "search"),
            {"limit": 1, "groupIds": [group_id]},
        )
        group = next((g for g in entries(answer.data, answer.path) if g.get("id") == group_id), None)
        if group is None or not group.get("directoryId"):
            raise NotSupported(f"{self._place}: the organisation does not know the group {group_id}")
        if group.get("externalSynced") is True:
            raise NotSupported(
                f"{self._place}: the group is synced from an identity provider; the account has to be taken out there"
            )
        return group

    def _with_sync(self, receipt: Receipt, member: Member) -> Receipt:
        if not member.synced:
            return receipt
        words = f"{receipt.answer}; synced from an identity provider, which may switch it on again"
        return Receipt(receipt.at, receipt.call, words)

    def _unmanaged(self, answer: Answer, what: str) -> str:
        return (
            f"{answer.path}: {answer.status}: the write token may not {what}: the account's domain has to be claimed by"
            " the organisation, and the token has to be an organisation API key created without scopes"
        )

    def _nothing(self, account_id: str, words: str) -> Receipt:
        return Receipt(self._http.deadline.now, f"POST users/search accountIds={account_id}", words)

    def _receipt(self, method: str, answer: Answer) -> Receipt:
        return Receipt(self._http.deadline.now, f"{method} {answer.path}", str(answer.status))


def _manage(account_id: str) -> str:
    return f"users/{quote(checked(account_id), safe='')}/manage"
