"""What the connectors of Atlassian's products share: the site's session, the organisation beside it, and all changes.

Without the organisation a site tells less: neither last use nor MFA, no hidden e-mail address, no suspended account;
and it has no way of its own to switch an account off. Sources: developer.atlassian.com (cloud/jira/platform/rest/v3,
cloud/admin/organization, cloud/admin/user-management).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

from connectors.kit.addresses import check_base
from connectors.kit.atlassian_change import OrganisationChange
from connectors.kit.atlassian_declaration import ORG_ROLE, OVERLAP, PLANS, Administers, is_admin_group
from connectors.kit.atlassian_directory import ADMIN_ROLES, Directory, Heard, both, kinds_of
from connectors.kit.atlassian_events import OrganisationEvents
from connectors.kit.atlassian_lists import SiteLists
from connectors.kit.atlassian_members import NOBODY, Members
from connectors.kit.authorization import Authorization, basic, bearer
from connectors.kit.contract import (
    CanDeactivate,
    CanListCredentials,
    CanReactivate,
    CanRevokeGrant,
    CanSuspend,
    Checked,
    Circumstances,
    ReadsColumns,
    TellsEvents,
)
from connectors.kit.http import Http
from connectors.kit.numbered import Ids
from connectors.kit.options import feed_table, text_option
from connectors.kit.privilege import Privilege
from connectors.kit.resource import Reader
from governance.errors import AuthenticationFailed, ConfigurationError, NotSupported
from governance.records import Account, Credential, Entitlement, Event, Reading, Receipt, Rows
from governance.settings import ApplicationSettings, SourceSettings

# What only the organisation tells.
_OF_MEMBERS: Final = ("last_seen_at", "last_seen_known", "created_at", "mfa", "department", "title")


class Atlassian(
    ReadsColumns, TellsEvents, CanDeactivate, CanReactivate, CanSuspend, CanRevokeGrant, CanListCredentials
):
    """One product on one site."""

    kind = "application"
    product: ClassVar[str]  # how the product's key in the organisation begins
    page_size: ClassVar[int]  # the most the site gives at once
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            "account.attributes",
        }
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where, options = feed_table(feed), self.options
        private = options["allow_private"]
        self._address = check_base(options["base_url"], where, allow_private=private)
        self._size = _size(options["page_size"], self.page_size, where)
        self._email = text_option(options, "email", where)
        self._write_email = text_option(options, "write_email", where)
        self.privilege = Privilege(feed)
        org_id = text_option(options, "org_id", where)
        if not given.secrets.get("token"):
            raise ConfigurationError(f"{where}: token: is empty")
        if bool(org_id) != ("org_token" in feed.options):
            raise ConfigurationError(f"{where}: org_id and org_token: both are needed, or neither")
        if "write_token" in feed.options and not (org_id or self._write_email):
            raise ConfigurationError(
                f"{where}: write_token: needs org_id, or write_email where it is an API token of the site"
            )
        self._site = self._session("token", self._email)
        self._org_address = check_base(options["org_url"], f"{where}: org_url", allow_private=private)
        self.directory: Directory | None = None
        if org_id:
            http = Http(self._org_address, given, feed.name, token=given.secrets.get("org_token"))
            directory_id = text_option(options, "directory_id", where) or "-"
            site_id = text_option(options, "site_id", where)
            self.directory = Directory(http, org_id, directory_id, self.product, site_id, feed.name)
        self._writing: Http | None = None
        self._known = Members()  # accounts of the organisation, as they were read last

    def check(self) -> Checked:
        """Prove both credentials; say what they lack and what they should not have."""
        self._begin()
        notes, missing, excess = self._check_site()
        directory = self.directory
        if directory is None:
            notes.append(PLANS[0])
            return Checked(tuple(notes), tuple(missing), tuple(excess))
        try:
            member = directory.anybody()
        except AuthenticationFailed as error:
            raise AuthenticationFailed(f"{error} (organisation API key: read:directories:admin)") from None
        told = Reading()
        directory.admin_groups(told, SiteLists(directory.http, self.feed.name))
        if told.notes:
            missing.append("pull: read:groups:admin, without which administrators are told by names of groups alone")
        if not OrganisationEvents(directory, self.feed.name).open():
            missing.append("events: read:events:admin, and Atlassian Guard for the whole audit log")
        if member is not None and OrganisationChange(directory, directory.http, self.feed.name).manages(member):
            excess.append("org_token: was created without scopes and may change every managed account")
        return Checked(tuple(notes), tuple(missing), tuple(excess))

    def deactivate(self, account_id: str) -> Receipt:
        """Switch off: everywhere where the account is managed, else in this organisation."""
        return self._change().deactivate(account_id, self._reader())

    def suspend(self, account_id: str) -> Receipt:
        """Take access to the organisation's products away; what the account holds stays."""
        return self._change().suspend(account_id, self._reader())

    def reactivate(self, account_id: str) -> Receipt:
        """Let the account in again."""
        return self._change().reactivate(account_id, self._reader())

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take the account out of a group or role."""
        return self._regrant(account_id, entitlement_id, inside=False)

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Put the account back into a group or role."""
        return self._regrant(account_id, entitlement_id, inside=True)

    def credentials(self, account_id: str) -> list[Credential]:
        """The API tokens of a managed account."""
        return self._change().tokens(account_id, self.feed.name, self._reader())

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Delete an API token."""
        return self._change().drop_token(account_id, credential_id)

    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """The organisation's audit log; the site's own where there is no organisation or its log is not open."""
        self._begin()
        reader = self._reader()
        source, _, place = (mark or "").partition(":")
        organisation = OrganisationEvents(self.directory, self.feed.name) if self.directory else None
        self.mark = mark
        for member in self._known:
            at, account_id = member.created_at, member.account_id
            if member.synced and at and at >= since:  # made by an identity provider
                yield Event(self.feed.name, f"synced-{account_id}", at, "provisioned", account_id, None, True)
        if organisation and (source == "org" or organisation.open()):
            yield from organisation.read(since, place if source == "org" else None, reader)
            self.mark = f"org:{organisation.mark}" if organisation.mark else None
        else:
            if organisation:
                self.reading.notes.append(
                    "the organisation's audit log is not open to this key and plan; the site's own is read, which"
                    " tells no sign-ins"
                )
            began = self.given.now - OVERLAP
            yield from self._audit(datetime.fromisoformat(place) if source == "audit" else since, reader)
            self.mark = f"audit:{began.isoformat()}"
        reader.note(self.reading)

    def close(self) -> None:
        """Let go of connections."""
        for http in (self._site, self.directory.http if self.directory else None, self._writing):
            if http is not None:
                http.close()

    def _members(self, reader: Reader, lists: SiteLists, ids: Ids, heard: Heard | None = None) -> Members:
        """Every account of the organisation, where one is configured; they get numbers among these ids.

        `heard` is told some at a time of all of them, as they come.
        """
        directory = self.directory
        self._known = directory.members(reader, self.reading, lists, ids, heard) if directory else Members(ids)
        return self._known

    def _administers(self, lists: SiteLists) -> Administers:
        """Whether a group administers anything: by its role in the organisation, or by the name it has."""
        found = self.directory.admin_groups(self.reading, lists) if self.directory else set()
        return lambda group_id, name: self.privilege.of(name, group_id in found or is_admin_group(name))

    @abstractmethod
    def _check_site(self) -> tuple[list[str], list[str], list[str]]:
        """Notes, missing and excess rights of the site's token."""

    @abstractmethod
    def _audit(self, since: datetime, reader: Reader) -> Iterator[Event]:
        """What the site's own audit log tells since then."""

    @abstractmethod
    def _regrant_on_site(self, http: Http, account_id: str, entitlement_id: str, *, inside: bool) -> Receipt:
        """Change a group or role with a token of the site."""

    def _completed(
        self,
        ids: Sequence[str],
        members: Members,
        *,
        email: Sequence[str | None],
        name: Sequence[str | None],
        kind: Sequence[str | None],
        active: Sequence[bool | None],
        listed: Sequence[bool],
        privileged: Sequence[bool | None],
    ) -> Rows:
        """What the site says of these accounts, completed by what the organisation says of those it knows.

        `listed`: whether the site lists them. Only then does its word count beside the organisation's.
        """
        columns: dict[str, Sequence[Any]] = {"application": [self.feed.name] * len(ids), "account_id": ids}
        if members:
            told = members.of(ids)
            email = [one or member.email for one, member in zip(email, told, strict=True)]
            name = [one or member.name for one, member in zip(name, told, strict=True)]
            kind = [one or member.kind for one, member in zip(kind, told, strict=True)]
            words = zip(active, listed, told, strict=True)
            active = [
                word if member is NOBODY else both(word, member.active) if counts else member.active
                for word, counts, member in words
            ]
            columns |= {field: [getattr(member, field) for member in told] for field in _OF_MEMBERS}
        columns |= {"username": email, "email": email, "display_name": name, "active": active}
        columns |= {"kind": kinds_of(kind, email), "privileged": privileged}
        return Rows(Account, columns)

    def _refuse_grant(self, entitlement_id: str) -> None:
        """Raise NotSupported for what can only be had through something else."""

    def _regrant(self, account_id: str, entitlement_id: str, *, inside: bool) -> Receipt:
        self._refuse_grant(entitlement_id)
        if self._write_email:
            if entitlement_id.startswith(ORG_ROLE):
                raise NotSupported(f"{self.feed.name}: roles of the organisation need an organisation API key")
            return self._regrant_on_site(self._write_session(), account_id, entitlement_id, inside=inside)
        change = self._change()
        if entitlement_id.startswith(ORG_ROLE):
            return change.appoint(account_id, entitlement_id.removeprefix(ORG_ROLE), inside)
        return change.join(account_id, entitlement_id, inside)

    def _org_role(self, role: str) -> Entitlement:
        privileged = self.privilege.of(role, role in ADMIN_ROLES)
        return Entitlement(self.feed.name, f"{ORG_ROLE}{role}", role, "role", privileged)

    def _change(self) -> OrganisationChange:
        writing = self._write_session()
        if self.directory is None or self._write_email:
            raise NotSupported(
                f"{self.feed.name}: a site cannot do this itself. It needs org_id, org_token and as write_token an"
                " organisation API key created without scopes; or an organisation admin does it by hand in Atlassian"
                " Administration, Directory, Users"
            )
        return OrganisationChange(self.directory, writing, self.feed.name)

    def _write_session(self) -> Http:
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._writing is None:
            of_site = self._write_email is not None
            self._writing = self._session("write_token", self._write_email, organisation=not of_site)
        self._begin()
        self._writing.begin()
        return self._writing

    def _session(self, secret: str, email: str | None, *, organisation: bool = False) -> Http:
        token, place = self.given.secrets[secret], self.feed.name
        auth: Authorization = basic(email, token, place) if email else bearer(token, place)
        address = self._org_address if organisation else self._address
        return Http(address, self.given, place, auth=auth, headers={"Accept": "application/json"})

    def _begin(self) -> None:
        self._site.begin()
        if self.directory is not None:
            self.directory.http.begin()

    def _reader(self) -> Reader:
        return Reader(self.feed.name, self.given.now)


def _size(value: Any, most: int, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ConfigurationError(f"{where}: page_size: expected a number from 1 to {most}")
    return value
