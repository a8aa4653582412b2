"""SCIM 2.0: the accounts of any application that speaks the standard (RFC 7643, RFC 7644).

Reads      accounts, groups, roles                    scope: read Users and Groups
Changes    an account can sign in or not              scope: write Users, with a token of its own
Last seen  not in the standard: only from an extension of the vendor
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from connectors.kit.addresses import check_base
from connectors.kit.contract import CanDeactivate, CanReactivate, Checked, Circumstances, Field, ReadsColumns
from connectors.kit.fingerprints import Met
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option
from connectors.kit.pagination import read_lists
from connectors.kit.portions import gathered
from connectors.kit.quarantine import judge, named
from connectors.kit.scim_accounts import AccountReader, Resources, keys_of_resources
from connectors.kit.scim_change import ScimSwitch, read_account
from connectors.kit.scim_holdings import Holdings
from connectors.kit.scim_list import Groups, ScimLists
from connectors.kit.scim_resource import Dialect, held_groups, held_roles
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported
from governance.records import Account, Receipt, Rows
from governance.settings import ApplicationSettings, SourceSettings


class Scim(ReadsColumns, CanDeactivate, CanReactivate):
    """Accounts over SCIM, with the manners of servers in the wild."""

    title = "SCIM 2.0"
    kind = "application"
    family = "protocol"
    fields = (
        Field(
            "base_url",
            "The address that /Users stands below, such as https://example.com/scim/v2/.",
            "url",
            required=True,
        ),
        Field("token", "A bearer token that may read.", "secret", required=True),
        Field("write_token", "A bearer token that may write; without it nothing can be changed.", "secret"),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
        Field("page_size", "How many accounts to ask for at once.", "number", default=100),
        Field("filter", "A SCIM filter, where not all accounts are meant."),
        Field(
            "inactive_filter",
            "Where the list hides inactive accounts: the filter that shows them, such as active eq false.",
        ),
        Field(
            "media_type",
            "The media type, for servers that take only application/json.",
            default="application/scim+json",
        ),
        Field("last_seen_attribute", "Where the last sign-in stands.", default=Dialect.last_seen),
        Field("mfa_attribute", "Where it stands whether multi-factor authentication is on.", default=Dialect.mfa),
        Field("absent_active", "What it means when `active` is left out: unknown or active.", default="unknown"),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            "account.attributes",
        }
    )
    scopes = {  # noqa: RUF012 - a declaration
        "pull": ("read Users", "read Groups"),
        "read_one": ("read Users",),
        "deactivate": ("write Users",),
        "reactivate": ("write Users",),
    }

    covers = (
        "active and deactivated accounts: yes (`inactive_filter` where a server hides the second)",
        "guests, bots, service and shared accounts: yes, told apart where the server has a userType",
        "deleted accounts: no (RFC 7644 section 3.6: they are gone)",
        "tokens and invitations: no (the standard has none)",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = feed_table(feed)
        self._address = check_base(self.options["base_url"], where, allow_private=self.options["allow_private"])
        size = self.options["page_size"]
        if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= 1000:
            raise ConfigurationError(f"{where}: page_size: expected a number from 1 to 1000")
        absent = self.options["absent_active"]
        if absent not in ("unknown", "active"):
            raise ConfigurationError(f"{where}: absent_active: expected unknown or active")
        self._dialect = Dialect(
            last_seen=text_option(self.options, "last_seen_attribute", where) or Dialect.last_seen,
            mfa=text_option(self.options, "mfa_attribute", where) or Dialect.mfa,
            absent_active=True if absent == "active" else None,
        )
        self._filters = [text_option(self.options, "filter", where)]
        if inactive := text_option(self.options, "inactive_filter", where):
            self._filters.append(inactive)
        self._media = text_option(self.options, "media_type", where) or "application/scim+json"
        patterns = feed.privileged if isinstance(feed, ApplicationSettings) else ()
        self._patterns = tuple(pattern.casefold() for pattern in patterns)
        if not given.secrets.get("token"):
            raise ConfigurationError(f"{where}: token: is empty")
        self._http = self._session("token")
        self._lists = ScimLists(self._http, size)
        self._writing: Http | None = None
        self._switch: ScimSwitch | None = None

    def check(self) -> Checked:
        """Ask for one account."""
        self._http.begin()
        self._lists.probe()
        return Checked()

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; IncompleteFeed unless all declared accounts came."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join("Users")
        reading.filters = " | ".join(f for f in self._filters if f)
        groups = self._lists.groups(reading, f"{place}: Groups")
        reader = AccountReader(place, self._dialect, self.given.now)
        yield from gathered(self._pages(reader, groups))
        reading.clamped = reader.clamped
        reading.sha256 = self._lists.digest.hexdigest()
        reading.notes += [f"{what} could not be read for {count} accounts" for what, count in reader.unread.items()]
        if not groups.told:
            reading.notes.append("the server does not tell who is in which group")
        judge(reading, place)
        if not reading.kept:
            raise IncompleteFeed(f"{place}: the server lists no account at all; that is not believed")

    def account(self, account_id: str) -> Account | None:
        """The account as it is now, by a read of its own; None when it is gone."""
        self._http.begin()
        found = read_account(self._http, account_id)
        if found is None:
            return None
        resource, _ = found
        in_groups = held_groups(resource)
        held = [*(in_groups or ()), *held_roles(resource)]
        privileged = self._privileged([self._is_privileged(h.name) for h in held], told=in_groups is not None)
        return AccountReader(self.feed.name, self._dialect, self.given.now).account(resource, privileged)

    def deactivate(self, account_id: str) -> Receipt:
        """Switch the account off."""
        return self._writer().set_active(account_id, False)

    def reactivate(self, account_id: str) -> Receipt:
        """Switch the account on."""
        return self._writer().set_active(account_id, True)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()
        if self._writing:
            self._writing.close()

    def _pages(self, reader: AccountReader, groups: Groups) -> Iterator[Rows]:
        """What each page tells, and entitlements as they are met."""
        holdings = Holdings(self.feed.name, groups, self._is_privileged)
        yield holdings.entitlements(holdings.of_groups.values())
        seen = Met()  # over all filters; within one list pagination sees to it
        for expression in self._filters:
            fetch = self._lists.users(expression)
            place = f"{self.feed.name}: Users"
            for numbers, items in read_lists(fetch, keys_of_resources, self.reading, place):
                resources = Resources(items)
                told = resources.texts("id")
                ids = [account_id for account_id in told if account_id is not None]
                if len(ids) < len(told) or len(self._filters) > 1:
                    good = named(numbers, resources.items, told, seen, self.reading)
                    ids, resources = list(good), Resources(list(good.values()))
                self.reading.kept += len(resources)
                yield from self._told(resources, ids, reader, holdings)

    def _told(
        self, resources: Resources, ids: Sequence[str], reader: AccountReader, holdings: Holdings
    ) -> Iterator[Rows]:
        held, told = holdings.of(resources, ids)
        if any(held):
            yield holdings.entitlements(one for several in held for one in several.values())
        names = holdings.names
        pairs = zip(held, told, strict=True)
        privileged = [self._privileged([names[e] for e in several], told=all_told) for several, all_told in pairs]
        yield reader.accounts(resources, ids, privileged)
        if any(held):
            yield holdings.grants(ids, held)

    def _is_privileged(self, name: str) -> bool:
        return any(fnmatchcase(name.casefold(), pattern) for pattern in self._patterns)

    @staticmethod
    def _privileged(held: list[bool], *, told: bool) -> bool | None:
        """One privileged entitlement is enough; to say there is none, all must be known."""
        return True if any(held) else False if told else None

    def _session(self, secret: str) -> Http:
        media = self._media
        accept = media if media == "application/json" else f"{media}, application/json;q=0.9"
        return Http(
            self._address, self.given, self.feed.name, token=self.given.secrets[secret], headers={"Accept": accept}
        )

    def _writer(self) -> ScimSwitch:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._switch is None or self._writing is None:
            self._writing = self._session("write_token")
            self._switch = ScimSwitch(self._http, self._writing, self._media)
        self._http.begin()
        self._writing.begin()
        return self._switch
