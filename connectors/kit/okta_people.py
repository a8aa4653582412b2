"""The users of an Okta org as accounts, with what they hold and their second factors."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from connectors.kit.contract import MarkRefused
from connectors.kit.credentials import opened
from connectors.kit.holdings import Holdings
from connectors.kit.okta_account import has_second_factor, read_account
from connectors.kit.okta_calls import OktaCalls, step
from connectors.kit.okta_changes import api_tokens
from connectors.kit.okta_check import let_back_in
from connectors.kit.resource import Reader, Resource
from governance.records import Account, Credential, Grant, Reading, Record


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

    def account(self, told: Resource, account_id: str, found: Holdings) -> Iterator[Record]:
        """One account and what it holds."""
        account = read_account(told, self._calls.place, self.privileged(account_id, found), None)
        if account is not None:
            held = self._tokens.get(account_id, ())
            yield from opened(self.with_factors(account, told), held, self._calls.http.deadline.now)
        yield from self.grants(account_id, found)

    def grants(self, account_id: str, found: Holdings) -> Iterator[Grant]:
        """What an account holds."""
        for entitlement_id, how in found.held.get(account_id, {}).items():
            yield Grant(self._calls.place, account_id, entitlement_id, how.how, how.since)

    def privileged(self, account_id: str, found: Holdings) -> bool | None:
        """Whether an account holds anything privileged."""
        return found.privileged([account_id])[0]

    def listed(self, expression: str) -> dict[str, Resource]:
        """Users that pass a filter, by id; MarkRefused for one without: whose it is cannot be known."""
        found: dict[str, Resource] = {}
        params = {"limit": str(self._size), "filter": expression}
        for _, row in self._calls.pages("users", params, self._reading, counted=True):
            user = self._reader.of(row)
            account_id = user.text("id")
            if account_id is None:
                raise MarkRefused(f"{self._calls.place}: a user that changed has no id")
            found[account_id] = user
        return found

    def with_factors(self, account: Account, told: Resource) -> Account:
        """The account with its second factors, where they are to be read and the account can sign in."""
        wanted = self._mfa == "all" or (self._mfa == "privileged" and account.privileged is True)
        if not wanted or not account.active or not self._factors_told:
            return account
        answer = self._calls.allowed(f"users/{step(account.account_id)}/factors", gone=True)
        if answer is None:
            self._factors_told = False
            return account
        return replace(account, mfa=has_second_factor(answer.data if isinstance(answer.data, list) else [], told))

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
