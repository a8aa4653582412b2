"""The users of an Okta org as accounts, with what they hold and their second factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace

from connectors.kit.columns import Objects
from connectors.kit.contract import MarkRefused
from connectors.kit.credentials import working
from connectors.kit.fingerprints import Met
from connectors.kit.holdings import Holdings
from connectors.kit.okta_account import has_second_factor, read_accounts
from connectors.kit.okta_calls import OktaCalls, entry_id, step
from connectors.kit.okta_changes import api_tokens
from connectors.kit.okta_check import let_back_in
from connectors.kit.pagination import entries_of
from connectors.kit.quarantine import named
from connectors.kit.resource import Reader
from governance.records import Credential, Entitlement, Reading, Rows, rows_of

# The list leaves deactivated accounts out unless they are asked for.
FILTERS: Final = ("", 'status eq "DEPROVISIONED"')


class OktaPeople:
    """Reads them, in one pull. `mfa`: whose second factors to read, one request each: privileged, all or none."""

    def __init__(self, calls: OktaCalls, reader: Reader, reading: Reading, mfa: str, size: int) -> None:
        self._calls = calls
        self._reader = reader
        self._reading = reading
        self._mfa = mfa
        self._size = size
        self._factors_told = True
        self._tokens: dict[str, list[Credential]] = {}

    def read_tokens(self) -> None:
        """The API tokens of everybody, in one list: accounts read afterwards come with theirs."""
        tokens = api_tokens(self._calls, self._reader, self._calls.place, self._reading)
        if tokens is None:
            self._reading.notes.append("API tokens are unknown: the credential may not list them (okta.apiTokens.read)")
        self._tokens = tokens or {}

    def everybody(self, found: Holdings, seen: Met) -> Iterator[Rows]:
        """Everybody by both lists, each once in `seen`, and what they hold."""
        yield rows_of(Entitlement, list(found.entitlements.values()))
        for expression in FILTERS:
            params = {"limit": str(self._size), **({"filter": expression} if expression else {})}
            for numbers, rows in self._calls.lists("users", params, self._reading, counted=True):
                good = named(numbers, rows, Objects(rows, self._reader).texts("id"), seen, self._reading)
                yield from self.everything(list(good.values()), list(good), found)

    def everything(self, rows: Sequence[Any], ids: Sequence[str], found: Holdings) -> Iterator[Rows]:
        """The accounts of these ids and what they hold."""
        yield from self.accounts(rows, ids, found.privileged(ids))
        yield found.grants(self._calls.place, ids)

    def accounts(self, rows: Sequence[Any], ids: Sequence[str], privileged: Sequence[bool | None]) -> Iterator[Rows]:
        """The accounts of these ids, with second factors where they are to be read, and what opens them."""
        accounts = read_accounts(Objects(rows, self._reader), ids, self._calls.place, privileged)
        told = zip(ids, rows, privileged, accounts.columns["active"], strict=True)
        accounts.columns["mfa"] = [self._second_factor(*one) for one in told]
        now, tokens = self._calls.http.deadline.now, self._tokens
        opening = {account_id: working(tokens[account_id], now) for account_id in ids if account_id in tokens}
        accounts.columns["credentials"] = [len(opening.get(account_id, ())) or None for account_id in ids]
        yield accounts
        if opening:
            yield rows_of(
                Credential,
                [replace(one, account_id=account_id) for account_id, held in opening.items() for one in held],
            )

    def listed(self, expression: str) -> dict[str, Any]:
        """Rows of users that pass a filter, by id; MarkRefused for one without: whose it is cannot be known."""
        found: dict[str, Any] = {}
        params = {"limit": str(self._size), "filter": expression}
        for _, row in entries_of(self._calls.lists("users", params, self._reading, counted=True)):
            account_id = entry_id(row)
            if account_id is None:
                raise MarkRefused(f"{self._calls.place}: a user that changed has no id")
            found[account_id] = row
        return found

    def _second_factor(self, account_id: str, row: Any, privileged: bool | None, active: bool | None) -> bool | None:
        """Whether there is one, where that is to be read and the account can sign in."""
        wanted = self._mfa == "all" or (self._mfa == "privileged" and privileged is True)
        if not wanted or not active or not self._factors_told:
            return None
        answer = self._calls.allowed(f"users/{step(account_id)}/factors", gone=True)
        if answer is None:
            self._factors_told = False
            return None
        return has_second_factor(answer.data if isinstance(answer.data, list) else [], self._reader.of(row))

    def conclude(self) -> None:
        """Note what every reading notes at its end."""
        reading = self._reading
        self._reader.note(reading)
        if not self._factors_told:
            reading.notes.append("second factors are unknown: the credential may not read them")
        elif self._mfa != "all":
            reading.notes.append(f"second factors were read of: {self._mfa} accounts (mfa in the configuration)")
        reading.notes += let_back_in(self._calls, self._reader)
        reading.sha256 = self._calls.digest.hexdigest()
