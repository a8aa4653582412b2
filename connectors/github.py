"""GitHub: the accounts of one organisation, and over SCIM those of an enterprise with managed users (EMU).

Reads      members, outside collaborators, pending invitations, teams, roles       scope: read:org (of an owner)
           what happened (Enterprise Cloud)                                        scope: read:audit_log
           managed accounts                                                        scope: scim:enterprise
           licences                                                                scope: read:enterprise
Changes    suspend and restore managed accounts; teams, roles, authorised credentials
           scope: scim:enterprise, admin:org
Last seen  of no member; only, on Enterprise Cloud, the last use of tokens and keys (with SAML single sign-on) and what
           somebody did by the newest entries of the audit log; who is in neither is unknown, not unseen

An account's id is its login, and that of a managed account the one of SCIM: suspending one hides its login.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar
from urllib.parse import quote

from msgspec.structs import replace

from connectors.kit.addresses import check_base
from connectors.kit.contract import (
    CanDeactivate,
    CanListCredentials,
    CanReactivate,
    CanRevokeGrant,
    Checked,
    Circumstances,
    Connector,
    Field,
    TellsEvents,
)
from connectors.kit.github_calls import REFUSED, GitHubCalls
from connectors.kit.github_changes import Changes
from connectors.kit.github_check import prove
from connectors.kit.github_enterprise import Credentials, Links, read_licences, read_links
from connectors.kit.github_events import AuditLog
from connectors.kit.github_listed import Person
from connectors.kit.github_organisation import INVITATION, OrganisationLists
from connectors.kit.github_people import invited
from connectors.kit.github_pull import Pull
from connectors.kit.http import Http
from connectors.kit.numbered import Ids
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pacing import RateLimit
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader
from connectors.kit.scim_accounts import AccountReader
from connectors.kit.scim_change import read_account
from connectors.kit.scim_resource import Dialect
from governance.errors import AuthenticationFailed, ConfigurationError, NotSupported
from governance.records import Account, Credential, Event, Receipt, Record
from governance.settings import ApplicationSettings, SourceSettings


class GitHub(Connector, CanDeactivate, CanReactivate, CanRevokeGrant, CanListCredentials, TellsEvents):
    """Accounts of an organisation of GitHub, plain or of an enterprise with managed users."""

    title = "GitHub"
    kind = "application"
    fields = (
        Field("organization", "The organisation, as it stands in its address.", required=True),
        Field("token", "A token of an owner, or the private key of a GitHub App (PEM).", "secret", required=True),
        Field("app_id", "The GitHub App's id, where token is its key."),
        Field("installation_id", "The App's installation in the organisation, where token is its key."),
        Field("write_token", "The same for writing; without it nothing can be changed.", "secret"),
        Field("write_app_id", "The writing App's id, where write_token is its key."),
        Field("write_installation_id", "The writing App's installation, where write_token is its key."),
        Field("enterprise", "The enterprise (its slug) the organisation belongs to, where there is one."),
        Field(
            "managed",
            "Whether the enterprise has managed users (EMU), read over SCIM.",
            "flag",
            default=False,
            needed_for=("deactivate", "reactivate"),
        ),
        Field(
            "members_only",
            "Whether members alone are read, where the token is none of an owner and may see nobody else.",
            "flag",
            default=False,
        ),
        Field("page_size", "How many accounts to ask for at once.", "number", default=100),
        Field(
            "audit_log_pages",
            "How many pages of the audit log to look for the last use in, of 100 entries each.",
            "number",
            default=10,
        ),
        Field("base_url", "The address of the API.", "url", default="https://api.github.com/"),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            "account.credentials",
        }
    )
    scopes: ClassVar = {
        "pull": ("read:org", "read:enterprise (with an enterprise)", "scim:enterprise (managed users)"),
        "events": ("read:audit_log",),
        "read_one": ("read:org",),
        "deactivate": ("scim:enterprise",),
        "reactivate": ("scim:enterprise",),
        "revoke_grant": ("admin:org",),
        "credentials": ("admin:org",),
    }
    plans = (
        "A plain organisation can only remove members, and their teams are lost: that stays a person's task.",
        "Suspending needs an enterprise with managed users (EMU).",
        "GitHub tells the last use of no member; the audit log, and tokens and keys with SAML, need Enterprise Cloud.",
        "What happened (audit log) and organisation roles need Enterprise Cloud.",
        "GitHub often answers 404 where a token lacks the right.",
    )
    limits = (RateLimit(5000, 3600), RateLimit(1750, 3600, "audit-log"))
    covers = (
        "members: yes",
        "outside collaborators (guests): yes",
        "pending invitations: yes, in organisations without managed users; failed ones open nothing and are left out",
        "managed accounts that are suspended or deactivated: yes, with managed = true",
        "programs' accounts: yes, but GitHub does not tell them from people; GitHub Apps: no (they are no accounts)",
        "tokens and keys: yes, one member at a time, with SAML single sign-on on Enterprise Cloud",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        self._private = self.options["allow_private"]
        self._address = check_base(self.options["base_url"], where, allow_private=self._private)
        self._organization = text_option(self.options, "organization", where) or ""
        self._enterprise = text_option(self.options, "enterprise", where)
        self._size = whole_option(self.options, "page_size", where, 1, 100)
        self._log_pages = whole_option(self.options, "audit_log_pages", where, 0, 1000)
        if not isinstance(self.options["managed"], bool):
            raise ConfigurationError(f"{where}: managed: expected true or false")
        if self.options["managed"] and not self._enterprise:
            raise ConfigurationError(f"{where}: managed: needs enterprise beside it")
        self._privilege = Privilege(feed)
        self._calls = self._session("token", "")
        self._scim = self._scim_session(self._calls)
        self._lists = self._listing(self._calls)
        self._links: Links | None = None
        self._writing: Changes | None = None
        self.mark = None

    def check(self) -> Checked:
        """Ask whose token it is, whether it is a member's, and what it may read; GitHub tells scopes itself."""
        self._calls.begin()
        return prove(self._calls, self._lists, self._scim, self._log(), self._enterprise)

    def records(self) -> Iterator[Record]:
        """Yield every entitlement, account and grant once; a FeedError unless all pages of all people came."""
        self._calls.begin()
        reading = self.reading
        reading.source = self._address.join(self._lists.path)
        reading.filters = "managed users" if self._scim else ""
        self._lists.whoever_asks()
        pull = Pull(self.feed.name, self._calls, self._lists, reading, self.given.now)
        if self._scim:
            pull.read_managed(self._scim, self._size)
            pull.people.links = self._known_links(pull.guids)
        else:
            pull.people.links = self._optional_links()
        pull.people.organisation = self._lists.read(
            reading,
            pull.people.links.ids,
            managed=self._scim is not None,
            members_only=self.options["members_only"] is True,
        )
        ids = pull.people.links.ids
        if self._enterprise:
            pull.people.licences = read_licences(self._calls, self._enterprise, self.feed.name, reading, ids)
        pull.people.credentials = Credentials(self._calls, self._lists.path, self.feed.name).all(reading, ids)
        pull.people.acted = self._log().last_used(self._log_pages, reading)
        yield from pull.records()

    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when it is gone."""
        self._calls.begin()
        reader = Reader(self.feed.name, self.given.now)
        if account_id.startswith(INVITATION):
            told = self._lists.invitation(account_id.removeprefix(INVITATION))
            return invited(self.feed.name, told) if told else None
        if self._scim and (found := read_account(self._scim, account_id)):
            known = AccountReader(self.feed.name, Dialect(), self.given.now).account(found[0], None)
            return replace(known, username=self._known_links().login_of.get(account_id) or known.username)
        path = f"{self._lists.path}/memberships/{quote(account_id, safe='')}"
        answer = self._calls.get(path, allow=REFUSED)
        membership = reader.of(answer.data if answer.status == 200 else None)
        pull = Pull(self.feed.name, self._calls, self._lists, self.reading, self.given.now)
        if membership.text("state") == "active":
            told = membership.part("user")
            person = Person(account_id, *map(told.text, ("type", "email", "name")))
            pull.people.organisation.members.add([person])
            owner = membership.text("role") == "admin"
            return next(pull.people.plain(self.feed.name, [person], [None], [owner or None]))
        outside = self._lists.collaborator(account_id)
        return next(pull.people.plain(self.feed.name, [outside], [None], [None])) if outside else None

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """What happened from the mark on, oldest first; nothing on plans without an audit log."""
        self._calls.begin()
        guids = (self._known_links() if self._scim else Links()).guid_of
        log = self._log()
        yield from log.events(since, mark, lambda login: guids.get(login) or login, self.reading)
        self.mark = log.mark

    def deactivate(self, account_id: str) -> Receipt:
        """Suspend a managed account; NotSupported in plain organisations."""
        return self._writer().set_active(account_id, False)

    def reactivate(self, account_id: str) -> Receipt:
        """Let a managed account back in."""
        return self._writer().set_active(account_id, True)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a team or role."""
        return self._writer().revoke_grant(account_id, entitlement_id)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a team or role back."""
        return self._writer().restore_grant(account_id, entitlement_id)

    def credentials(self, account_id: str) -> list[Credential]:
        """Tokens and keys that the account opened for the organisation."""
        self._calls.begin()
        return Credentials(self._calls, self._lists.path, self.feed.name).of(self._login_of(account_id), account_id)

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Take the organisation away from a token or key."""
        return self._writer().revoke_credential(credential_id)

    def close(self) -> None:
        """Let go of connections."""
        self._calls.close()
        if self._writing:
            self._writing.close()

    def _log(self) -> AuditLog:
        path = f"enterprises/{quote(self._enterprise, safe='')}" if self._scim and self._enterprise else None
        return AuditLog(self._calls, path or self._lists.path, self.feed.name)

    def _known_links(self, guids: Ids | None = None) -> Links:
        if self._links is None:
            self._links = read_links(self._calls, self._enterprise or "", guids, enterprise=True)
        return self._links

    def _optional_links(self) -> Links:
        try:
            return read_links(self._calls, self._organization, enterprise=False)
        except AuthenticationFailed:
            self.reading.notes.append("who is who at the identity provider is not told: that needs an owner's token")
            return Links()

    def _login_of(self, account_id: str) -> str:
        if not self._scim:
            return account_id
        return self._known_links().login_of.get(account_id) or account_id

    def _listing(self, calls: GitHubCalls) -> OrganisationLists:
        return OrganisationLists(calls, self._organization, self.feed.name, self._privilege, self._size)

    def _session(self, secret: str, prefix: str) -> GitHubCalls:
        value = self.given.secrets.get(secret, "")
        if not value:
            raise ConfigurationError(f"{self._where}: {secret}: is empty")
        app = tuple(_text(self.options.get(f"{prefix}{name}")) for name in ("app_id", "installation_id"))
        return GitHubCalls(self._address, self.given, self.feed.name, value, self.limits, app=(app[0], app[1]))

    def _scim_session(self, calls: GitHubCalls) -> Http | None:
        if not self.options["managed"]:
            return None
        path = f"scim/v2/enterprises/{quote(self._enterprise or '', safe='')}/"
        return calls.beside(path, self._where, self._private)

    def _writer(self) -> Changes:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        self._calls.begin()
        if self._writing is None:
            calls = self._session("write_token", "write_")
            scim = self._scim_session(calls)
            self._writing = Changes(calls, scim, self._listing(calls), self.feed.name, self._login_of)
        self._writing.begin()
        return self._writing


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None
