"""Okta: the accounts of one org, over its management API.

Reads      accounts (deactivated ones by a second request), groups, applications they are assigned to, roles of
           administrators, second factors, the System Log            scope: okta.users.read and others below
Changes    suspend and restore, groups, applications and roles, sessions, consents and API tokens
Last seen  the last sign-in to Okta, not to an application behind it; null means never
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import Authorization
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
    Manner,
    MarkRefused,
    ReadsColumns,
    TellsChanges,
    TellsEvents,
    TellsMapping,
    demand_fewer,
)
from connectors.kit.fingerprints import Met
from connectors.kit.granted import entitlement_rows
from connectors.kit.okta_calls import OktaCalls, ServiceApp, api_token
from connectors.kit.okta_changes import OktaChanges, credentials, read_row
from connectors.kit.okta_check import READ_SCOPES, WRITE_SCOPES, examined
from connectors.kit.okta_holdings import OktaHoldings
from connectors.kit.okta_log import SystemLog
from connectors.kit.okta_mapping import assignments
from connectors.kit.okta_people import FILTERS, OktaPeople
from connectors.kit.okta_settings import told_settings
from connectors.kit.okta_updated import LATE, Kept, Logged, begun, only, updated_since
from connectors.kit.options import feed_table, text_option
from connectors.kit.pacing import RateLimit
from connectors.kit.portions import gathered, portioned
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported
from governance.records import Account, Configured, Credential, Event, Gone, Receipt, Record, Rows
from governance.settings import ApplicationSettings, SourceSettings

_MFA: Final = ("privileged", "all", "none")
_OFF: Final = ("suspend", "deactivate")


class Okta(
    ReadsColumns,
    CanDeactivate,
    CanReactivate,
    CanSuspend,
    CanRevokeGrant,
    CanEndSessions,
    CanListCredentials,
    TellsEvents,
    TellsChanges,
    TellsMapping,
):
    """Accounts of an Okta org, read with an API token or as a service app."""

    title = "Okta"
    kind = "application"
    family = "identity provider"
    fields = (
        Field("base_url", "The address of the org, such as https://example.okta.com/.", "url", required=True),
        Field("token", "An API token of an administrator who may only read; or use client_id instead.", "secret"),
        Field("client_id", "The client id of an API services app that may read."),
        Field("private_key", "That app's private key in PEM form.", "secret"),
        Field("key_id", "The key's id (kid), where the app has several."),
        Field(
            "write_token",
            "An API token that may write, or the private key of write_client_id; without it nothing can be changed.",
            "secret",
        ),
        Field("write_client_id", "The client id of a second API services app that may write."),
        Field("write_key_id", "That key's id."),
        Field(
            "deactivate_by",
            "What deactivating does: suspend, which loses nothing, or deactivate, which takes all applications away.",
            default="suspend",
        ),
        Field("applications", "Whether to read who is assigned to which application.", "flag", default=True),
        Field("mfa", "Whose second factors to read, one request each: privileged, all or none.", default="privileged"),
        Field("page_size", "How many accounts to ask for at once.", "number", default=200),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            *("account.attributes", "account.credentials"),
        }
    )
    scopes: ClassVar = {
        "pull": (
            *("okta.users.read", "okta.groups.read", "okta.apps.read", "okta.roles.read", "okta.idps.read"),
            "okta.apiTokens.read",
        ),
        "events": ("okta.logs.read",),
        "changes": ("okta.users.read", "okta.logs.read"),
        "read_one": ("okta.users.read", "okta.roles.read"),
        "deactivate": ("okta.users.manage",),
        "reactivate": ("okta.users.manage",),
        "suspend": ("okta.users.manage",),
        "revoke_grant": ("okta.groups.manage", "okta.apps.manage", "okta.roles.manage"),
        "end_sessions": ("okta.users.manage",),
        "credentials": ("okta.users.read", "okta.apiTokens.read", "okta.users.manage", "okta.apiTokens.manage"),
        "mapping": ("okta.apps.read", "okta.groups.read"),
    }
    # Seen on help.okta.com, "Provision unprovisioned users"; that the Import tab matches accounts is general knowledge.
    manners = (
        Manner(
            "pushes_new_assignments",
            "Whoever was assigned before provisioning was switched on is not pushed.",
            (
                "In Okta, open {title}, Import, Import Now, and confirm which person each account belongs to.",
                "In Okta, open {title}, Assignments, and click Provision User for everybody with a red sign.",
                "In Okta, convert individual assignments to a group's, so that leaving the group ends them.",
            ),
        ),
    )
    plans = (
        "The System Log goes back 90 days.",
        "An API services app must not require DPoP (proof of possession): switch that off in its settings.",
        "Second factors cost one request for each account; those of privileged accounts are read unless mfa says more.",
        "Groups and applications cost a request each: an org with thousands of them needs a longer deadline.",
    )
    # By minute, as Okta's page "Management rate limits" had them; an org's own are in each answer and go before these.
    limits = (
        RateLimit(600, 60, "/api/v1/users"),
        RateLimit(500, 60, "/api/v1/groups"),
        RateLimit(100, 60, "/api/v1/apps"),
        RateLimit(120, 60, "/api/v1/logs"),
    )
    covers = (
        "accounts: yes, in every status",
        "deactivated accounts: yes, by a request of their own",
        "deleted accounts: no (Okta does not list them; the System Log tells that they were)",
        "API tokens and consents: yes, one account at a time",
        "service apps: no (they have no account; their roles are not read)",
        "accounts inside applications behind Okta: no (only who is assigned to which)",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        self._address = check_base(self.options["base_url"], where, allow_private=self.options["allow_private"])
        size = self.options["page_size"]
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 200:
            raise ConfigurationError(f"{where}: page_size: expected a number from 1 to 200")
        for name, known in (("mfa", _MFA), ("deactivate_by", _OFF)):
            if self.options[name] not in known:
                raise ConfigurationError(f"{where}: {name}: expected one of {', '.join(known)}")
        self._size = size
        self._privilege = Privilege(feed)
        secret = "private_key" if self.options["client_id"] else "token"
        self._app: ServiceApp | None = None
        self._calls = self._session(secret, "client_id", "key_id", READ_SCOPES)
        self._reader = Reader(feed.name, given.now)
        self._holdings = OktaHoldings(self._calls, feed.name, self._privilege, self._reader)
        self._changes: OktaChanges | None = None

    def check(self) -> Checked:
        """Ask for one account, and for each scope whether it is there."""
        self._calls.http.begin()
        return examined(self._calls, self._app, self._reader)

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; IncompleteFeed unless all pages came."""
        self._calls.http.begin()
        reading, place, people = self.reading, self.feed.name, self._people()
        reading.source = self._address.join("api/v1/users")
        reading.filters = " | ".join(f or "status other than DEPROVISIONED" for f in FILTERS)
        found = self._holdings.all(reading, applications=self.options["applications"] is not False)
        self.changes_mark = self.given.now.isoformat() if found.all_told else None
        people.read_tokens()
        seen = Met()
        yield from gathered(people.everybody(found, seen))
        reading.kept = len(seen)
        people.conclude()
        judge(reading, place)
        if not seen:
            raise IncompleteFeed(f"{place}: the org has no account at all; that is not believed")

    def changes(self, mark: str, before: Before) -> Iterator[Record | Rows | Gone]:
        """Users that changed or whose rights did; members of groups, assignments of applications that changed; roles.

        A user that the System Log calls deleted, and that is not there when asked for, is gone.
        """
        self._calls.http.begin()
        reading, place, people = self.reading, self.feed.name, self._people()
        since = begun(mark, place)
        reading.source = self._address.join("api/v1/users")
        reading.filters = updated_since(since)
        logged = Logged(self._calls, self._reader, since, self._calls.http.deadline.now + LATE, reading)
        kept = Kept(before, since, logged.applications)
        found = self._holdings.all(reading, applications=self.options["applications"] is not False, kept=kept)
        if not found.all_told:
            raise MarkRefused(f"{place}: not everything that accounts hold may be seen any more")
        people.read_tokens()
        users = people.listed(updated_since(since))
        everybody, deleted, other = 0, set(), set()
        for ids, privileged in before.accounts("account_id", "privileged"):
            everybody += len(ids)
            deleted |= logged.deleted.intersection(ids)
            other |= {one for one, was, now in zip(ids, privileged, found.privileged(ids), strict=True) if was != now}
        filters = only(other - users.keys())
        demand_fewer(len(filters), everybody, self._size, f"{place}: {len(other)} users hold other rights now")
        for expression in filters:
            users |= people.listed(expression)
        gone: set[str] = set()
        for account_id in sorted((deleted | other) - users.keys()):
            row = read_row(self._calls, account_id)
            if row is None:
                yield Gone(account_id)
                gone.add(account_id)
            else:
                users[account_id] = row
        yield entitlement_rows(found.entitlements.values())
        for some in portioned(users):
            yield from people.everything([users[one] for one in some], some, found)
        for (ids,) in before.accounts("account_id"):
            yield found.grants(place, [one for one in ids if one not in users and one not in gone])
        reading.kept = len(users)
        people.conclude()
        reading.notes.append("second factors of users that did not change are as of then")
        reading.notes.append("deleted users are those that the System Log names")
        self.changes_mark = self.given.now.isoformat()

    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when it is gone."""
        self._calls.http.begin()
        user = read_row(self._calls, account_id)
        if user is None:
            return None
        roles = self._holdings.roles_of(account_id)
        privileged = holds_privilege((role.privileged for role in roles or ()), told=roles is not None)
        told = next(self._people().accounts([user], [account_id], [privileged]))
        return next(account for account in told.records() if isinstance(account, Account))

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """What the System Log holds from the mark on, in the order it was kept."""
        self._calls.http.begin()
        log = SystemLog(self._calls, self.feed.name, self.given.now)
        yield from log.events(since, mark, self.reading)
        self.mark = log.mark
        if not log.goes_on:
            yield from told_settings(self._calls, self.given.now)

    def configured(self, application: ApplicationSettings) -> Configured:
        """Groups assigned to the application with what they set there, and the rules that fill those groups."""
        self._calls.http.begin()
        return assignments(self._calls, self._reader, application)

    def deactivate(self, account_id: str) -> Receipt:
        """Suspend the account, or deactivate it where the configuration says so."""
        if self.options["deactivate_by"] == "deactivate":
            return self._writer().deprovision(account_id)
        return self._writer().suspend(account_id)

    def reactivate(self, account_id: str) -> Receipt:
        """Let the account sign in again."""
        return self._writer().reactivate(account_id)

    def suspend(self, account_id: str) -> Receipt:
        """Lock the account; it keeps everything it holds."""
        return self._writer().suspend(account_id)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a group, an application or a role from the account."""
        return self._writer().revoke_grant(account_id, entitlement_id)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a group, an application or a standard role back."""
        return self._writer().restore_grant(account_id, entitlement_id)

    def end_sessions(self, account_id: str) -> Receipt:
        """Sign the account out everywhere."""
        return self._writer().end_sessions(account_id)

    def credentials(self, account_id: str) -> list[Credential]:
        """Consents the account gave to programs, and API tokens it made."""
        self._calls.http.begin()
        return credentials(self._calls, self._reader, self.feed.name, account_id)

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Withdraw a consent or an API token."""
        writer = self._writer()
        found = next((c for c in self.credentials(account_id) if c.credential_id == credential_id), None)
        return writer.revoke_credential(found, account_id, credential_id)

    def close(self) -> None:
        """Let go of connections."""
        self._calls.close()
        if self._changes:
            self._changes.close()

    def _people(self) -> OktaPeople:
        return OktaPeople(self._calls, self._reader, self.reading, self.options["mfa"], self._size)

    def _session(self, secret: str, client_field: str, key_field: str, scopes: tuple[str, ...]) -> OktaCalls:
        """Requests with that secret: an API token, or the private key of the app that `client_field` names."""
        place, value = f"{self._where}: {secret}", self.given.secrets.get(secret, "")
        if not value:
            raise ConfigurationError(f"{place}: is empty; expected an API token, or client_id with private_key")
        client_id = text_option(self.options, client_field, self._where)
        who: Authorization | ServiceApp = (
            api_token(value, place)
            if client_id is None
            else self._service_app(value, place, client_id, key_field, scopes)
        )
        if isinstance(who, ServiceApp):
            self._app = self._app or who  # the reading one comes first
        return OktaCalls(self._address, self.given, self.feed.name, who, self.limits)

    def _service_app(self, key: str, place: str, client_id: str, key_field: str, scopes: tuple[str, ...]) -> ServiceApp:
        key_id = text_option(self.options, key_field, self._where)
        return ServiceApp(self._address, self.given, place, client_id, key, scopes, key_id)

    def _writer(self) -> OktaChanges:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._changes is None:
            writing = self._session("write_token", "write_client_id", "write_key_id", WRITE_SCOPES)
            self._changes = OktaChanges(self._calls, writing, self._reader)
        self._changes.begin()
        return self._changes
