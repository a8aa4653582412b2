"""The users of an Entra directory: all of them, deleted ones, or some; with their multi-factor methods and rights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from connectors.kit.contract import MarkRefused
from connectors.kit.entra_account import SELECT, read_account
from connectors.kit.entra_calls import EntraCalls, Refused, entry_id, error_code
from connectors.kit.entra_delta import only
from connectors.kit.holdings import Holdings
from connectors.kit.privilege import holds_privilege
from connectors.kit.resource import Reader
from governance.records import Grant, Reading, Record

_WITH_ACTIVITY: Final = 120  # the most users a page may hold that tells their sign-ins
_FEW: Final = 10  # requests for some users that are always worth it
_DELETED: Final = "directory/deletedItems/microsoft.graph.user"
_REGISTERED: Final = "reports/authenticationMethods/userRegistrationDetails"


class EntraPeople:
    """Reads them, in one pull."""

    def __init__(self, calls: EntraCalls, reader: Reader, reading: Reading, size: int) -> None:
        self._calls = calls
        self._reader = reader
        self._reading = reading
        self._size = size
        self._activity = True  # until the directory refuses to tell sign-ins

    def listed(self, expression: str = "") -> Iterator[tuple[int, Any]]:
        """Everybody or some, with the last sign-in where the directory tells it."""
        which = {"$filter": expression} if expression else {}
        if self._activity:
            size = min(self._size, _WITH_ACTIVITY)
            params = {"$select": f"{SELECT},signInActivity", "$top": str(size), **which}
            answer = self._calls.http.get("users", params, allow=(403,))
            if answer.status != 403:
                return self._calls.pages("users", params, self._reading, counted=True, first=answer)
            self._activity = False
            licence = "nonpremium" in error_code(answer).casefold()
            why = "the directory has no Entra ID P1 licence" if licence else "AuditLog.Read.All is missing"
            self._reading.notes.append(f"last sign-ins are unknown: {why}")
        params = {"$select": SELECT, "$top": str(self._size), **which}
        return self._calls.pages("users", params, self._reading, counted=True)

    def deleted(self) -> Iterator[tuple[int, Any]]:
        """Those deleted in the last 30 days; the right to list users opens this list too."""
        params = {"$select": SELECT, "$top": str(self._size)}
        return self._calls.pages(_DELETED, params, self._reading, counted=True)

    def of(self, wanted: Collection[str], everybody: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Rows of these users, and of those of them that are deleted; MarkRefused where reading all takes less."""
        filters = only(wanted)
        if len(filters) > everybody / min(self._size, _WITH_ACTIVITY) + _FEW:
            words = f"{len(wanted)} users changed: reading all of them takes less"
            raise MarkRefused(f"{self._calls.place}: {words}")
        live = self._by_id(row for expression in filters for row in self.listed(expression))
        return live, self._by_id(self.deleted()) if len(live) < len(wanted) else {}

    def registered(self) -> dict[str, bool | None]:
        """Whether each account has a multi-factor method."""
        rows = self._calls.may_list(_REGISTERED, {}, self._reading)
        if isinstance(rows, Refused):
            why = rows.words("AuditLog.Read.All", "Entra ID P1")
            self._reading.notes.append(f"multi-factor methods are unknown: {why}")
            return {}
        return {i: self._reader.of(row).flag("isMfaRegistered") for _, row in rows if (i := entry_id(row))}

    def account(self, row: Any, found: Holdings, mfa: bool | None, *, deleted: bool) -> Iterator[Record]:
        """One account and what it holds."""
        told = self._reader.of(row)
        account_id = told.text("id") or ""
        account = read_account(
            told,
            self._calls.place,
            activity=self._activity and not deleted,
            privileged=self.privileged(account_id, found),
            mfa=mfa,
            deleted=deleted,
        )
        if account is not None:
            yield account
            yield from self.grants(account_id, found)

    def grants(self, account_id: str, found: Holdings) -> Iterator[Grant]:
        """What an account holds."""
        for entitlement_id, how in found.held.get(account_id, {}).items():
            yield Grant(self._calls.place, account_id, entitlement_id, how.how, how.since)

    def privileged(self, account_id: str, found: Holdings) -> bool | None:
        """Whether an account holds anything privileged."""
        held = found.held.get(account_id, {})
        return holds_privilege((found.entitlements[e].privileged for e in held), told=found.told(account_id))

    def _by_id(self, rows: Iterable[tuple[int, Any]]) -> dict[str, Any]:
        """Rows by their ids; MarkRefused for one without: whose it is cannot be known."""
        found: dict[str, Any] = {}
        for _, row in rows:
            account_id = entry_id(row)
            if account_id is None:
                raise MarkRefused(f"{self._calls.place}: a user that changed has no id")
            found[account_id] = row
        return found
