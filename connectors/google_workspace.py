"""Google Workspace: the accounts of one customer, over the Admin SDK.

Reads      accounts (suspended, archived, deleted too), groups, roles of administrators, last sign-in, 2-step
           verification, what happened in the last 180 days                scope: admin.directory.*.readonly
Changes    suspend and restore, groups and roles, sessions, tokens        scope: admin.directory.user and others
Last seen  the last sign-in to Google, single sign-on included; 1970-01-01 means never (admin.directory.v1)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final

from connectors.kit.addresses import check_base
from connectors.kit.columns import Objects
from connectors.kit.contract import (
    CanDeactivate,
    CanEndSessions,
    CanListCredentials,
    CanReactivate,
    CanRevokeGrant,
    Checked,
    Circumstances,
    Field,
    ReadsColumns,
    TellsEvents,
)
from connectors.kit.fingerprints import Met
from connectors.kit.google_addresses import Addresses
from connectors.kit.google_calls import DIRECTORY, SCOPE, Delegated, GoogleCalls
from connectors.kit.google_changes import Changes
from connectors.kit.google_directory import DELEGATED_ADMIN, SUPER_ADMIN, Directory, Holdings, accounts_of, admin_flags
from connectors.kit.google_reports import Reports
from connectors.kit.granted import entitlement_rows, grant_rows
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pacing import RateLimit
from connectors.kit.portions import gathered
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.quarantine import judge, named
from connectors.kit.resource import Reader
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported
from governance.records import Account, Credential, Entitlement, Event, Receipt, Rows
from governance.settings import ApplicationSettings, SourceSettings

READ_SCOPES: Final = (
    "admin.directory.user.readonly",
    "admin.directory.group.readonly",
    "admin.directory.group.member.readonly",
    "admin.directory.rolemanagement.readonly",
    "admin.reports.audit.readonly",
)
WRITE_SCOPES: Final = (
    "admin.directory.user",
    "admin.directory.user.security",
    "admin.directory.group.member",
    "admin.directory.rolemanagement",
)


class GoogleWorkspace(
    ReadsColumns, CanDeactivate, CanReactivate, CanRevokeGrant, CanEndSessions, CanListCredentials, TellsEvents
):
    """Accounts of Google Workspace, read and changed as an administrator a service account acts for."""

    title = "Google Workspace"
    kind = "application"
    family = "identity provider"
    fields = (
        Field("subject", "The e-mail of the administrator the service account acts as.", required=True),
        Field("token", "The whole JSON key file of a service account that may read.", "secret", required=True),
        Field(
            "write_token",
            "The JSON key file of a second service account that may write; without it nothing can be changed.",
            "secret",
        ),
        Field("write_subject", "The administrator that one acts as, where it is another."),
        Field("groups", "Whether to read groups: one request for each.", "flag", default=True),
        Field("page_size", "How many accounts to ask for at once.", "number", default=500),
        Field("base_url", "The address of the API.", "url", default="https://admin.googleapis.com/"),
        Field("token_url", "Where tokens are granted.", "url", default="https://oauth2.googleapis.com/token"),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            "account.attributes",
        }
    )
    scopes: ClassVar = {
        "pull": READ_SCOPES[:4],
        "events": (READ_SCOPES[4],),
        "read_one": READ_SCOPES[:1],
        "deactivate": ("admin.directory.user",),
        "reactivate": ("admin.directory.user",),
        "revoke_grant": ("admin.directory.group.member", "admin.directory.rolemanagement"),
        "end_sessions": ("admin.directory.user.security",),
        "credentials": ("admin.directory.user.security",),
    }
    plans = (
        "Sign-ins and other events are kept for 180 days and arrive minutes to hours late.",
        "Only a super administrator can suspend an administrator: write_subject must be one for that.",
    )
    limits = (RateLimit(2400, 60),)
    covers = (
        "accounts: yes, also suspended and archived",
        "deleted accounts: yes, for the 20 days Google lists them",
        "guests: yes, those with an account of their own (isGuestUser)",
        "members of groups who have no account here: no (only addresses, nothing to sign in with)",
        "service accounts of Google Cloud: no (the Admin SDK does not list them)",
        "tokens and app passwords: yes, one account at a time",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = feed_table(feed)
        self._where = where
        self._address = check_base(self.options["base_url"], where, allow_private=self.options["allow_private"])
        size = whole_option(self.options, "page_size", where, 1, 500)
        self._subject = text_option(self.options, "subject", where) or ""
        self._privilege = Privilege(feed)
        self._calls = self._session("token", self._subject, READ_SCOPES)
        self._directory = Directory(self._calls, feed.name, self._privilege, size)
        self._writing: Changes | None = None
        self._addresses: Addresses | None = None
        self.mark = None

    def check(self) -> Checked:
        """Ask for one account, and for each scope whether it is delegated."""
        self._calls.http.begin()
        self._calls.get(f"{DIRECTORY}/users", {"customer": "my_customer", "maxResults": "1"})
        who = self._calls.who
        missing = tuple(SCOPE + s for s in READ_SCOPES if not who.offers(s))
        excess = tuple(SCOPE + s for s in WRITE_SCOPES if who.offers(s))
        notes = (f"acts as {self._subject}: own_account should name that account, for without it nothing is read",)
        return Checked(notes, missing, excess)

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; IncompleteFeed unless all pages came."""
        self._calls.http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join(f"{DIRECTORY}/users")
        reading.filters = "customer=my_customer, showDeleted=false and true"
        found = self._directory.holdings(reading, groups=bool(self.options["groups"]))
        if not found.roles_told:
            for entitlement_id, name in ((SUPER_ADMIN, "Super administrator"), (DELEGATED_ADMIN, "Administrator")):
                found.entitlements[entitlement_id] = Entitlement(place, entitlement_id, name, "role", True)
        reader, addresses = Reader(place, self.given.now), Addresses()
        yield from gathered(self._pages(reader, found, addresses))
        reader.note(reading)
        reading.sha256 = self._calls.digest.hexdigest()
        self._addresses = addresses
        judge(reading, place)
        if not reading.kept:
            raise IncompleteFeed(f"{place}: the customer has no account at all; that is not believed")

    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when it is gone. A deleted one is gone."""
        self._calls.http.begin()
        reader = Reader(self.feed.name, self.given.now)
        told = self._directory.one(account_id, reader)
        if told is None:
            return None
        [whole], [part] = told.flags("isAdmin"), told.flags("isDelegatedAdmin")
        [account] = accounts_of(told, [account_id], reader, self.feed.name, [whole or part]).records()
        return account if isinstance(account, Account) else None

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """What happened from the mark on, newest first within one kind of report."""
        self._calls.http.begin()
        reports = Reports(self._calls, self.feed.name)
        yield from reports.events(since, mark, self._id_of, self.reading)
        self.mark = reports.mark

    def deactivate(self, account_id: str) -> Receipt:
        """Suspend the account."""
        return self._writer().suspend(account_id)

    def reactivate(self, account_id: str) -> Receipt:
        """Restore a suspended account."""
        return self._writer().restore(account_id)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a group or a role from the account."""
        return self._writer().revoke_grant(account_id, entitlement_id)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a group or a role back, with the same rank in the group and for the same organisational unit."""
        return self._writer().restore_grant(account_id, entitlement_id)

    def end_sessions(self, account_id: str) -> Receipt:
        """Sign the account out everywhere."""
        return self._writer().end_sessions(account_id)

    def credentials(self, account_id: str) -> list[Credential]:
        """Programs that were given access, and app passwords. Google has no scope that only reads them."""
        return self._writer().credentials(account_id)

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Withdraw a program's access or an app password."""
        return self._writer().revoke_credential(account_id, credential_id)

    def close(self) -> None:
        """Let go of connections."""
        self._calls.close()
        if self._writing:
            self._writing.close()

    def _pages(self, reader: Reader, found: Holdings, addresses: Addresses) -> Iterator[Rows]:
        """Everything that can be held, and what each page of accounts tells, deleted ones last."""
        reading = self.reading
        yield entitlement_rows(found.entitlements.values())
        seen = Met()
        for deleted in (False, True):
            for numbers, items in self._directory.accounts(reading, deleted=deleted):
                accounts = Objects(items, reader)
                told = accounts.texts("id")
                good = named(numbers, items, told, seen, reading)
                if len(good) < len(items):
                    accounts = Objects(good.values(), reader)
                ids = list(good)
                addresses.add(accounts)
                yield from self._told(accounts, ids, reader, found, deleted=deleted)
        reading.kept = len(seen)

    def _told(
        self, accounts: Objects, ids: Sequence[str], reader: Reader, found: Holdings, *, deleted: bool
    ) -> Iterator[Rows]:
        """The accounts and what they hold."""
        held = found.held(ids)
        if not found.roles_told:
            own = [dict.fromkeys(several, "direct") for several in admin_flags(accounts)]
            held = [{**one, **more} for one, more in zip(held, own, strict=True)]
        privileged = self._privileged(found, held, accounts)
        yield accounts_of(accounts, ids, reader, self.feed.name, privileged, deleted=deleted)
        yield grant_rows(self.feed.name, ids, held, how=[how for one in held for how in one.values()])

    def _privileged(self, found: Holdings, held: Sequence[Mapping[str, str]], accounts: Objects) -> list[bool | None]:
        flags = zip(accounts.flags("isAdmin"), accounts.flags("isDelegatedAdmin"), strict=True)
        roles_known = not found.roles_of_groups or found.groups_told  # whoever is in a group of a role has the role
        entitlements, roles_told = found.entitlements, found.roles_told
        return [
            True
            if both[0]
            else holds_privilege(
                [entitlements[number].privileged for number in one],
                told=roles_known and (roles_told or None not in both),
            )
            for both, one in zip(flags, held, strict=True)
        ]

    def _id_of(self, email: str, when: datetime) -> str | None:
        """Whose an address was then; the list is read once, where no pull has done so before."""
        if self._addresses is None:
            self._addresses = self._directory.addresses()
        return self._addresses.at(email, when)

    def _session(self, secret: str, subject: str, scopes: tuple[str, ...]) -> GoogleCalls:
        key = self.given.secrets.get(secret, "")
        if not key:
            raise ConfigurationError(f"{self._where}: {secret}: is empty")
        token_url = text_option(self.options, "token_url", self._where) or ""
        private = self.options["allow_private"]
        who = Delegated(key, subject, scopes, token_url, self.given, f"{self._where}: {secret}", allow_private=private)
        return GoogleCalls(self._address, self.given, self.feed.name, who, self.limits)

    def _writer(self) -> Changes:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._writing is None:
            subject = text_option(self.options, "write_subject", self._where) or self._subject
            acting = frozenset({subject.casefold(), self._subject.casefold()})
            self._writing = Changes(self._session("write_token", subject, WRITE_SCOPES), self.feed.name, acting)
        self._writing.begin()
        return self._writing
