"""Switching an account of a SCIM server on or off, in the dialects that servers speak."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from connectors.kit.http import Http
from connectors.kit.resource import as_flag
from connectors.kit.scim_resource import Attributes, resource_id
from governance.errors import NotSupported, Unavailable, UnexpectedAnswer
from governance.records import Receipt

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
GONE: Final = (404, 410)
_NO_PATCH: Final = (404, 405, 501)
_PUT_TRIES: Final = 3
_READ_ONLY: Final = frozenset({"meta", "groups"})


class ScimSwitch:
    """Sets `active` of accounts. Reads with one token and writes with the other."""

    def __init__(self, reading: Http, writing: Http, media_type: str) -> None:
        self._reading = reading
        self._writing = writing
        self._headers = {"Content-Type": media_type}
        self._patches: bool | None = None  # None: not asked yet
        self._form = 0  # which form of PATCH this server understood

    def set_active(self, account_id: str, active: bool) -> Receipt:
        """Switch the account; doing it twice is the same as once."""
        if self._patches is None:
            self._patches = self._offers_patch()
        receipt = self._patch(account_id, active) if self._patches else None
        return receipt or self._put(account_id, active)

    def _offers_patch(self) -> bool:
        # Some servers hide this page, some have none: then it is tried.
        refusals = (400, 401, 403, 404, 405, 500, 501)
        said = self._reading.get("ServiceProviderConfig", allow=refusals, retry_500=False).data
        return not isinstance(said, dict) or as_flag(Attributes(said).get("patch.supported")) is not False

    def _patch(self, account_id: str, active: bool) -> Receipt | None:
        """None when the server understands no form of it, or the account may be gone."""
        path = account_path(account_id)
        forms: tuple[dict[str, Any], ...] = (
            {"op": "replace", "path": "active", "value": active},
            {"op": "replace", "value": {"active": active}},
            {"op": "Replace", "path": "active", "value": str(active)},  # Entra as it was
        )
        for form in range(self._form, len(forms)):
            body = {"schemas": [PATCH_OP], "Operations": [forms[form]]}
            answer = self._writing.send(
                "PATCH", path, body, headers=self._headers, allow=(400, *_NO_PATCH), idempotent=True
            )
            if answer.status == 400:
                continue
            if answer.status in _NO_PATCH:
                self._patches = answer.status == 404  # 404 may be about the account alone
                return None
            self._form = form
            return self._receipt("PATCH", answer.path, active, answer.status)
        return None

    def _put(self, account_id: str, active: bool) -> Receipt:
        path = account_path(account_id)
        for _ in range(_PUT_TRIES):
            found = read_account(self._reading, account_id)
            if found is None:
                if active:
                    raise NotSupported(f"{path}: the account is gone and cannot be switched on again")
                return Receipt(self._writing.deadline.now, f"GET {self._writing.address.join(path)}", "404, gone")
            resource, tag = found
            answer = self._writing.send(
                "PUT",
                path,
                _switched(resource, active),
                headers={**self._headers, **({"If-Match": tag} if tag else {})},
                allow=(405, 412, 501),
                idempotent=True,
            )
            if answer.status in (405, 501):
                raise NotSupported(f"{answer.path}: the server offers neither PATCH nor PUT")
            if answer.status != 412:
                return self._receipt("PUT", answer.path, active, answer.status)
        raise Unavailable(f"{path}: somebody else changed the account at the same time, {_PUT_TRIES} times")

    def _receipt(self, method: str, path: str, active: bool, status: int) -> Receipt:
        return Receipt(self._writing.deadline.now, f"{method} {path} active={str(active).lower()}", str(status))


def read_account(http: Http, account_id: str) -> tuple[dict[str, Any], str | None] | None:
    """One account as it is now and its version; None when it is gone. Another account's answer is refused."""
    answer = http.get(account_path(account_id), allow=GONE)
    if answer.status in GONE:
        return None
    if resource_id(answer.data) != account_id:
        raise UnexpectedAnswer(f"{answer.path}: the answer is not about the account that was asked for", answer.path)
    tag = answer.headers.get("ETag") or Attributes(answer.data).text("meta.version")
    return answer.data, tag


def account_path(account_id: str) -> str:
    """The path of one account; an id that would lead to another path is refused."""
    if account_id.strip(".") == "":
        raise NotSupported(f"an account with the id {account_id!r} cannot be addressed")
    return f"Users/{quote(account_id, safe='')}"


def _switched(resource: dict[str, Any], active: bool) -> dict[str, Any]:
    """The whole resource with `active` set, as the server spells it, without what only it may write."""
    body = {name: value for name, value in resource.items() if name.casefold() not in _READ_ONLY}
    names = [name for name in body if name.casefold() == "active"] or ["active"]
    for name in names:
        body[name] = str(active) if isinstance(body.get(name), str) else active
    return body
