"""The directory of an Atlassian organisation: whether an account works, when it was last used, whether it has MFA.

Read by POST /admin/v2/orgs/{org}/directories/{directory}/users/search (developer.atlassian.com, cloud/admin), whose GET
form ends on 30 June 2027. Confirmed in the vendor's reference and in jira.js (src/admin): `status` is made of
`accountStatus` (active, inactive by an admin, closed for good) and `membershipStatus` (active, suspended,
no_membership); the directory `-` means all; MFA is told of managed accounts only; "active" is a page looked at for two
seconds, told up to 24 hours late, and no entry means never. The date is called `lastActive` in one source and
`lastActiveTimestamp` in another: both are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.atlassian_lists import SiteLists, cursor_of
from connectors.kit.atlassian_members import AT_ONCE, Member, Members
from connectors.kit.http import Http
from connectors.kit.numbered import Ids
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader, Resource, as_text
from governance.errors import IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Reading

PAGE: Final = 100  # the most there is
KINDS: Final = {"atlassian": "human", "app": "bot", "customer": "guest", "unknown": None}
SERVICE_DOMAIN: Final = "@serviceaccount.atlassian.com"  # of accounts made as service accounts
ADMIN_ROLES: Final = frozenset(
    {"atlassian/org-admin", "atlassian/site-admin", "atlassian/user-access-admin", "atlassian/admin"}
)
_ID: Final = re.compile(r"[A-Za-z0-9_|:-]{1,128}")
_ACCOUNT: Final = {"active": True, "inactive": False, "closed": False}
# Whoever is in no directory is not kept out by one: a site that lists such an account knows better.
_MEMBERSHIP: Final = {"active": True, "suspended": False, "no_membership": True}


class Directory:
    """The accounts of one organisation, seen from one product."""

    def __init__(
        self, http: Http, org_id: str, directory_id: str, product: str, site_id: str | None, place: str
    ) -> None:
        self.http = http
        self.org_id = org_id
        self.directory_id = directory_id
        self.place = f"{place}: organisation"
        self._product = product
        self._site_id = site_id

    def path(self, *steps: str, version: int = 2) -> str:
        """A path below the organisation; ids are quoted."""
        return "/".join((f"admin/v{version}/orgs", *(quote(step, safe="") for step in (self.org_id, *steps))))

    def members(self, reader: Reader, reading: Reading, lists: SiteLists, ids: Ids) -> Members:
        """Every account of the organisation by its id, with numbers among these ids."""
        found = Members(ids)
        nameless = 0
        waiting: list[Member] = []
        for _, entry in read_pages(self._fetch(lists), _entry_id, reading, self.place, counted=False):
            account_id = _entry_id(entry)
            if account_id is None:
                nameless += 1
            else:
                waiting.append(self._member(reader.of(entry), account_id))
            if len(waiting) == AT_ONCE:
                found.add(waiting)
                waiting = []
        found.add(waiting)
        if nameless:
            reading.notes.append(f"the organisation lists {nameless} entries without an id; they were left out")
        return found

    def member(self, account_id: str, reader: Reader) -> Member | None:
        """One account as it is now; None when the organisation does not have it."""
        answer = self.http.ask(self._search, {**_EXPAND, "limit": 1, "accountIds": [checked(account_id)]})
        for entry in _data(answer.data, answer.path):
            if _entry_id(entry) == account_id:
                return self._member(reader.of(entry), account_id)
        return None

    def anybody(self) -> str | None:
        """The id of any managed account: the cheapest proof that the key may read."""
        answer = self.http.ask(self._search, {"limit": 1, "claimStatus": "managed"})
        return next(filter(None, map(_entry_id, _data(answer.data, answer.path))), None)

    def admin_groups(self, reading: Reading, lists: SiteLists) -> set[str]:
        """The groups that administer a product, a site or the organisation; none where the key may not see groups."""
        path = self.path("directories", self.directory_id, "groups", "search")

        def fetch(cursor: str | None) -> Page:
            body = {"limit": PAGE, "roleIds": sorted(ADMIN_ROLES), **({"cursor": cursor} if cursor else {})}
            answer = lists.heard(self.http.ask(path, body, allow=(403,)))
            if answer.status == 403:
                reading.notes.append("which groups administer is told by their names alone: it needs read:groups:admin")
                return Page([])
            return Page(_data(answer.data, answer.path), _following(answer.data))

        found = read_pages(fetch, _group_id, reading, f"{self.place}: groups", counted=False)
        return {group_id for _, entry in found if (group_id := _group_id(entry))}

    def directories(self, account_id: str) -> list[str]:
        """The directories the account is in."""
        if self.directory_id != "-":
            return [self.directory_id]
        answer = self.http.get(self.path("directories"), {"accountId": checked(account_id)})
        ids = (
            as_text(e.get("directoryId")) if isinstance(e, Mapping) else None for e in _data(answer.data, answer.path)
        )
        return [found for found in ids if found]

    @property
    def _search(self) -> str:
        return self.path("directories", self.directory_id, "users", "search")

    def _fetch(self, lists: SiteLists) -> Any:
        def fetch(cursor: str | None) -> Page:
            body = {**_EXPAND, "limit": PAGE, **({"cursor": cursor} if cursor else {})}
            answer = lists.heard(self.http.ask(self._search, body))
            entries = _data(answer.data, answer.path)
            following = _following(answer.data)
            if following and not entries:  # the vendor tells no total, but fills its pages
                raise IncompleteFeed(
                    f"{self.place}: a page in the middle of the list is empty; nothing is derived from that"
                )
            return Page(entries, following)

        return fetch

    def _member(self, row: Resource, account_id: str) -> Member:
        email = row.text("email")
        account = row.one_of("accountStatus", _ACCOUNT)
        membership = row.one_of("membershipStatus", _MEMBERSHIP)
        managed = row.one_of("claimStatus", {"managed": True, "unmanaged": False})
        seen_at, known, uses = self._last_use(row)
        return Member(
            account_id=account_id,
            kind=kind_of(row.one_of("accountType", KINDS), email),
            active=both(account, membership),
            account_status=(row.text("accountStatus") or "").casefold() or None,
            suspended=membership is False and row.text("membershipStatus") == "suspended",
            managed=managed,
            synced=row.text("managementSource") == "synced",
            email=email,
            name=row.text("name"),
            department=row.text("department"),
            title=row.text("jobTitle"),
            created_at=row.instant("addedToOrg"),
            last_seen_at=seen_at,
            last_seen_known=known,
            mfa=row.flag("mfaEnabled") if managed else None,
            uses=uses,
            groups=tuple(g for entry in row.parts("groups") if (g := entry.text("id"))),
            roles=tuple(r for r in map(as_text, row.several("platformRoles")) if r),
        )

    def _last_use(self, row: Resource) -> tuple[datetime | None, bool, bool]:
        """When the product was last used, whether that is known, and whether it ever was.

        One entry that cannot be read makes it unknown: it may be the latest.
        """
        if not isinstance(row.get("productAccess"), list):
            return None, False, False
        latest: datetime | None = None
        unsure = uses = False
        for entry in row.parts("productAccess"):
            key = entry.text("key")
            if key is None or not key.startswith(self._product) or not self._here(entry.text("id")):
                unsure = unsure or key is None
                continue
            uses = True
            name = "lastActiveTimestamp" if entry.tells("lastActiveTimestamp") else "lastActive"
            seen_at = entry.instant(name)
            unsure = unsure or seen_at is None
            latest = max(filter(None, (latest, seen_at)), default=None)
        unsure = unsure or any(not isinstance(entry, Mapping) for entry in row.several("productAccess"))
        return (None, False, uses) if unsure else (latest, True, uses)

    def _here(self, resource: str | None) -> bool:
        """Whether the entry is about our site: all are, unless the site's id is configured and another stands there."""
        return self._site_id is None or resource is None or resource.endswith(f"/{self._site_id}")


_EXPAND: Final[dict[str, Any]] = {"expand": ["productAccess", "groups", "platformRoles"]}


def both(first: bool | None, second: bool | None) -> bool | None:
    """Whether both hold: one that does not decides, else one that is unknown."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def kind_of(kind: str | None, email: str | None) -> str | None:
    """What sort of account it is; service accounts are told by the address Atlassian gives them."""
    return "service" if email and email.casefold().endswith(SERVICE_DOMAIN) else kind


def checked(account_id: str) -> str:
    """An account id that may stand in a path; NotSupported for one that would lead elsewhere."""
    if not _ID.fullmatch(account_id):
        raise NotSupported(f"an account with the id {account_id!r} cannot be addressed")
    return account_id


def entries(data: Any, path: str) -> Iterator[Mapping[str, Any]]:
    """The objects of an answer's `data`."""
    return (entry for entry in _data(data, path) if isinstance(entry, Mapping))


def _data(data: Any, path: str) -> list[Any]:
    found = data.get("data") if isinstance(data, Mapping) else None
    if not isinstance(found, list):
        raise UnexpectedAnswer(f"{path}: data is not a list", path)
    return found


def _following(data: Mapping[str, Any]) -> str | None:
    links = data.get("links")
    return cursor_of(links.get("next") if isinstance(links, Mapping) else None)


def _group_id(entry: Any) -> str | None:
    return as_text(entry.get("id")) if isinstance(entry, Mapping) else None


def _entry_id(entry: Any) -> str | None:
    return as_text(entry.get("accountId")) if isinstance(entry, Mapping) else None
