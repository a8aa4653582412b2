"""One pull of GitHub: the accounts that were read, each with what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import compress, islice

from msgspec.structs import replace

from connectors.kit.credentials import opened
from connectors.kit.github_calls import GitHubCalls
from connectors.kit.github_listed import PAGE, Accounts
from connectors.kit.github_organisation import MEMBER, OWNER, OrganisationLists
from connectors.kit.github_people import People, invited
from connectors.kit.holdings import DIRECT
from connectors.kit.http import Http
from connectors.kit.pagination import read_lists
from connectors.kit.quarantine import judge
from connectors.kit.resource import Reader, Resource
from connectors.kit.scim_accounts import AccountReader, keys_of_resources
from connectors.kit.scim_list import ScimLists
from connectors.kit.scim_resource import Dialect
from governance.errors import IncompleteFeed
from governance.records import Account, Grant, Reading, Record, Rejected


class Pull:
    """Puts accounts together and writes down the evidence."""

    def __init__(
        self, application: str, calls: GitHubCalls, lists: OrganisationLists, reading: Reading, now: datetime
    ) -> None:
        self.people = People()
        self._application = application
        self._calls = calls
        self._lists = lists
        self._reading = reading
        self._now = now
        self._reader = Reader(application, now)
        self._accounts = AccountReader(application, Dialect(), now)
        self._managed = Accounts()
        self.guids = self._managed.ids

    def read_managed(self, scim: Http, size: int) -> None:
        """Every account of the enterprise, suspended ones too."""
        lists = ScimLists(scim, size)
        source = scim.address.join("Users")
        place = f"{self._application}: SCIM"
        for numbers, items in read_lists(lists.users(None), keys_of_resources, self._reading, place):
            for number, account_id in zip(numbers, keys_of_resources(items), strict=True):
                if account_id is None:
                    self._reading.rejected.append(Rejected(f"{source}#{number}", "id", "is missing or no text"))
            several = self._accounts.several(items)
            self._managed.add([_of_its_kind(account, self._reader.of(item)) for item, account in several])
        self._calls.digest.update(lists.digest.digest())

    def records(self) -> Iterator[Record]:
        """Everything, once."""
        reading, people = self._reading, self.people
        organisation = people.organisation
        self._enterprise_roles()
        yield from organisation.entitlements.values()
        kept = 0
        for some in self._managed.pages():
            kept += len(some)
            yield from self._whole(some)
        everybody = organisation.everybody()
        while page := list(islice(everybody, PAGE)):
            guids = people.links.guid_of.of([person.login for person in page])
            other = [not there for there in self._managed.hold(guids)]
            page, guids = list(compress(page, other)), list(compress(guids, other))
            logins = [person.login for person in page]
            held = organisation.held(logins)
            accounts = people.plain(self._application, page, guids, organisation.privileged(logins))
            for account, mine, its in zip(accounts, held, people.credentials.of(logins), strict=True):
                kept += 1
                yield from opened(account, its, self._now)
                yield from self._grants(account.account_id, mine)
        for told in organisation.invitations:
            invitation = invited(self._application, told)
            if invitation is None:
                reading.rejected.append(Rejected(f"{reading.source}/invitations", "id", "is missing or no text"))
                continue
            kept += 1
            yield invitation
            role = OWNER[0] if invitation.privileged else MEMBER[0]
            yield Grant(self._application, invitation.account_id, role, "direct")
        reading.kept = kept
        reading.rows_read = kept + len(reading.rejected) + reading.duplicates
        self._reader.note(reading)
        reading.clamped += self._accounts.clamped
        reading.sha256 = self._calls.digest.hexdigest()
        judge(reading, self._application)
        if not kept:
            raise IncompleteFeed(f"{self._application}: there is no account at all; that is not believed")

    def _whole(self, accounts: Sequence[Account]) -> Iterator[Record]:
        """Some managed accounts, each with what opens it and what it holds."""
        people, organisation = self.people, self.people.organisation
        logins = people.links.login_of.of([account.account_id for account in accounts])
        known = [login or "" for login in logins]  # nobody's login is empty
        used, privileged, held = people.last_used(known), organisation.privileged(known), organisation.held(known)
        rows = zip(accounts, logins, used, privileged, held, people.credentials.of(known), strict=True)
        for account, login, seen_at, is_privileged, mine, its in rows:
            whole = people.managed(account, login, seen_at, is_privileged if login else None)
            yield from opened(whole, its, self._now)
            yield from self._grants(account.account_id, mine)

    def _enterprise_roles(self) -> None:
        """Roles in the enterprise, as licences tell them."""
        organisation = self.people.organisation
        for licence in self.people.licences:
            for role in licence.roles:
                if role.casefold() in ("member", ""):
                    continue
                entitlement_id = f"enterprise:{role.casefold()}"
                if entitlement_id not in organisation.entitlements:
                    name = f"Enterprise {role.casefold()}"
                    self._lists.entitle(organisation, entitlement_id, name, "role", "owner" in role.casefold() or None)
                organisation.add(licence.login, entitlement_id, DIRECT)

    def _grants(self, account_id: str, held: Mapping[str, str]) -> Iterator[Grant]:
        for entitlement_id, how in held.items():
            yield Grant(self._application, account_id, entitlement_id, how)


def _of_its_kind(account: Account, told: Resource) -> Account:
    """The same account, a guest where SCIM says so."""
    guest = any(role.text("value") == "guest_collaborator" for role in told.parts("roles"))
    return replace(account, kind="guest") if guest else account
