"""What an enterprise of GitHub tells beside its organisations: managed accounts over SCIM, who is who, licences.

Confirmed in docs.github.com/graphql (and in the provider of Terraform, which reads the same): `externalIdentities` with
`guid`, which is the id of SCIM, and the login it belongs to. Confirmed in docs.github.com/rest: SCIM of an enterprise
only for managed users; `active: false` suspends and hides the login; credential authorisations only with SAML.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from connectors.kit.filed import Filed
from connectors.kit.github_calls import REFUSED, GitHubCalls, several
from connectors.kit.github_listed import Guids, Texts
from connectors.kit.numbered import Ids
from connectors.kit.pagination import Page, read_lists
from connectors.kit.resource import Reader, Resource
from governance.errors import NotSupported
from governance.records import Credential, Reading

_IDENTITIES: Final = (
    "externalIdentities(first:100,after:$after){pageInfo{hasNextPage endCursor}"
    "nodes{guid samlIdentity{nameId} scimIdentity{username} user{login}}}"
)
OF_ORGANISATION: Final = (
    "query($name:String!,$after:String){organization(login:$name){samlIdentityProvider{" + _IDENTITIES + "}}}"
)
OF_ENTERPRISE: Final = (
    "query($name:String!,$after:String){enterprise(slug:$name){ownerInfo{PROVIDER{" + _IDENTITIES + "}}}}"
)
_KINDS: Final = (("ssh", "ssh_key"), ("oauth", "oauth_grant"), ("github app", "oauth_grant"))


@dataclass
class Links:
    """Which login belongs to which identity of the identity provider."""

    ids: Ids = field(default_factory=Ids)  # logins
    guids: Ids = field(default_factory=Guids)

    def __post_init__(self) -> None:
        self.login_of = Texts(self.guids)  # guid -> login; only of managed accounts
        self.guid_of = Texts(self.ids)  # login -> guid
        self.name_of = Texts(self.ids)  # login -> what the identity provider calls them

    def take(self, rows: list[tuple[str, str, str | None]]) -> None:
        """Take in some logins, each with its guid and what it is called."""
        self.guid_of.tell({login: guid for login, guid, _ in rows})
        self.name_of.tell({login: called for login, _, called in rows if called})


def read_links(calls: GitHubCalls, name: str, guids: Ids | None = None, *, enterprise: bool) -> Links:
    """Every link; none where there is no identity provider. `guids`: those that have numbers already."""
    found = Links(guids=Guids() if guids is None else guids)
    if not enterprise:
        for rows in _identities(calls, OF_ORGANISATION, name, ("organization", "samlIdentityProvider")):
            found.take(rows)
        return found
    for provider in ("samlIdentityProvider", "oidcProvider"):
        query = OF_ENTERPRISE.replace("PROVIDER", provider)
        for rows in _identities(calls, query, name, ("enterprise", "ownerInfo", provider)):
            found.take(rows)
            found.login_of.tell({guid: login for login, guid, _ in rows})
        if found.login_of:
            break
    return found


def _identities(
    calls: GitHubCalls, query: str, name: str, path: tuple[str, ...]
) -> Iterator[list[tuple[str, str, str | None]]]:
    """Page by page the logins, each with its guid and what the identity provider calls it."""
    reader = Reader(name, calls.http.deadline.now)

    def fetch(after: str | None) -> Page:
        told = reader.of(calls.ask(query, {"name": name, "after": after}))
        connection = told.part(".".join((*path, "externalIdentities")))
        following = connection.text("pageInfo.endCursor") if connection.flag("pageInfo.hasNextPage") else None
        return Page(connection.several("nodes"), following)

    for _, items in read_lists(fetch, _guids, Reading(), f"{name}: identities", counted=False):
        rows = []
        for node in map(reader.of, items):
            login, guid = node.text("user.login"), node.text("guid")
            if login is not None and guid is not None:  # else nobody has signed in with the identity yet
                rows.append((login, guid, node.text("samlIdentity.nameId") or node.text("scimIdentity.username")))
        yield rows


class Licence(NamedTuple):
    """What the enterprise tells of somebody who uses a licence, as far as it counts here."""

    login: str
    called: str | None = None  # by the identity provider
    name: str | None = None
    address: str | None = None  # of a domain that is proved to be the enterprise's
    two_factor: bool | None = None
    roles: tuple[str, ...] = ()  # in the enterprise


UNLICENSED: Final = Licence("")


def licences(logins: Ids | None = None) -> Filed[Licence]:
    """An empty list of them, by login; some logins may have numbers already."""
    return Filed(Licence, UNLICENSED, logins)


def read_licences(
    calls: GitHubCalls, enterprise: str, application: str, reading: Reading, logins: Ids
) -> Filed[Licence]:
    """Who uses a licence: addresses, two-factor authentication, roles in the enterprise."""
    path = f"enterprises/{quote(enterprise, safe='')}/consumed-licenses"
    pages = calls.lists(path, reading, inside="users", key=_licensed, allow=REFUSED)
    if pages is None:
        reading.notes.append("licences of the enterprise are not told: the token lacks read:enterprise")
    found = licences(logins)
    reader = Reader(application, calls.http.deadline.now)
    for page in pages or ():
        people = map(reader.of, several(page))
        rows = [_licence(person, login) for person in people if (login := person.text("github_com_login"))]
        found.add([row.login for row in rows], rows)
    return found


def _licence(person: Resource, login: str) -> Licence:
    addresses = (one for one in person.several("github_com_verified_domain_emails") if isinstance(one, str) and one)
    return Licence(
        login,
        person.text("github_com_saml_name_id"),
        person.text("github_com_name"),
        next(addresses, None),
        person.flag("github_com_two_factor_auth"),
        tuple(one for one in person.several("github_com_enterprise_roles") if isinstance(one, str)),
    )


class Opened:
    """What everybody opened, by login."""

    def __init__(self, logins: Ids | None = None) -> None:
        """`logins`: those that have numbers already."""
        self._told: Filed[list[Credential]] = Filed(list[Credential], [], logins)
        self._more: dict[str, list[list[Credential]]] = {}  # of the few that came on several pages

    def add(self, told: Mapping[str, list[Credential]]) -> None:
        """Take in a page."""
        fresh = {}
        for login, its in told.items():
            if login in self._told:
                self._more.setdefault(login, []).append(its)
            else:
                fresh[login] = its
        self._told.add(list(fresh), list(fresh.values()))

    def of(self, logins: Sequence[str]) -> list[list[Credential]]:
        """What each of them opened."""
        pairs = zip(logins, self._told.of(logins), strict=True)
        return [[*first, *chain.from_iterable(self._more.get(login, ()))] for login, first in pairs]


class Credentials:
    """Tokens and keys that members opened for the organisation. Only with SAML single sign-on."""

    def __init__(self, calls: GitHubCalls, organisation_path: str, application: str) -> None:
        self._calls = calls
        self._path = f"{organisation_path}/credential-authorizations"
        self._application = application

    def all(self, reading: Reading, logins: Ids) -> Opened:
        """Everybody's, by login; the accounts in them are logins, too. None of them are told of nobody."""
        pages = self._calls.lists(self._path, reading, key=_credential, allow=REFUSED)
        if pages is None:
            reading.notes.append(
                "last use of tokens and keys is not told, nor how many there are: that needs Enterprise Cloud with SAML"
                " single sign-on, and an owner's token"
            )
            return Opened()
        reading.notes.append("last use is that of tokens and keys; who has none of them is unknown by these")
        found = Opened(logins)
        reader = Reader(self._application, self._calls.http.deadline.now)
        for page in pages:
            its: dict[str, list[Credential]] = {}
            for one in map(reader.of, several(page)):
                login = one.text("login")
                if login is not None and one.text("credential_id"):
                    its.setdefault(login, []).append(self._read(one, login))
            found.add(its)
        reader.note(reading)
        return found

    def of(self, login: str, account_id: str) -> list[Credential]:
        """One member's credentials."""
        listed = self._calls.listed(self._path, Reading(), {"login": login}, key=_credential, allow=REFUSED)
        if listed is None:
            raise NotSupported(
                f"{self._application}: GitHub lists tokens and keys only on Enterprise Cloud with SAML single sign-on,"
                " to owners; the member can see them under Settings > Developer settings"
            )
        reader = Reader(self._application, self._calls.http.deadline.now)
        return [
            self._read(told, account_id)
            for told in (reader.of(item) for item in several(listed))
            if told.text("login") == login and told.text("credential_id")
        ]

    def _read(self, told: Resource, account_id: str) -> Credential:
        return Credential(
            application=self._application,
            account_id=account_id,
            credential_id=told.text("credential_id") or "",
            kind=_kind(told.text("credential_type") or ""),
            name=told.text("authorized_credential_note") or told.text("authorized_credential_title"),
            created_at=told.instant("credential_authorized_at"),
            last_used_at=told.instant("credential_accessed_at"),
            expires_at=told.instant("authorized_credential_expires_at", clamped=False),
        )


def _kind(told: str) -> str:
    return next((kind for word, kind in _KINDS if word in told.casefold()), "token")


def _licensed(item: Any) -> str | None:
    value = item.get("github_com_login") if isinstance(item, dict) else None
    return value if isinstance(value, str) and value else None


def _credential(item: Any) -> str | None:
    value = item.get("credential_id") if isinstance(item, dict) else None
    return str(value) if isinstance(value, str | int) else None


def _guids(items: list[Any]) -> list[str | None]:
    told = [item.get("guid") if isinstance(item, dict) else None for item in items]
    return [value if isinstance(value, str) and value else None for value in told]
