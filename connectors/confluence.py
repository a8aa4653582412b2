"""Confluence Cloud: the accounts of one site, with what its organisation knows of them.

Reads      members of groups, groups, space administrators        scope: read:confluence-groups, -user, -space.summary
State      last use, MFA, hidden e-mails, suspended accounts      organisation API: read:directories:admin
Changes    deactivate, suspend, reactivate, groups, API tokens    organisation API key created without scopes

Confirmed by the vendor: there is no list of all accounts and the lists tell no state (CONFCLOUD-83983); the state is
the organisation's, or `accountStatus` of one account. Who only reads leaves no trace in the content, so the last use is
the organisation's as well. On an organisation with several sites the list of groups holds all of them (said by the
author of another connector): `groups` narrows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from connectors.kit.atlassian import Atlassian
from connectors.kit.atlassian_declaration import ORG_ROLE, PLANS, SCOPES, SITE_FIELDS
from connectors.kit.atlassian_directory import KINDS, checked
from connectors.kit.atlassian_lists import SiteLists
from connectors.kit.atlassian_members import Member, Members
from connectors.kit.columns import Objects
from connectors.kit.confluence_site import PAGE, SPACE, ConfluenceGrants, Held, confluence_events
from connectors.kit.contract import Field
from connectors.kit.holdings import DIRECT
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option
from connectors.kit.pagination import read_pages
from connectors.kit.portions import gathered
from connectors.kit.privilege import holds_privilege
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader, as_text
from governance.errors import IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Account, Entitlement, Event, Receipt, Rows, rows_of

_STATUS = {"active": True, "inactive": False, "closed": False, "unknown": None}


class Confluence(Atlassian):
    """Accounts and groups of a Confluence Cloud site."""

    title = "Confluence Cloud"
    product = "confluence"
    page_size = 200
    fields = (
        Field("base_url", "The site with /wiki, such as https://example.atlassian.net/wiki/.", "url", required=True),
        *SITE_FIELDS,
        Field("groups", "Only members of groups with these names, such as confluence-*; commas between several."),
        Field(
            "space_admins",
            "Whether administrators of every space are read: one call and more each.",
            "flag",
            default=False,
        ),
        Field("page_size", "How many accounts to ask for at once.", "number", default=200),
    )
    scopes = {  # noqa: RUF012 - a declaration
        **SCOPES,
        "pull": ("read:confluence-groups", "read:confluence-user", "read:confluence-space.summary", *SCOPES["pull"]),
        "events": ("read:audit-log:confluence", *SCOPES["events"]),
    }
    plans = ("Without the organisation API it is unknown whether an account can sign in at all.", *PLANS)
    covers = (
        "people and service accounts in a group: yes",
        "guests (external collaborators): yes",
        "suspended accounts: yes, with the organisation API",
        "people in no group: only those the organisation shows to have used Confluence",
        "apps (bots): yes, where they are in a group",
        "anonymous readers: no, they have no account",
        "API tokens: of managed accounts, with an organisation API key without scopes",
    )

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once."""
        self._begin()
        reading, place, reader = self.reading, self.feed.name, self._reader()
        reading.source = self._address.join("rest/api/group")
        wanted = reading.filters = text_option(self.options, "groups", feed_table(self.feed)) or ""
        lists = SiteLists(self._site, place)
        grants = ConfluenceGrants(lists, self.privilege, self._administers(lists), place, self._size)
        held = grants.read(reading, reader, wanted, spaces=self.options["space_admins"] is True)
        # After the groups, by whose members accounts are counted.
        members = self._members(reader, lists, held.ids, lambda page: self._take(page, held, wanted))
        held.entitlements |= {role.entitlement_id: role for role in map(self._org_role, held.appointed)}
        if not len(held):
            raise IncompleteFeed(f"{place}: no group of the site has a member; that is not believed")
        yield from gathered(self._everybody(held, members, reader))
        reading.kept = len(held)
        reading.rows_read += reading.kept
        reading.sha256 = lists.digest.hexdigest()
        if self.directory is None:
            reading.notes.append(self.plans[0])
        reader.note(reading)
        judge(reading, place)

    def _take(self, members: Sequence[Member], held: Held, wanted: str) -> None:
        """What the organisation tells of who is in which group, and who is in none."""
        ids = [member.account_id for member in members]
        numbers = held.ids.numbers(ids)
        whose: list[int] = []
        given: list[tuple[str, str]] = []
        for number, member, mine, listed in zip(numbers, members, held.held(ids), held.listed(numbers), strict=True):
            inside = [group_id for group_id in member.groups if group_id in held.entitlements]
            if not listed:
                if not inside and (wanted or not member.uses):
                    continue
                held.unlisted.append(number)
            more = [group_id for group_id in inside if mine.get(group_id) != DIRECT]
            if member.roles:
                held.appoint(number, member.roles)
                more += [f"{ORG_ROLE}{role}" for role in member.roles]
            whose += [number] * len(more)
            given += [(entitlement_id, DIRECT) for entitlement_id in more]
        held.give_each(whose, given)

    def account(self, account_id: str) -> Account | None:
        """The account as it is now, by reads of its own; None when it is gone."""
        self._begin()
        reader = self._reader()
        params = {"accountId": checked(account_id)}
        answer = self._site.get("rest/api/user", params, allow=(404,))
        member = self.directory.member(account_id, reader) if self.directory else None
        if answer.status == 404 and (member is None or not (member.uses or member.groups)):
            return None
        if answer.status == 200 and _account_id(answer.data) != account_id:
            raise UnexpectedAnswer(
                f"{answer.path}: the answer is not about the account that was asked for", answer.path
            )
        privileges: list[bool | None] = [self._org_role(r).privileged for r in (member.roles if member else ())]
        if answer.status == 200:
            lists = SiteLists(self._site, self.feed.name)
            administers = self._administers(lists)
            fetch = lists.results("rest/api/user/memberof", params, PAGE)
            for _, entry in read_pages(fetch, _group_id, self.reading, f"{self.feed.name}: groups", counted=False):
                group = reader.of(entry)
                privileges.append(administers(group.text("id") or "", group.text("name") or ""))
        told = Objects([answer.data if answer.status == 200 else {}], reader)
        known = Members()
        known.take([] if member is None else [member])
        accounts = self._accounts(told, [account_id], known, [holds_privilege(privileges, told=True)])
        return next(account for account in accounts.records() if isinstance(account, Account))

    def _check_site(self) -> tuple[list[str], list[str], list[str]]:
        self._site.get("rest/api/group", {"limit": "1"})
        notes: list[str] = []
        me = self._site.get("rest/api/user/current", allow=(403, 404))
        if me.status == 200:
            row = self._reader().of(me.data)
            notes.append(f"the token acts as {row.text('displayName')} ({row.text('accountId')})")
        missing = []
        if self._site.get("rest/api/audit", {"limit": "1"}, allow=(403,)).status == 403:
            missing.append("events: read:audit-log:confluence (Confluence administrator; a paid plan)")
        return notes, missing, []

    def _everybody(self, held: Held, members: Members, reader: Reader) -> Iterator[Rows]:
        """The accounts that were found and what they hold."""
        yield rows_of(Entitlement, list(held.entitlements.values()))
        for ids, told in held.pages(reader):
            yield self._accounts(told, ids, members, held.privileged(ids))
            yield held.grants(self.feed.name, ids)

    def _accounts(self, told: Objects, ids: Sequence[str], members: Members, privileged: Sequence[bool | None]) -> Rows:
        names = told.texts("displayName")
        if None in names:
            others = told.only([name is None for name in names]).texts("publicName")
            names = [name or other for name, other in zip(names, others, strict=True)]
        kinds = zip(told.flags("isExternalCollaborator"), told.one_of("accountType", KINDS), strict=True)
        return self._completed(
            ids,
            members,
            email=told.texts("email"),
            name=names,
            kind=["guest" if external else kind for external, kind in kinds],
            active=told.one_of("accountStatus", _STATUS),
            # The lists tell no state; where one is told, it counts beside the organisation's.
            listed=told.tells("accountStatus"),
            privileged=privileged,
        )

    def _audit(self, since: datetime, reader: Reader) -> Iterator[Event]:
        lists = SiteLists(self._site, self.feed.name)
        yield from confluence_events(lists, since, reader, self.reading, self.feed.name)

    def _refuse_grant(self, entitlement_id: str) -> None:
        if entitlement_id.startswith(SPACE):
            raise NotSupported(
                f"{self.feed.name}: administrators of a space are changed in the space's own settings, Permissions"
            )

    def _regrant_on_site(self, http: Http, account_id: str, entitlement_id: str, *, inside: bool) -> Receipt:
        params, path = {"groupId": entitlement_id}, "rest/api/group/userByGroupId"
        account = {"accountId": checked(account_id)}
        if inside:
            answer = http.send("POST", path, account, params=params, allow=(400, 403, 404, 409))
        else:
            answer = http.send("DELETE", path, None, params={**params, **account}, allow=(400, 403, 404, 409))
        call = f"{'POST' if inside else 'DELETE'} {answer.path} groupId={entitlement_id}"
        if answer.status == 404 and not inside:
            return Receipt(http.deadline.now, call, "404, not a member")
        if answer.status >= 400:
            raise NotSupported(
                f"{call}: {answer.status}: the group cannot be changed with this token; where an identity provider"
                " manages it, it has to be changed there"
            )
        return Receipt(http.deadline.now, call, str(answer.status))


def _account_id(entry: Any) -> str | None:
    return as_text(entry.get("accountId")) if isinstance(entry, dict) else None


def _group_id(entry: Any) -> str | None:
    return as_text(entry.get("id")) if isinstance(entry, dict) else None
