"""The users of an Entra directory: all of them, deleted ones, or some; with their multi-factor methods and rights."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final

from connectors.kit.columns import Objects
from connectors.kit.contract import MarkRefused, demand_fewer
from connectors.kit.entra_account import SELECT, read_accounts
from connectors.kit.entra_calls import EntraCalls, Refused, entry_id, entry_ids, error_code
from connectors.kit.entra_delta import only
from connectors.kit.fingerprints import Met
from connectors.kit.holdings import Holdings
from connectors.kit.numbered import Flags, Ids
from connectors.kit.pagination import Numbered, entries_of
from connectors.kit.quarantine import named
from connectors.kit.resource import Reader
from governance.records import Entitlement, Reading, Rows, rows_of

_WITH_ACTIVITY: Final = 120  # the most users a page may hold that tells their sign-ins
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

    def listed(self, expression: str = "") -> Iterator[Numbered]:
        """Everybody or some, with the last sign-in where the directory tells it."""
        which = {"$filter": expression} if expression else {}
        if self._activity:
            size = min(self._size, _WITH_ACTIVITY)
            params = {"$select": f"{SELECT},signInActivity", "$top": str(size), **which}
            answer = self._calls.http.get("users", params, allow=(403,))
            if answer.status != 403:
                return self._calls.lists("users", params, self._reading, counted=True, first=answer)
            self._activity = False
            licence = "nonpremium" in error_code(answer).casefold()
            why = "the directory has no Entra ID P1 licence" if licence else "AuditLog.Read.All is missing"
            self._reading.notes.append(f"last sign-ins are unknown: {why}")
        params = {"$select": SELECT, "$top": str(self._size), **which}
        return self._calls.lists("users", params, self._reading, counted=True)

    def deleted(self) -> Iterator[Numbered]:
        """Those deleted in the last 30 days; the right to list users opens this list too."""
        params = {"$select": SELECT, "$top": str(self._size)}
        return self._calls.lists(_DELETED, params, self._reading, counted=True)

    def of(self, wanted: Collection[str], everybody: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Rows of these users, and of those of them that are deleted; MarkRefused where reading all takes less."""
        filters = only(wanted)
        size, why = min(self._size, _WITH_ACTIVITY), f"{self._calls.place}: {len(wanted)} users changed"
        demand_fewer(len(filters), everybody, size, why)
        live = self._by_id(page for expression in filters for page in self.listed(expression))
        return live, self._by_id(self.deleted()) if len(live) < len(wanted) else {}

    def registered(self, ids: Ids) -> Flags:
        """Whether each account has a multi-factor method."""
        found = Flags(ids)
        pages = self._calls.may_read(_REGISTERED, {}, self._reading)
        if isinstance(pages, Refused):
            why = pages.words("AuditLog.Read.All", "Entra ID P1")
            self._reading.notes.append(f"multi-factor methods are unknown: {why}")
            return found
        for _, rows in pages:
            told = entry_ids(rows)
            named_ones = Objects(rows, self._reader).only([account_id is not None for account_id in told])
            pairs = zip(told, named_ones.flags("isMfaRegistered"), strict=True)
            found.tell({account_id: mfa for account_id, mfa in pairs if account_id is not None})
        return found

    def everybody(self, found: Holdings, registered: Flags, seen: Met) -> Iterator[Rows]:
        """Everybody, then deleted ones, each once in `seen`, and what they hold."""
        yield rows_of(Entitlement, list(found.entitlements.values()))
        for deleted in (False, True):
            for numbers, rows in self.deleted() if deleted else self.listed():
                good = named(numbers, rows, entry_ids(rows), seen, self._reading)
                yield from self.accounts(good.values(), list(good), found, registered, deleted=deleted)

    def accounts(
        self,
        rows: Iterable[Any],
        ids: Sequence[str],
        found: Holdings,
        registered: Flags,
        *,
        deleted: bool,
    ) -> Iterator[Rows]:
        """The accounts of these ids and what they hold."""
        yield read_accounts(
            Objects(rows, self._reader),
            ids,
            self._calls.place,
            activity=self._activity and not deleted,
            privileged=found.privileged(ids),
            mfa=registered.of(ids),
            deleted=deleted,
        )
        yield found.grants(self._calls.place, ids)

    def _by_id(self, pages: Iterable[Numbered]) -> dict[str, Any]:
        """Rows by their ids; MarkRefused for one without: whose it is cannot be known."""
        found: dict[str, Any] = {}
        for _, row in entries_of(pages):
            account_id = entry_id(row)
            if account_id is None:
                raise MarkRefused(f"{self._calls.place}: a user that changed has no id")
            found[account_id] = row
        return found
