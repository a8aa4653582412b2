"""Salesforce: the accounts of one organisation over SOQL.

Reads      accounts, profiles, roles, permission sets and groups   permissions: API Enabled, View All Users, View Setup
Frozen     told by UserLogin alone                                  permission: Manage Users
Last use   LastLoginDate; MFA from TwoFactorMethodsInfo             permission: Manage MFA in API
Events     LoginHistory, SetupAuditTrail                            permission: Monitor Login History
Changes    deactivate, else freeze; reactivate; grants; sessions    permissions: Manage Users, Assign Permission Sets

Confirmed in the vendor's object reference: the rights above (OauthToken needs Customize Application); `WHERE IsFrozen =
true` is the vendor's own query; the kinds of UserType. General knowledge: that SSO accounts register their second
factor at the identity provider, so that none here proves nothing; that accounts are deactivated, never deleted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from connectors.kit.addresses import check_base
from connectors.kit.columns import Objects, as_texts, keys_of
from connectors.kit.contract import (
    Before,
    CanDeactivate,
    CanEndSessions,
    CanListCredentials,
    CanReactivate,
    CanRevokeGrant,
    CanSuspend,
    Checked,
    Circumstances,
    Field,
    MarkRefused,
    ReadsColumns,
    TellsChanges,
    TellsEvents,
    demand_fewer,
)
from connectors.kit.forms import Formed
from connectors.kit.granted import entitlement_rows, grant_rows
from connectors.kit.numbered import Ids
from connectors.kit.options import feed_table, text_option
from connectors.kit.portions import gathered
from connectors.kit.privilege import Privilege
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader
from connectors.kit.salesforce_access import Held, Hold, Own, SalesforceAccess
from connectors.kit.salesforce_account import COLUMNS, LoginReader, Logins, accounts_of, page_form, where_wanted
from connectors.kit.salesforce_change import SalesforceChange, credentials_of
from connectors.kit.salesforce_events import SalesforceEvents
from connectors.kit.salesforce_modified import Earlier, begun, mark_of, modified, only
from connectors.kit.salesforce_query import Soql, checked, select, where
from connectors.kit.salesforce_rights import rights
from connectors.kit.salesforce_session import LOGIN, SalesforceSession
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported
from governance.records import Account, Credential, Event, Gone, Receipt, Record, Rejected, Rows
from governance.settings import ApplicationSettings, SourceSettings

_Beside = tuple[Ids, Logins, Held]
READ_ONLY = "is read-only here: writing is switched off or has no write_token"


class Salesforce(
    ReadsColumns,
    TellsEvents,
    TellsChanges,
    CanDeactivate,
    CanReactivate,
    CanSuspend,
    CanRevokeGrant,
    CanEndSessions,
    CanListCredentials,
):
    """Accounts, permissions and events of a Salesforce organisation."""

    title = "Salesforce"
    kind = "application"
    fields = (
        Field("base_url", "The My Domain, such as https://example.my.salesforce.com/.", "url", required=True),
        Field("client_id", "The consumer key of the client that reads.", required=True),
        Field("token", "That client's secret, or its private key in PEM form (JWT bearer).", "secret", required=True),
        Field("username", "With a private key: the account the client acts as."),
        Field("write_client_id", "The consumer key of the client that writes; by default that of the reading one."),
        Field(
            "write_token",
            "The writing client's secret or private key; without it nothing can be changed.",
            "secret",
        ),
        Field("write_username", "With a private key: the account the writing client acts as."),
        Field("audience", "With a private key: https://test.salesforce.com for sandboxes.", "url", default=LOGIN),
        Field(
            "frozen",
            "Whether frozen accounts are told apart; without Manage Users they count as active.",
            "flag",
            default=True,
        ),
        Field("portal", "Whether accounts of customers and partners are read too.", "flag", default=False),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
        Field("page_size", "How many accounts to ask for at once.", "number", default=2000),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            *("account.attributes", "account.credentials"),
        }
    )
    scopes = {  # noqa: RUF012 - a declaration
        "pull": (
            "scope api",
            "API Enabled",
            "View All Users",
            "View Setup and Configuration",
            "Manage Users (frozen)",
            "Customize Application (tokens)",
        ),
        "changes": ("View All Users",),
        "events": ("Monitor Login History", "View Setup and Configuration"),
        "read_one": ("View All Users",),
        "deactivate": ("Manage Users",),
        "reactivate": ("Manage Users",),
        "suspend": ("Manage Users",),
        "revoke_grant": ("Assign Permission Sets", "Manage Users"),
        "end_sessions": ("Manage Users",),
        "credentials": ("Customize Application",),
    }
    plans = (
        "All requests of an organisation share one quota within 24 hours; at 95 % of it reading stops.",
        "Sign-ins are kept for six months, the setup audit trail for 180 days.",
        "Some accounts cannot be deactivated because a setting names them (default owner of leads, approver ...);"
        " they are frozen instead, which keeps the licence.",
        "Reactivating needs a free licence.",
    )
    covers = (
        "people with any internal licence, also Chatter: yes",
        "deactivated accounts: yes, Salesforce never deletes any",
        "suspended (frozen) accounts: yes, with Manage Users; without it they count as active",
        "service accounts (integration licence) and bots (Agentforce): yes",
        "customers and partners (portal licences): only with portal = true",
        "guest accounts of sites and automated processes: no, nobody signs in with them",
        "territories and package licences: no",
        "OAuth tokens: yes, on request",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where, options = feed_table(feed), self.options
        self._address = check_base(options["base_url"], where, allow_private=options["allow_private"])
        size = options["page_size"]
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 2000:
            raise ConfigurationError(f"{where}: page_size: expected a number from 1 to 2000")
        self._size = size
        self._privilege = Privilege(feed)
        self._where = where
        self._session = self._connect("token", "client_id", "username")
        self._writing: SalesforceSession | None = None

    def check(self) -> Checked:
        """Get a token, ask who it acts as and what that account may do."""
        soql = self._begin()
        found = rights(soql, self._session.account_id, self._session.scopes)
        notes = list(found.notes)
        if soql.used:
            notes.append(f"{soql.used[0]:,} of {soql.used[1]:,} requests are used today, by everybody together")
        return Checked(tuple(notes), found.missing, found.excess)

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once."""
        soql, reading, place, reader = self._begin(), self.reading, self.feed.name, self._reader()
        reading.source = self._address.join("services/data/v64.0/query")
        reading.filters = where_wanted(portal=self.options["portal"] is True)
        beside = self._beside(soql, reader)
        _, logins, held = beside
        all_told = held.told and logins.frozen_told is not None
        self.changes_mark = mark_of(self.given.now, logins) if all_told else None
        yield from gathered(self._pages(soql, reader, beside))
        if not reading.kept:
            raise IncompleteFeed(f"{place}: the organisation lists no account at all; that is not believed")
        reading.sha256 = soql.digest.hexdigest()
        reader.note(reading)
        judge(reading, place)

    def changes(self, mark: str, before: Before) -> Iterator[Record | Rows | Gone]:
        """Accounts that changed since the mark or that another table shows in another light; what all of them hold."""
        since, frozen = begun(mark, self.feed.name)
        soql, reading, place, reader = self._begin(), self.reading, self.feed.name, self._reader()
        reading.source = self._address.join("services/data/v64.0/query")
        wanted = where_wanted(portal=self.options["portal"] is True)
        reading.filters = f"{wanted} AND {modified(since)}"
        beside = register, logins, held = self._beside(soql, reader)
        if not held.told or logins.frozen_told is None:
            raise MarkRefused(f"{place}: not everything that accounts are and hold may be seen any more")
        earlier = Earlier(before, held, logins, register)
        yield entitlement_rows(held.entitlements.values())
        seen: set[str] = set()
        other, everybody = earlier.other(frozen)
        others, why = only(other), f"{place}: {len(other)} accounts hold or prove other things now"
        demand_fewer(len(others), everybody, self._size, why)
        for condition in (modified(since), *others):
            for _, items in soql.lists(select(COLUMNS, "User", wanted, condition), reading, counted=True):
                told = keys_of(items, "Id")
                if None in told:
                    raise MarkRefused(f"{place}: an account that changed has no id")
                new = {one: item for one, item in zip(told, items, strict=True) if one is not None and one not in seen}
                seen |= new.keys()
                yield from self._told(Objects(new.values(), reader), list(new), reader, beside)
        for ids in earlier:
            staying = [account_id for account_id in ids if account_id not in seen]
            yield self._grants(staying, earlier.holds(staying))
        reading.kept = len(seen)
        reading.sha256 = soql.digest.hexdigest()
        reader.note(reading)
        reading.notes.append("last sign-ins of accounts that did not change are those of LoginHistory, else as of then")
        self.changes_mark = mark_of(self.given.now, logins)

    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when there is none of that id."""
        soql, reader = self._begin(), self._reader()
        found = soql.first(select(COLUMNS, "User", where("Id", checked(account_id))))
        if found is None:
            return None
        told = self._told(Objects([found], reader), [account_id], reader, self._beside(soql, reader, account_id))
        [account] = [r for rows in told for r in rows.records() if isinstance(r, Account)]
        return account

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """Sign-ins, accounts made and changes of setup, each from an hour before it was read last."""
        soql, reader = self._begin(), self._reader()
        log = SalesforceEvents(soql, self.feed.name, self.reading, reader, self.given.now)
        yield from log.read(since, mark)
        reader.note(self.reading)
        self.mark = log.mark

    def deactivate(self, account_id: str) -> Receipt:
        """Switch the account off; freeze it where a setting stands in the way."""
        return self._change().deactivate(account_id)

    def suspend(self, account_id: str) -> Receipt:
        """Freeze the account."""
        return self._change().suspend(account_id)

    def reactivate(self, account_id: str) -> Receipt:
        """Switch the account on, unfrozen."""
        return self._change().reactivate(account_id)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a permission set, group, licence or role."""
        return self._change().regrant(account_id, entitlement_id, inside=False)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give it back."""
        return self._change().regrant(account_id, entitlement_id, inside=True)

    def end_sessions(self, account_id: str) -> Receipt:
        """End every session of the account."""
        return self._change().end_sessions(account_id)

    def credentials(self, account_id: str) -> list[Credential]:
        """The OAuth tokens of connected applications."""
        return credentials_of(self._begin(), account_id, self.feed.name, self._reader())

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Revoke an OAuth token."""
        return self._change().revoke_token(account_id, credential_id)

    def close(self) -> None:
        """Let go of connections."""
        self._session.close()
        if self._writing is not None:
            self._writing.close()

    def _beside(self, soql: Soql, reader: Reader, account_id: str | None = None) -> _Beside:
        """What stands beside the rows of User about all accounts, or one."""
        register, frozen = Ids(), self.options["frozen"] is not False
        given = self.feed.name, self.reading, reader, register
        logins = LoginReader(soql, *given).read(frozen=frozen, account_id=account_id)
        return register, logins, SalesforceAccess(soql, self._privilege, *given).read(account_id)

    def _pages(self, soql: Soql, reader: Reader, beside: _Beside) -> Iterator[Rows]:
        """Everything that can be held, and what each page of accounts tells."""
        reading, form = self.reading, page_form()
        yield entitlement_rows(beside[2].entitlements.values())
        query = select(COLUMNS, "User", reading.filters)
        for numbers, items in soql.lists(query, reading, counted=True, form=form):
            told = as_texts(form.objects(items, reader).values("Id"))
            ids = [account_id for account_id in told if account_id is not None]
            if len(ids) < len(told):
                for number, account_id in zip(numbers, told, strict=True):
                    if account_id is None:
                        where = f"{reading.source}#{number}"
                        reading.rejected.append(Rejected(where, "Id", "is missing or no text"))
                items = [item for item, account_id in zip(items, told, strict=True) if account_id is not None]
            reading.kept += len(ids)
            yield from self._told(form.objects(items, reader), ids, reader, beside)

    def _told(self, rows: Objects | Formed, ids: Sequence[str], reader: Reader, beside: _Beside) -> Iterator[Rows]:
        """The accounts, what they hold, and their profiles where the table of profiles may not be seen."""
        register, logins, held = beside
        numbers = register.known(ids)
        own = Own(held.entitlements, self._privilege, self.feed.name)
        columns = map(rows.texts, ("ProfileId", "Profile.Name", "UserRoleId"))
        unclear = held.unclear(numbers) if held.told else [True] * len(ids)
        each = zip(held.of(numbers), map(own.__getitem__, zip(*columns, strict=True)), unclear, strict=True)
        holds, privileged = own.together(each)
        yield entitlement_rows(own.new)
        yield accounts_of(rows, ids, self.feed.name, logins.of(ids, numbers), privileged, reader)
        yield self._grants(ids, holds)

    def _grants(self, ids: Sequence[str], holds: Sequence[Mapping[str, Hold]]) -> Rows:
        several = [hold for one in holds for hold in one.values()]
        how, since = [hold.how for hold in several], [hold.since for hold in several]
        return grant_rows(self.feed.name, ids, holds, how=how, since=since)

    def _connect(self, secret: str, client: str, username: str) -> SalesforceSession:
        credential = self.given.secrets.get(secret)
        if not credential:
            raise ConfigurationError(f"{self._where}: {secret}: is empty")
        client_id = self._option(client) or str(self.options["client_id"])
        return SalesforceSession(
            self._address,
            self.given,
            self.feed.name,
            client_id=client_id,
            credential=credential,
            username=text_option(self.options, username, self._where)
            or text_option(self.options, "username", self._where),
            audience=self._option("audience") or LOGIN,
        )

    def _option(self, name: str) -> str | None:
        return text_option(self.options, name, self._where)

    def _begin(self) -> Soql:
        self._session.http.begin()
        return Soql(self._session.http, self.feed.name, self._size)

    def _change(self) -> SalesforceChange:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: {READ_ONLY}")
        if self._writing is None:
            self._writing = self._connect("write_token", "write_client_id", "write_username")
        writing = self._writing
        writing.http.begin()
        soql = Soql(writing.http, self.feed.name, self._size)
        return SalesforceChange(
            writing.http, soql, self.feed.name, lambda: (writing.account_id, self._session.account_id)
        )

    def _reader(self) -> Reader:
        return Reader(self.feed.name, self.given.now)
