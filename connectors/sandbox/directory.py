"""The accounts and groups a SCIM server holds: find, change and keep them as RFC 7643 and 7644 say."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from connectors.sandbox.manners import Resource

CORE: Final = "urn:ietf:params:scim:schemas:core:2.0:"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
# The standard has no last sign-in, so a vendor has to bring an extension. Ours holds two read-only attributes:
#   lastSignInAt  dateTime (UTC, Z), or the word `never` for an account known to have never signed in; absent: not told
#   mfaEnabled    boolean; absent: not told
EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:leaverwatch:2.0:User"
PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"

_FILTER: Final = re.compile(r'\s*([A-Za-z]+)\s+eq\s+("(?:[^"\\]|\\.)*"|true|false)\s*', re.IGNORECASE)
_FILTERED: Final = {"username": "userName", "externalid": "externalId", "active": "active", "id": "id"}
_READ_ONLY: Final = frozenset({"id", "meta", "groups"})


class ScimError(Exception):
    """A request this server refuses: HTTP status, SCIM error type and a sentence."""

    def __init__(self, status: int, detail: str, kind: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind

    def body(self) -> Resource:
        """The error as RFC 7644 section 3.12 writes it: the status is a string."""
        typed = {"scimType": self.kind} if self.kind else {}
        return {"schemas": [ERROR], "status": str(self.status), **typed, "detail": self.detail}


class Directory:
    """All accounts and groups of one SCIM application, kept in memory and, given a path, in one JSON file."""

    def __init__(self, accounts: Iterable[Mapping[str, Any]], groups: Iterable[Mapping[str, Any]] = ()) -> None:
        self.path: Path | None = None
        self.accounts: dict[str, Resource] = {}
        for given in accounts:
            account = _complete(given)
            self.accounts[account["id"]] = account
        self.groups: dict[str, Resource] = {}
        self._groups_of: dict[str, list[Resource]] = {}
        for given in groups:
            group = self._group(given)
            self.groups[group["id"]] = group

    @classmethod
    def load(cls, path: Path) -> Directory:
        """The directory a state file holds: `{"users": [...], "groups": [...]}`. Changes are written back to it."""
        state = json.loads(path.read_text(encoding="utf-8"))
        directory = cls(state["users"], state.get("groups", ()))
        directory.path = path
        return directory

    def find(self, expression: str | None) -> list[Resource]:
        """The accounts a filter names, in the order they were created."""
        everything = list(self.accounts.values())
        if not expression:
            return everything
        accepts = matching(expression)
        return [account for account in everything if accepts(account)]

    def account(self, account_id: str) -> Resource:
        """One account; 404 when there is none."""
        if account_id not in self.accounts:
            raise ScimError(404, f"Resource {account_id} not found")
        return self.accounts[account_id]

    def shown(self, account: Resource) -> Resource:
        """An account with its groups, which belong to the group and are only shown here."""
        groups = self._groups_of.get(account["id"])
        return {**account, "groups": groups} if groups else account

    def add(self, given: Mapping[str, Any]) -> Resource:
        """A new account under a new id."""
        account = _complete({**_writable(given), "id": str(uuid.uuid4())})
        self._refuse_taken(account)
        return self._keep(account)

    def replace(self, account_id: str, given: Mapping[str, Any]) -> Resource:
        """What an account is after PUT; the caller keeps it."""
        before = self.account(account_id)
        account = _complete({**_writable(given), "id": account_id, "meta": dict(before["meta"])})
        self._refuse_taken(account)
        return account

    def patch(self, account_id: str, given: Mapping[str, Any]) -> Resource:
        """What an account is after PATCH; the caller keeps it."""
        account = carried_out(self.account(account_id), given)
        self._refuse_taken(account)
        return account

    def keep(self, account: Resource) -> Resource:
        """Store a changed account under its next version."""
        number = int(str(account["meta"]["version"]).strip('W/"')) + 1
        account["meta"] = {**account["meta"], "version": f'W/"{number}"'}
        return self._keep(account)

    def remove(self, account_id: str) -> None:
        """Erase an account and its memberships."""
        self.account(account_id)
        del self.accounts[account_id]
        for group in self.groups.values():
            group["members"] = [member for member in group["members"] if member["value"] != account_id]
        self._groups_of.pop(account_id, None)
        self.save()

    def save(self) -> None:
        """Replace the state file in one step, so that a killed server leaves the old or the new one."""
        if self.path is None:
            return
        state = {"users": list(self.accounts.values()), "groups": list(self.groups.values())}
        beside = self.path.with_name(f"{self.path.name}.new")
        beside.write_text(json.dumps(state, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        os.replace(beside, self.path)

    def _keep(self, account: Resource) -> Resource:
        self.accounts[account["id"]] = account
        self.save()
        return account

    def _refuse_taken(self, account: Resource) -> None:
        name = str(account["userName"]).lower()
        before = self.accounts.get(account["id"])
        if before and str(before["userName"]).lower() == name:  # the usual case: no need to look at the others
            return
        if any(str(a["userName"]).lower() == name and a["id"] != account["id"] for a in self.accounts.values()):
            raise ScimError(409, f"userName {account['userName']} is taken", "uniqueness")

    def _group(self, given: Mapping[str, Any]) -> Resource:
        name = str(given["displayName"])
        group_id = str(given.get("id") or uuid.uuid5(uuid.NAMESPACE_URL, f"group:{name}"))
        values = [
            str(member["value"] if isinstance(member, Mapping) else member) for member in given.get("members", ())
        ]
        members = [
            {"value": value, "type": "User", "display": self.accounts[value].get("displayName", value)}
            for value in values
            if value in self.accounts
        ]
        for member in members:
            entry = {"value": group_id, "display": name, "type": "direct"}
            self._groups_of.setdefault(str(member["value"]), []).append(entry)
        meta = {"resourceType": "Group", "version": 'W/"1"'}
        return {"schemas": [CORE + "Group"], "id": group_id, "displayName": name, "members": members, "meta": meta}


def _complete(given: Mapping[str, Any]) -> Resource:
    """An account with what the server adds itself: id, schemas, meta. `active` stays absent when it is not given."""
    if not isinstance(given.get("userName"), str) or not given["userName"]:
        raise ScimError(400, "userName is required", "invalidValue")
    account: Resource = {"schemas": [CORE + "User", *(u for u in (ENTERPRISE, EXTENSION) if u in given)], **given}
    account["id"] = str(given.get("id") or uuid.uuid5(uuid.NAMESPACE_URL, f"account:{given['userName'].lower()}"))
    account["meta"] = {"version": 'W/"1"', **given.get("meta", {}), "resourceType": "User"}
    if "active" in account:
        account["active"] = _boolean(account["active"])
    return account


def _writable(given: Mapping[str, Any]) -> Resource:
    return {key: value for key, value in given.items() if key not in _READ_ONLY}


def _boolean(value: object) -> bool:
    """True or False, also from the strings that old clients send."""
    text = str(value).lower()
    if not isinstance(value, bool | str) or text not in ("true", "false"):
        raise ScimError(400, f"active must be true or false, not {value!r}", "invalidValue")
    return text == "true"


def matching(expression: str) -> Callable[[Resource], bool]:
    """What a filter accepts."""
    match = _FILTER.fullmatch(expression)
    attribute = _FILTERED.get(match[1].lower()) if match else None
    if not match or not attribute:
        raise ScimError(400, f"Only `eq` over {', '.join(_FILTERED.values())} is understood", "invalidFilter")
    wanted = json.loads(match[2] if match[2].startswith('"') else match[2].lower())
    if attribute == "active":
        truth = _boolean(wanted)
        return lambda account: bool(account.get("active", True)) is truth
    if attribute == "userName":  # the one attribute here that is not case-exact
        return lambda account: str(account["userName"]).lower() == str(wanted).lower()
    return lambda account: account.get(attribute) == wanted


def carried_out(account: Resource, given: Mapping[str, Any]) -> Resource:
    """The account after the operations of a PATCH."""
    operations = given.get("Operations")
    if not isinstance(operations, list) or not operations:
        raise ScimError(400, "A PatchOp needs Operations", "invalidSyntax")
    changed: Resource = json.loads(json.dumps(account))
    for operation in operations:
        _operate(changed, operation)
    return changed


def _operate(account: Resource, operation: Any) -> None:
    """Carry out one PATCH operation on top-level attributes, with or without a path."""
    verb = str(operation.get("op", "")).lower() if isinstance(operation, dict) else ""
    if verb not in ("add", "replace", "remove"):
        raise ScimError(400, "op must be add, replace or remove", "invalidSyntax")
    path, value = operation.get("path"), operation.get("value")
    if verb == "remove":
        if not path:
            raise ScimError(400, "remove needs a path", "noTarget")
        _assign(account, str(path), None)
    elif path:
        _assign(account, str(path), value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _assign(account, key, inner)
    else:
        raise ScimError(400, "Without a path, value must be an object", "invalidValue")


def _assign(account: Resource, path: str, value: Any) -> None:
    name = path.removeprefix(CORE + "User:")
    known = {key.lower(): key for key in (*account, "active", "displayName", "externalId", "title", "userType")}
    name = known.get(name.lower(), name)
    if name in _READ_ONLY or name == "schemas":
        raise ScimError(400, f"{name} is read-only", "mutability")
    if not name.isalpha():
        raise ScimError(400, f"The path {path!r} is not understood", "invalidPath")
    if value is None:
        if name == "userName":
            raise ScimError(400, "userName is required", "invalidValue")
        account.pop(name, None)
    else:
        account[name] = _boolean(value) if name == "active" else value
