"""Slack: the members of one workspace or organisation, over the Web API, SCIM and the audit log.

Reads      members with roles, user groups        scope: users:read, users:read.email, usergroups:read
           creation times, groups of the identity provider, the access log (paid plans)    scope: admin
           what happened (Enterprise plans)                                                scope: auditlogs:read
Changes    deactivate and reactivate (SCIM), groups, roles, sessions
           scope: admin, usergroups:write, admin.users:write
Last seen  from the newest entries of the access log (paid plans); who is not in it is unknown, not unseen
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import compress
from typing import ClassVar

from connectors.kit.addresses import Address, check_base
from connectors.kit.columns import Objects
from connectors.kit.contract import (
    CanDeactivate,
    CanEndSessions,
    CanReactivate,
    CanRevokeGrant,
    Checked,
    Circumstances,
    Field,
    ReadsColumns,
    TellsEvents,
)
from connectors.kit.granted import entitlement_rows, grant_rows
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import read_lists
from connectors.kit.portions import Meanings, gathered
from connectors.kit.privilege import Privilege, holds_privilege
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader
from connectors.kit.slack_audit import AuditLog
from connectors.kit.slack_beside import BesideLists
from connectors.kit.slack_calls import SlackCalls
from connectors.kit.slack_changes import Changes
from connectors.kit.slack_check import NEEDED, USEFUL, prove
from connectors.kit.slack_people import (
    MEMBER,
    PAGE,
    ROLES,
    Beside,
    Members,
    accounts_of,
    keys_of,
    left_out,
    roles,
    roles_told,
)
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Account, Entitlement, Event, Receipt, Rejected, Rows
from governance.settings import ApplicationSettings, SourceSettings

_Holding = tuple[tuple[str, ...], bool | None]  # entitlement ids, and whether one of them is privileged


class Slack(ReadsColumns, CanDeactivate, CanReactivate, CanRevokeGrant, CanEndSessions, TellsEvents):
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

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; IncompleteFeed unless all pages came."""
        self._begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join("users.list")
        reading.filters = self._team.get("team_id", "")
        self._web.get("auth.test")
        if self._web.scopes is not None and "users:read.email" not in self._web.scopes:
            reading.notes.append("e-mail addresses are not told: the token lacks users:read.email")
        beside, groups = self._beside.read(reading, self._log_pages)
        reader = Reader(place, self.given.now)
        yield from gathered(self._pages(reader, beside, groups))
        reading.rows_read -= reader.skipped.total()
        reader.note(reading)
        reading.sha256 = self._web.digest.hexdigest()
        judge(reading, place)
        if not reading.kept:
            raise IncompleteFeed(f"{place}: the workspace lists no member at all; that is not believed")

    def account(self, account_id: str) -> Account | None:
        """The account as it is now, by users.info; None when it is gone."""
        self._begin()
        told = self._web.get("users.info", {"user": account_id}, allow=frozenset({"user_not_found"}))
        if not told["ok"]:
            return None
        member = Objects([told.get("user")], Reader(self.feed.name, self.given.now))
        if member.texts("id") != [account_id]:
            raise UnexpectedAnswer(f"{self.feed.name}: users.info: the answer is about another account", "users.info")
        [held], [all_told] = roles(member), roles_told(member)
        powers = [power for role, _, power in (*ROLES.values(), MEMBER) if role in held]
        privileged = holds_privilege(powers, told=all_told)
        [account] = accounts_of(member, [account_id], self.feed.name, [privileged], Beside().of([account_id])).records()
        return account if isinstance(account, Account) else None

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

    def _pages(self, reader: Reader, beside: Beside, groups: list[Entitlement]) -> Iterator[Rows]:
        """Everything that can be held, and what each page of members tells."""
        reading, place = self.reading, self.feed.name
        held = [
            Entitlement(place, role, name, "role", self._privilege.of(name, privileged))
            for role, name, privileged in (*ROLES.values(), MEMBER)
        ]
        yield entitlement_rows([*held, *groups])
        names = {one.entitlement_id: one.privileged for one in (*held, *groups)}
        holdings = Meanings(partial(_held, names))
        fetch = self._web.pages("users.list", "members", {"limit": str(self._size), **self._team}, PAGE.read)
        for numbers, items in read_lists(
            fetch, lambda page: keys_of(PAGE.objects(page, reader)), reading, f"{place}: users.list"
        ):
            members = PAGE.objects(items, reader)
            told = members.texts("id")
            why = left_out(members, told)
            good = [one is not None and reason is None for one, reason in zip(told, why, strict=True)]
            if not all(good):
                reader.skipped.update(reason for reason in why if reason)
                for number, one in zip(numbers, told, strict=True):
                    if one is None:
                        where = f"{reading.source}#{number}"
                        reading.rejected.append(Rejected(where, "id", "is missing or no text"))
                members = PAGE.objects(list(compress(items, good)), reader)
            ids = [one for one in compress(told, good) if one is not None]
            yield from self._told(members, ids, beside, holdings)
        reading.kept = beside.members()

    def _told(
        self, members: Members, ids: Sequence[str], beside: Beside, holdings: Meanings[_Holding]
    ) -> Iterator[Rows]:
        """The accounts and what they hold; whoever is deactivated has no role."""
        place, also = self.feed.name, beside.of(ids)
        deleted = members.flags("deleted")
        own = roles(members.only([not gone for gone in deleted]))
        each = zip(deleted, own, roles_told(members), also.groups, strict=True)
        found = list(map(holdings.__getitem__, each))
        yield accounts_of(members, ids, place, [privileged for _, privileged in found], also)
        held = [one for one, _ in found]
        yield grant_rows(place, ids, held, how=["direct"] * sum(map(len, held)))

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


def _held(
    names: Mapping[str, bool | None], told: tuple[bool | None, tuple[str, ...], bool, tuple[str, ...]]
) -> _Holding:
    """What an account holds that is or is not deactivated, has these roles, told or not, and is in these groups."""
    gone, own, roles_are_told, groups = told
    held = dict.fromkeys(() if gone else own) | dict.fromkeys(filter(names.__contains__, groups))
    return tuple(held), holds_privilege(map(names.__getitem__, held), told=roles_are_told)
