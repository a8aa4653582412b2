"""Slack: the members of one workspace or organisation, over the Web API, SCIM and the audit log.

Reads      members with roles, user groups        scope: users:read, users:read.email, usergroups:read
           creation times, groups of the identity provider, the access log (paid plans)    scope: admin
           what happened (Enterprise plans)                                                scope: auditlogs:read
Changes    deactivate and reactivate (SCIM), groups, roles, sessions
           scope: admin, usergroups:write, admin.users:write
Last seen  from the newest entries of the access log (paid plans); who is not in it is unknown, not unseen
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import ClassVar

from connectors.kit.addresses import Address, check_base
from connectors.kit.contract import (
    CanDeactivate,
    CanEndSessions,
    CanReactivate,
    CanRevokeGrant,
    Checked,
    Circumstances,
    Connector,
    Field,
    TellsEvents,
)
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import read_pages
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader, Resource
from connectors.kit.slack_audit import AuditLog
from connectors.kit.slack_beside import BesideLists
from connectors.kit.slack_calls import SlackCalls
from connectors.kit.slack_changes import Changes
from connectors.kit.slack_check import NEEDED, USEFUL, prove
from connectors.kit.slack_people import MEMBER, ROLES, Beside, left_out, member_id, read_member, roles, roles_told
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Account, Entitlement, Event, Grant, Receipt, Record, Rejected
from governance.settings import ApplicationSettings, SourceSettings


class Slack(Connector, CanDeactivate, CanReactivate, CanRevokeGrant, CanEndSessions, TellsEvents):
    """Members of Slack, with the manners of an API that answers 200 to everything."""

    title = "Slack"
    kind = "application"
    fields = (
        Field("token", "A user token (with admin, where the plan has SCIM) or a bot token.", "secret", required=True),
        Field("audit_token", "A user token of an organisation owner with auditlogs:read (Enterprise plans).", "secret"),
        Field(
            "write_token",
            "A user token of an admin or owner with admin and usergroups:write; without it nothing can be changed.",
            "secret",
        ),
        Field("team_id", "The workspace (T…), where the token is one of a whole organisation."),
        Field("page_size", "How many members to ask for at once.", "number", default=500),
        Field(
            "access_log_pages", "How many pages of the access log to read, of 1000 entries each.", "number", default=10
        ),
        Field("base_url", "The address of the Web API.", "url", default="https://slack.com/api/"),
        Field("scim_url", "The address of SCIM.", "url", default="https://api.slack.com/scim/v2/"),
        Field("audit_url", "The address of the audit log.", "url", default="https://api.slack.com/audit/v1/"),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            "account.attributes",
        }
    )
    scopes: ClassVar = {
        "pull": (*NEEDED, USEFUL),
        "events": ("auditlogs:read",),
        "read_one": ("users:read",),
        "deactivate": ("admin",),
        "reactivate": ("admin",),
        "revoke_grant": ("usergroups:write", "admin", "admin.users:write"),
        "end_sessions": ("admin.users:write",),
    }
    plans = (
        "Switching members off and on, creation times and groups of the identity provider: Business+ or Enterprise.",
        "The last use comes from the access log, which paid plans have; on the free plan it is unknown.",
        "What happened (audit log) is told on Enterprise plans only, to a token of an organisation owner.",
        "Ending sessions and changing roles need an Enterprise plan.",
        "A SCIM token works only while the account that made it is an admin or owner.",
    )
    limits = (
        RateLimit(20, 60, "users.list"),
        RateLimit(20, 60, "team.accessLogs"),
        RateLimit(20, 60, "usergroups."),
        RateLimit(100, 60, "users.info"),
        RateLimit(1000, 60, "scim/"),
        RateLimit(50, 60, "audit/"),
    )
    covers = (
        "members: yes, deactivated ones too",
        "guests: yes, of one channel and of several",
        "bots: yes, those of apps; Slackbot is built in and left out",
        "pending invitations: yes, once Slack shows them as members (is_invited_user)",
        "members of other organisations (Slack Connect): no (they are accounts of the other organisation)",
        "tokens of members and of apps: no (Slack has no list of them)",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = feed_table(feed)
        private = self.options["allow_private"]
        names = ("base_url", "scim_url", "audit_url")
        self._address, self._scim_address, self._audit_address = (
            check_base(self.options[name], where, allow_private=private, key=name) for name in names
        )
        self._size = whole_option(self.options, "page_size", where, 1, 1000)
        self._log_pages = whole_option(self.options, "access_log_pages", where, 0, 100)
        self._team = {"team_id": team} if (team := text_option(self.options, "team_id", where)) else {}
        if not given.secrets.get("token"):
            raise ConfigurationError(f"{where}: token: is empty")
        self._privilege = Privilege(feed)
        self._web = SlackCalls(self._address, given, feed.name, given.secrets["token"], self.limits)
        self._scim = self._session(self._scim_address, "token")
        self._beside = BesideLists(self._web, self._scim, feed.name, self._privilege)
        self._audit: Http | None = None
        self._writing: Changes | None = None
        self.mark = None

    def check(self) -> Checked:
        """Ask whose token it is, which scopes it has, and for one member, one entry of SCIM and of the audit log."""
        self._begin()
        return prove(self._web, self._beside, self._audit_log(), self._team)

    def records(self) -> Iterator[Record]:
        """Yield every entitlement, account and grant once; IncompleteFeed unless all pages came."""
        self._begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join("users.list")
        reading.filters = self._team.get("team_id", "")
        self._web.get("auth.test")
        if self._web.scopes is not None and "users:read.email" not in self._web.scopes:
            reading.notes.append("e-mail addresses are not told: the token lacks users:read.email")
        names: dict[str, bool | None] = {}
        for role, name, privileged in (*ROLES.values(), MEMBER):
            names[role] = self._privilege.of(name, privileged)
            yield Entitlement(place, role, name, "role", names[role])
        beside, groups = self._beside.read(reading, self._log_pages)
        for group in groups:
            names[group.entitlement_id] = group.privileged
            yield group
        reader = Reader(place, self.given.now)
        seen: set[str] = set()
        passed_over = 0
        fetch = self._web.pages("users.list", "members", {"limit": str(self._size), **self._team})
        for number, item in read_pages(fetch, member_id, reading, f"{place}: users.list"):
            told = reader.of(item)
            account_id = told.text("id")
            if account_id is None:
                reading.rejected.append(Rejected(f"{reading.source}#{number}", "id", "is missing or no text"))
            elif why := left_out(told):
                reader.skipped[why] += 1
                passed_over += 1
            else:
                seen.add(account_id)
                yield from self._member(told, account_id, beside, names)
        reading.rows_read -= passed_over
        reading.kept = len(seen)
        reader.note(reading)
        reading.sha256 = self._web.digest.hexdigest()
        judge(reading, place)
        if not seen:
            raise IncompleteFeed(f"{place}: the workspace lists no member at all; that is not believed")

    def account(self, account_id: str) -> Account | None:
        """The account as it is now, by users.info; None when it is gone."""
        self._begin()
        told = self._web.get("users.info", {"user": account_id}, allow=frozenset({"user_not_found"}))
        if not told["ok"]:
            return None
        member = Reader(self.feed.name, self.given.now).of(told.get("user"))
        if member.text("id") != account_id:
            raise UnexpectedAnswer(f"{self.feed.name}: users.info: the answer is about another account", "users.info")
        held = [p for role, _, p in (*ROLES.values(), MEMBER) if role in roles(member)]
        privileged = holds_privilege(held, told=roles_told(member))
        return read_member(member, self.feed.name, privileged, Beside())

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """What happened from the mark on, newest first; nothing where there is no audit_token."""
        log = self._audit_log()
        if log is None:
            self.reading.notes.append("what happened is not told: no audit_token (Enterprise plans only)")
            self.mark = mark
            return
        yield from log.events(since, mark, self.reading)
        self.mark = log.mark

    def deactivate(self, account_id: str) -> Receipt:
        """Deactivate the member over SCIM."""
        return self._writer().set_active(account_id, False)

    def reactivate(self, account_id: str) -> Receipt:
        """Let the member in again."""
        return self._writer().set_active(account_id, True)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a group or role."""
        return self._writer().revoke_grant(account_id, entitlement_id)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a group or role back."""
        return self._writer().restore_grant(account_id, entitlement_id)

    def end_sessions(self, account_id: str) -> Receipt:
        """Sign the member out everywhere."""
        return self._writer().end_sessions(account_id)

    def close(self) -> None:
        """Let go of connections."""
        for session in (self._web, self._scim, self._audit, self._writing):
            if session is not None:
                session.close()

    def _member(
        self, told: Resource, account_id: str, beside: Beside, names: dict[str, bool | None]
    ) -> Iterator[Record]:
        place = self.feed.name
        held = [] if told.flag("deleted") else roles(told)
        held += [group for group in beside.groups.get(account_id, ()) if group in names]
        privileged = holds_privilege((names[e] for e in held), told=roles_told(told))
        yield read_member(told, place, privileged, beside)
        for entitlement_id in dict.fromkeys(held):
            yield Grant(place, account_id, entitlement_id, "direct")

    def _begin(self) -> None:
        self._web.http.begin()
        self._scim.begin()

    def _audit_log(self) -> AuditLog | None:
        if not self.given.secrets.get("audit_token"):
            return None
        self._audit = self._audit or self._session(self._audit_address, "audit_token")
        self._audit.begin()
        return AuditLog(self._audit, self.feed.name)

    def _session(self, address: Address, secret: str) -> Http:
        accept = {"Accept": "application/scim+json, application/json;q=0.9"}
        token = self.given.secrets[secret]
        return Http(address, self.given, self.feed.name, token=token, headers=accept, limits=self.limits)

    def _writer(self) -> Changes:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._writing is None:
            web = SlackCalls(self._address, self.given, self.feed.name, self.given.secrets["write_token"], self.limits)
            scim = self._session(self._scim_address, "write_token")
            self._writing = Changes(web, scim, self.feed.name, self._team.get("team_id"))
        self._writing.begin()
        return self._writing
