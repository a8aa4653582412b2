"""Jira Cloud: the accounts of one site, with what its organisation knows of them.

Reads      accounts, groups, application roles, project roles     scope: Browse users and groups, Administer Jira
Last seen  and MFA, hidden e-mails, suspended accounts            organisation API: read:directories:admin
Changes    deactivate, suspend, reactivate, groups, API tokens    organisation API key created without scopes

Confirmed in the vendor's reference: `users/search` is a plain array with inactive accounts, customers and apps in it;
`group/member` hides inactive ones unless asked; the site has no way to switch an account off, and DELETE /user cannot
be undone, so it is never used. Not confirmed, and guarded against: that a page of the plain array may be short
(kit/atlassian_lists), that suspended accounts are missing from it (they come from the directory).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from connectors.kit.atlassian import Atlassian
from connectors.kit.atlassian_declaration import ORG_ROLE, PLANS, SCOPES, SITE_FIELDS
from connectors.kit.atlassian_directory import KINDS, checked, kinds_of
from connectors.kit.atlassian_lists import SiteLists, account_ids
from connectors.kit.atlassian_members import Members
from connectors.kit.columns import Objects
from connectors.kit.contract import Field, TellsMapping
from connectors.kit.filed import AT_ONCE
from connectors.kit.fingerprints import Met
from connectors.kit.granted import grants_by_way
from connectors.kit.holdings import DIRECT
from connectors.kit.http import Http
from connectors.kit.jira_changes import JiraChange
from connectors.kit.jira_events import jira_events
from connectors.kit.jira_mapping import default_groups
from connectors.kit.jira_site import PROJECT, ROLE, Held, JiraGrants
from connectors.kit.numbered import Ids
from connectors.kit.pagination import read_lists
from connectors.kit.portions import gathered
from connectors.kit.privilege import holds_privilege
from connectors.kit.quarantine import judge, named
from connectors.kit.resource import Reader, as_text
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Account, Configured, Entitlement, Event, Receipt, Rows, rows_of
from governance.settings import ApplicationSettings

LOOKED_UP_MOST = 50  # accounts that are in a group and in no list: a few are read one by one, many are a lost page


class Jira(Atlassian, TellsMapping):
    """Accounts, groups and roles of a Jira Cloud site."""

    title = "Jira Cloud"
    product = "jira"
    page_size = 1000
    fields = (
        Field("base_url", "The site, such as https://example.atlassian.net/.", "url", required=True),
        *SITE_FIELDS,
        Field("customers", "Whether portal-only customers are accounts too.", "flag", default=False),
        Field(
            "project_roles",
            "Whether the roles of every project are read: two calls and more each.",
            "flag",
            default=False,
        ),
        Field("page_size", "How many accounts to ask for at once.", "number", default=1000),
    )
    scopes = {  # noqa: RUF012 - a declaration
        **SCOPES,
        "pull": ("Browse users and groups", "Administer Jira", *SCOPES["pull"]),
        "mapping": ("Administer Jira",),
    }
    plans = PLANS
    covers = (
        "people and service accounts, active and inactive: yes",
        "apps (add-ons): yes, as bots",
        "portal-only customers: only with customers = true",
        "suspended accounts: yes, with the organisation API; the site hides them",
        "closed accounts: yes, while the site lists them",
        "API tokens: of managed accounts, with an organisation API key without scopes",
    )  # fmt: skip

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once."""
        self._begin()
        reading, place, reader = self.reading, self.feed.name, self._reader()
        reading.source = self._address.join("rest/api/3/users/search")
        lists = SiteLists(self._site, place)
        ids = Ids()
        members = self._members(reader, lists, ids)
        held = JiraGrants(lists, self.privilege, self._administers(lists), place).read(
            reading, reader, ids, projects=self.options["project_roles"] is True
        )
        for member in members:
            for role in member.roles:
                held.entitlements.setdefault(f"{ORG_ROLE}{role}", self._org_role(role))
        seen = Met()
        left_out = Met()
        yield from gathered(self._everybody(lists, reader, members, held, seen, left_out))
        reading.rows_read -= len(left_out)
        if left_out:
            reading.notes.append(f"{len(left_out)} portal-only customers were left out (customers = true reads them)")
        reading.kept = len(seen) - len(left_out)
        reading.sha256 = lists.digest.hexdigest()
        reader.note(reading)
        judge(reading, place)

    def account(self, account_id: str) -> Account | None:
        """The account as it is now, by reads of its own; None when it is gone."""
        self._begin()
        reader = self._reader()
        params = {"accountId": checked(account_id)}
        answer = self._site.get("rest/api/3/user", params, allow=(404,))
        member = self.directory.member(account_id, reader) if self.directory else None
        if answer.status == 404 and (member is None or not (member.uses or member.groups)):
            return None
        if answer.status == 200 and _account_id(answer.data) != account_id:
            raise UnexpectedAnswer(
                f"{answer.path}: the answer is not about the account that was asked for", answer.path
            )
        groups = self._site.get("rest/api/3/user/groups", params, allow=(403, 404))
        told_of_groups = groups.status == 200 or answer.status == 404
        administers = self._administers(SiteLists(self._site, self.feed.name))
        rows = [reader.of(entry) for entry in groups.data] if isinstance(groups.data, list) else []
        privileges = [administers(row.text("groupId") or "", row.text("name") or "") for row in rows]
        privileges += [self._org_role(role).privileged for role in (member.roles if member else ())]
        told = Objects([answer.data if answer.status == 200 else {}], reader)
        known = Members()
        known.take([] if member is None else [member])
        accounts = self._accounts(told, [account_id], known, [holds_privilege(privileges, told=told_of_groups)])
        return next(account for account in accounts.records() if isinstance(account, Account))

    def configured(self, application: ApplicationSettings) -> Configured:
        """The groups that everybody new is put into, for each product that is given without being asked for."""
        if application.name != self.feed.name:
            raise ConfigurationError(f"{self.feed.name}: tells only what it gives itself, not {application.name}")
        self._begin()
        return default_groups(SiteLists(self._site, self.feed.name), self._reader())

    def _check_site(self) -> tuple[list[str], list[str], list[str]]:
        answer = self._site.get("rest/api/3/myself", {"expand": "groups"})
        row = self._reader().of(answer.data)
        notes = [f"the token acts as {row.text('displayName')} ({row.text('accountId')})"]
        missing, excess = [], []
        for path, params, right in (
            ("rest/api/3/users/search", {"maxResults": "1"}, "pull: Browse users and groups"),
            ("rest/api/3/applicationrole", {}, "pull: Administer Jira (who is in which group, the audit log)"),
        ):
            if self._site.get(path, params, allow=(403,)).status == 403:
                missing.append(right)
        names = [g.text("name") or "" for g in row.parts("groups.items")]
        if any(name.casefold() in ("site-admins", "org-admins") for name in names):
            excess.append("token: belongs to an admin of the site or organisation; Administer Jira is enough to read")
        if missing and missing[0].startswith("pull: Browse"):
            raise AuthenticationFailed(
                f"{self.feed.name}: the token's owner lacks the permission Browse users and groups"
            )
        return notes, missing, excess

    def _everybody(
        self,
        lists: SiteLists,
        reader: Reader,
        members: Members,
        held: Held,
        seen: Met,
        left_out: Met,
    ) -> Iterator[Rows]:
        """Accounts by the list, each once in `seen`, and those it lacks, with what they hold; without customers."""
        yield rows_of(Entitlement, list(held.entitlements.values()))
        reading, place = self.reading, self.feed.name
        fetch = lists.bare("rest/api/3/users/search", self._size)
        for numbers, entries in read_lists(fetch, account_ids, reading, place):
            good = named(numbers, entries, account_ids(entries), seen, reading, "accountId")
            customers = {account_id for account_id, entry in good.items() if self._is_customer(entry)}
            left_out.places(list(customers))
            good = {account_id: entry for account_id, entry in good.items() if account_id not in customers}
            yield from self._with_grants(good, reader, members, held)
        if not seen:
            raise IncompleteFeed(f"{place}: the site lists no account at all; that is not believed")
        others = self._unlisted(seen, members, held)
        while unlisted := dict(islice(others, AT_ONCE)):
            reading.rows_read += len(unlisted)
            seen.places(list(unlisted))
            yield from self._with_grants(unlisted, reader, members, held)

    def _is_customer(self, entry: Any) -> bool:
        return not self.options["customers"] and isinstance(entry, dict) and entry.get("accountType") == "customer"

    def _unlisted(self, seen: Met, members: Members, held: Held) -> Iterator[tuple[str, Any]]:
        """Accounts the list lacks: suspended ones the organisation knows, and strays that are in a group."""
        gates = set(held.licences) or set(held.groups)
        for member in members:
            account_id = member.account_id
            if account_id in seen or (member.kind == "guest" and not self.options["customers"]):
                continue
            if member.uses or gates.intersection(member.groups):
                for group_id in member.groups:  # in their order: the same answer is the same snapshot
                    if group_id in held.groups and group_id not in held.held([account_id])[0]:
                        held.through_group([account_id], group_id)
                yield account_id, {}
        strays = [account_id for account_id in held.holders() if account_id not in seen and account_id not in members]
        if len(strays) > LOOKED_UP_MOST:
            raise IncompleteFeed(
                f"{self.feed.name}: {len(strays)} members of groups are missing from the list of accounts;"
                " nothing is derived from that"
            )
        for account_id in strays:
            answer = self._site.get("rest/api/3/user", {"accountId": checked(account_id)}, allow=(404,))
            if answer.status == 200 and not self._is_customer(answer.data):
                yield account_id, answer.data

    def _with_grants(self, entries: Mapping[str, Any], reader: Reader, members: Members, held: Held) -> Iterator[Rows]:
        """The accounts of these ids and what they hold."""
        ids, entitlements = list(entries), held.entitlements
        roles = [member.roles for member in members.of(ids)]
        own = [{f"{ORG_ROLE}{role}": DIRECT for role in several} for several in roles]
        grants = [{**here, **more} if more else here for here, more in zip(held.held(ids), own, strict=True)]
        privileged = [holds_privilege([entitlements[e].privileged for e in here], told=held.told) for here in grants]
        yield self._accounts(Objects(entries.values(), reader), ids, members, privileged)
        yield grants_by_way(self.feed.name, ids, grants)

    def _accounts(self, told: Objects, ids: Sequence[str], members: Members, privileged: Sequence[bool | None]) -> Rows:
        """What the site says of these accounts, completed by what the organisation says."""
        email = told.texts("emailAddress")
        return self._completed(
            ids,
            members,
            email=email,
            name=told.texts("displayName"),
            kind=kinds_of(told.one_of("accountType", KINDS), email),
            active=told.flags("active"),
            listed=told.tells("accountId"),
            privileged=privileged,
        )

    def _audit(self, since: datetime, reader: Reader) -> Iterator[Event]:
        yield from jira_events(SiteLists(self._site, self.feed.name), since, reader, self.reading, self.feed.name)

    def _refuse_grant(self, entitlement_id: str) -> None:
        if entitlement_id.startswith(ROLE):
            raise NotSupported(
                f"{self.feed.name}: a licence is held through groups; take the account out of the groups that give it"
            )
        if entitlement_id.startswith(PROJECT) and not self._write_email:
            raise NotSupported(f"{self.feed.name}: roles of projects need an API token of the site (write_email)")

    def _regrant_on_site(self, http: Http, account_id: str, entitlement_id: str, *, inside: bool) -> Receipt:
        change = JiraChange(self._site, http)
        if entitlement_id.startswith(PROJECT):
            return change.project_role(account_id, entitlement_id.removeprefix(PROJECT), inside=inside)
        return change.group(account_id, entitlement_id, inside=inside)


def _account_id(entry: Any) -> str | None:
    return as_text(entry.get("accountId")) if isinstance(entry, dict) else None
