"""What changed of the users and groups of Entra since a link, as Graph tells it (`delta`)."""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from connectors.sandbox import entra_shapes as shapes
from connectors.sandbox.apis import failure as refused
from connectors.sandbox.ledger import Ledger, What
from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement

PAGE: Final = 100
_TRACKED: Final = ("username", "email", "given", "family", "kind", "status", "department", "employee_id", "created_at")


class EntraDelta:
    """The two lists of changes of one directory."""

    def __init__(self, application: SandboxApplication) -> None:
        self._application = application
        self._ledger = Ledger(application, _facts, self._members)

    def users(self, request: Request) -> Response:
        """Users that changed; deleted ones can be restored (`changed`) or not (`deleted`)."""
        accounts = self._application.accounts

        def row(one: str) -> dict[str, Any]:
            account = accounts.get(one)
            if account is None or account.status == "deleted":
                return {"id": one, "@removed": {"reason": "changed" if account else "deleted"}}
            return shapes.user(request, account)

        return self._told(request, "accounts", [a.id for a in accounts.values()], row)

    def groups(self, request: Request) -> Response:
        """Groups that changed, or whose members did."""
        entitlements = self._application.entitlements

        def row(one: str) -> dict[str, Any]:
            found = entitlements.get(one)
            return {"id": one, "@removed": {"reason": "deleted"}} if found is None else shapes.group(found)

        return self._told(request, "groups", [e.id for e in entitlements.values() if e.kind in shapes.GROUPS], row)

    def _told(self, request: Request, what: What, everything: list[str], row: Any) -> Response:
        self._ledger.look()
        query, number = request.query_params, self._ledger.number
        mark = query.get("$deltatoken")
        if mark not in (None, "latest") and not (mark or "").isdigit():
            return refused("entra")(400, "Badly formed token.")
        expired = self._application.settings.get("links_expired")
        if mark not in (None, "latest") and (expired or not self._ledger.knows(int(mark or ""))):
            error = {"code": "syncStateNotFound", "message": "The delta token is expired."}
            return JSONResponse({"error": error}, 410)
        found = everything if mark is None else self._ledger.since(what, number if mark == "latest" else int(mark))
        start = int(query.get("$skiptoken", "0"))
        told: dict[str, Any] = {
            "@odata.context": f"{request.base_url}v1.0/$metadata",
            "value": [row(one) for one in found[start : start + PAGE]],
        }
        if start + PAGE < len(found):
            told["@odata.nextLink"] = shapes.link(request, None, **{"$skiptoken": str(start + PAGE)})
        else:
            rest = request.query_params.multi_items()
            kept = {name: value for name, value in rest if name not in ("$skiptoken", "$deltatoken")}
            told["@odata.deltaLink"] = shapes.link(request, kept, **{"$deltatoken": str(number)})
        return JSONResponse(told)

    def _members(self, group: SandboxEntitlement) -> Any:
        held = (g.account_id for g in self._application.holders(group.id))
        inside = sorted(i for i in held if i in (a := self._application.accounts) and a[i].status != "deleted")
        return group.name, inside, sorted(group.more.items(), key=str)


def _facts(account: SandboxAccount) -> Any:
    return [getattr(account, name) for name in _TRACKED], account.more.get("on_premises")
