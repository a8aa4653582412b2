"""Microsoft Entra ID: the accounts of one directory, over Microsoft Graph v1.0.

Reads      accounts (guests, those from Active Directory, deleted ones for 30 days), groups, directory roles, roles of
           applications, what multi-factor methods are registered, the logs       scope: User.Read.All and others below
Changes    an account can sign in or not, groups and roles, sessions, consents
Last seen  the last sign-in that succeeded, of either kind; needs a licence (see plans), else unknown
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from connectors.kit.addresses import check_base
from connectors.kit.columns import Objects
from connectors.kit.contract import (
    Before,
    CanDeactivate,
    CanEndSessions,
    CanListCredentials,
    CanReactivate,
    CanRevokeGrant,
    Checked,
    Circumstances,
    Field,
    Manner,
    MarkRefused,
    ReadsColumns,
    TellsChanges,
    TellsEvents,
    TellsMapping,
)
from connectors.kit.entra_account import read_accounts
from connectors.kit.entra_calls import Application, EntraCalls
from connectors.kit.entra_changes import EntraChanges, credentials, read_row
from connectors.kit.entra_check import CREDENTIALS, READ, examined
from connectors.kit.entra_delta import EntraDelta, Kept
from connectors.kit.entra_holdings import EntraHoldings
from connectors.kit.entra_log import EntraLog
from connectors.kit.entra_mapping import assignments
from connectors.kit.entra_people import EntraPeople
from connectors.kit.fingerprints import Met
from connectors.kit.granted import entitlement_rows
from connectors.kit.options import feed_table, text_option
from connectors.kit.pacing import RateLimit
from connectors.kit.portions import gathered, portioned
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported
from governance.records import Account, Configured, Credential, Event, Gone, Receipt, Record, Rows
from governance.settings import ApplicationSettings, SourceSettings


class Entra(
    ReadsColumns,
    CanDeactivate,
    CanReactivate,
    CanRevokeGrant,
    CanEndSessions,
    CanListCredentials,
    TellsEvents,
    TellsChanges,
    TellsMapping,
):
    """Accounts of an Entra directory, read and changed by registered applications."""

    title = "Microsoft Entra ID"
    kind = "application"
    family = "identity provider"
    fields = (
        Field("tenant", "The directory: its id or a domain of it, such as example.onmicrosoft.com.", required=True),
        Field("client_id", "The id of a registered application that may read.", required=True),
        Field("client_secret", "That application's secret.", "secret", required=True),
        Field("write_client_id", "The id of a second application that may write; without it client_id is meant."),
        Field("write_token", "The writing application's secret; without it nothing can be changed.", "secret"),
        Field("applications", "Whether to read who is assigned to which application.", "flag", default=True),
        Field("page_size", "How many accounts to ask for at once.", "number", default=999),
        Field("base_url", "The address of Graph; another in national clouds.", "url", default="https://graph.microsoft.com/v1.0/"),
        Field("login_url", "Where tokens are granted.", "url", default="https://login.microsoftonline.com/"),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
    )  # fmt: skip
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            "account.attributes",
        }
    )
    scopes: ClassVar = {
        "pull": READ[:5],
        "events": READ[4:],
        "changes": READ[:2],
        "read_one": ("User.Read.All", "RoleManagement.Read.Directory"),
        "deactivate": ("User.EnableDisableAccount.All", "User.Read.All"),
        "reactivate": ("User.EnableDisableAccount.All", "User.Read.All"),
        "revoke_grant": (
            "GroupMember.ReadWrite.All",
            "AppRoleAssignment.ReadWrite.All",
            "RoleManagement.ReadWrite.Directory",
        ),
        "end_sessions": ("User.RevokeSessions.All",),
        "credentials": CREDENTIALS,
        "mapping": ("Application.Read.All", "GroupMember.Read.All"),
    }
    # Seen in Microsoft's reference of `user: delete`: 30 days in the recycle bin. That provisioning switches an account
    # off at once and deletes it in the application only then is general knowledge.
    manners = (
        Manner(
            "deletes_late",
            "Somebody who is deleted is only switched off in applications; they are told to delete 30 days later.",
            (
                "In Microsoft Entra, take the assignment of {title} away and use Provision on demand before anybody is"
                " deleted.",
                "In Microsoft Entra, delete permanently, under Deleted users, whom {title} must forget before 30 days.",
            ),
            days=30,
        ),
    )
    plans = (
        "Last sign-in needs Entra ID P1; without it last use is unknown.",
        "The log of sign-ins needs Entra ID P1 and goes back 30 days; the audit log of the free edition 7 days.",
        "Roles that can be taken up (privileged identity management) need Entra ID P2; without it they are unknown.",
        "Multi-factor methods of disabled accounts are not told.",
        "Groups and applications cost a request each: a directory with thousands of them needs a longer deadline.",
        "An administrator's account can only be disabled by an application that holds a privileged role itself.",
    )
    # Throttling limits, identity service: 3,500 units in 10 s for the smallest directories, two for each request. That
    # the logs take 5 requests in 10 s is said of them, but was not seen by us.
    limits = (RateLimit(1750, 10), RateLimit(5, 10, "/auditLogs/"))
    covers = (
        "accounts: yes, also disabled ones",
        "guests: yes",
        "accounts from Active Directory: yes (they are changed there)",
        "deleted accounts: yes, for 30 days",
        "service principals and managed identities: no (they have no account)",
        "consents and temporary access passes: yes, one account at a time",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        private = self.options["allow_private"]
        self._address = check_base(self.options["base_url"], where, allow_private=private)
        self._login = check_base(self.options["login_url"], f"{where}: login_url", allow_private=private)
        size = self.options["page_size"]
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 999:
            raise ConfigurationError(f"{where}: page_size: expected a number from 1 to 999")
        self._size = size
        self._application, self._calls = self._session("client_secret", "client_id")
        self._reader = Reader(feed.name, given.now)
        self._holdings = EntraHoldings(self._calls, feed.name, Privilege(feed), self._reader)
        self._changes: EntraChanges | None = None

    def check(self) -> Checked:
        """Ask for one account, and compare the token's permissions with the least that are needed."""
        self._calls.http.begin()
        return examined(self._calls, self._application)

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; IncompleteFeed unless all pages came."""
        self._calls.http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join("users")
        reading.filters = "all users, and deleted ones"
        people, delta = self._people(), EntraDelta(self._calls)
        delta.begin()
        found = self._holdings.all(reading, applications=self.options["applications"] is not False)
        self.changes_mark = delta.mark(self._holdings.nested) if found.all_told else None
        registered, seen = people.registered(found.ids), Met()
        yield from gathered(people.everybody(found, registered, seen))
        reading.kept = len(seen)
        self._reader.note(reading)
        reading.sha256 = self._calls.digest.hexdigest()
        judge(reading, place)
        if not seen:
            raise IncompleteFeed(f"{place}: the directory has no account at all; that is not believed")

    def changes(self, mark: str, before: Before) -> Iterator[Record | Rows | Gone]:
        """Users that changed, or whose methods or rights did; members of groups that changed, all other holdings.

        A user that was removed and is not among the deleted ones is gone.
        """
        self._calls.http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join("users/delta()")
        reading.filters = "users that changed, members of groups that changed"
        people, delta = self._people(), EntraDelta(self._calls)
        changed = delta.changed(mark, reading)
        apps = self.options["applications"] is not False
        found = self._holdings.all(reading, applications=apps, kept=Kept(before, changed))
        if not found.all_told:
            raise MarkRefused(f"{place}: not everything that accounts hold may be seen any more")
        registered, everybody = people.registered(found.ids), 0
        wanted, there = set(changed.users), set[str]()  # of those wanted, who was there
        for ids, mfa, privileged in before.accounts("account_id", "mfa", "privileged"):
            everybody += len(ids)
            was, now = zip(mfa, privileged, strict=True), zip(registered.of(ids), found.privileged(ids), strict=True)
            there |= {one for one, a, b in zip(ids, was, now, strict=True) if a != b or one in changed.users}
        wanted |= there
        live, deleted = people.of(wanted, everybody)
        yield entitlement_rows(found.entitlements.values())
        for rows, gone in ((live, False), ({i: row for i, row in deleted.items() if i not in live}, True)):
            for some in portioned(sorted(wanted & rows.keys())):
                yield from people.accounts([rows[i] for i in some], some, found, registered, deleted=gone)
        for account_id in sorted(wanted - live.keys() - deleted.keys()):
            if changed.users.get(account_id):
                yield Gone(account_id)
            elif account_id in there:
                raise MarkRefused(f"{place}: {account_id} is not listed, and not told to be removed")
        for (ids,) in before.accounts("account_id"):
            yield found.grants(place, [one for one in ids if one not in wanted])
        reading.kept = len(wanted & (live.keys() | deleted.keys()))
        self._reader.note(reading)
        reading.notes.append("last sign-ins of users that did not change are those of the log, else as of then")
        reading.sha256 = self._calls.digest.hexdigest()
        self.changes_mark = delta.mark(self._holdings.nested)

    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when it is gone. A deleted one is gone."""
        self._calls.http.begin()
        row = read_row(self._calls, account_id)
        if row is None:
            return None
        roles = self._holdings.roles_of(account_id)
        privileged = holds_privilege((role.privileged for role in roles or ()), told=roles is not None)
        told, place = Objects([row], self._reader), self.feed.name
        one = read_accounts(told, [account_id], place, activity=False, privileged=[privileged], mfa=[None])
        return next(account for account in one.records() if isinstance(account, Account))

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """What the logs hold from the mark on."""
        self._calls.http.begin()
        log = EntraLog(self._calls, self.feed.name, self.given.now)
        yield from log.events(since, mark, self.reading)
        self.mark = log.mark

    def configured(self, application: ApplicationSettings) -> Configured:
        """Groups assigned to the application, each with a role of it, and the rules that fill those groups."""
        self._calls.http.begin()
        return assignments(self._calls, self._reader, application)

    def deactivate(self, account_id: str) -> Receipt:
        """Disable the account."""
        return self._writer().enable(account_id, False)

    def reactivate(self, account_id: str) -> Receipt:
        """Enable the account."""
        return self._writer().enable(account_id, True)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a group, a directory role or a role of an application from the account."""
        return self._writer().revoke_grant(account_id, entitlement_id)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a group, a directory role or a role of an application back."""
        return self._writer().restore_grant(account_id, entitlement_id)

    def end_sessions(self, account_id: str) -> Receipt:
        """Sign the account out everywhere."""
        return self._writer().end_sessions(account_id)

    def credentials(self, account_id: str) -> list[Credential]:
        """Consents the account gave to programs, and temporary access passes."""
        self._calls.http.begin()
        return credentials(self._calls, self._reader, self.feed.name, account_id)

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Withdraw a consent or a temporary access pass."""
        writer = self._writer()
        found = next((c for c in self.credentials(account_id) if c.credential_id == credential_id), None)
        return writer.revoke_credential(found, account_id, credential_id)

    def close(self) -> None:
        """Let go of connections."""
        self._calls.close()
        if self._changes:
            self._changes.close()

    def _people(self) -> EntraPeople:
        return EntraPeople(self._calls, self._reader, self.reading, self._size)

    def _session(self, secret: str, client_field: str) -> tuple[Application, EntraCalls]:
        """The application of that secret, and requests with it."""
        place, value = f"{self._where}: {secret}", self.given.secrets.get(secret, "")
        client_id = text_option(self.options, client_field, self._where)
        tenant = text_option(self.options, "tenant", self._where)
        if not value or client_id is None or tenant is None:
            raise ConfigurationError(f"{place}: is empty; expected tenant, client_id and a secret")
        application = Application(self._login, self._address, self.given, place, tenant, client_id, value)
        return application, EntraCalls(self._address, self.given, self.feed.name, application, self.limits)

    def _writer(self) -> EntraChanges:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._changes is None:
            client_field = "write_client_id" if self.options["write_client_id"] else "client_id"
            _, writing = self._session("write_token", client_field)
            self._changes = EntraChanges(self._calls, writing, self._reader)
        self._changes.begin()
        return self._changes
