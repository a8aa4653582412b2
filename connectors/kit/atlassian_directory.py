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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.atlassian_lists import SiteLists, cursor_of
from connectors.kit.atlassian_members import Member, Members
from connectors.kit.columns import Objects, keys_of
from connectors.kit.filed import AT_ONCE
from connectors.kit.http import Http
from connectors.kit.numbered import Ids
from connectors.kit.pagination import Page, read_lists, read_pages
from connectors.kit.resource import Reader, as_text, listed
from governance.errors import IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Reading

PAGE: Final = 100  # the most there is
KINDS: Final = {"atlassian": "human", "app": "bot", "customer": "guest", "unknown": None}
SERVICE_DOMAIN: Final = "@serviceaccount.atlassian.com"  # of accounts made as service accounts
ADMIN_ROLES: Final = frozenset(
    {"atlassian/org-admin", "atlassian/site-admin", "atlassian/user-access-admin", "atlassian/admin"}
)
Heard = Callable[[Sequence[Member]], None]
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

    def members(
        self, reader: Reader, reading: Reading, lists: SiteLists, ids: Ids, heard: Heard | None = None
    ) -> Members:
        """Every account of the organisation by its id, with numbers among these ids; `heard` is told of each once."""
        found = Members(ids)
        nameless = 0
        waiting: list[Any] = []
        for _, entries in read_lists(self._fetch(lists), _entry_ids, reading, self.place, counted=False):
            waiting += entries
            if len(waiting) >= AT_ONCE:
                nameless += self._take(waiting, reader, found, heard)
                waiting = []
        nameless += self._take(waiting, reader, found, heard)
        if nameless:
            reading.notes.append(f"the organisation lists {nameless} entries without an id; they were left out")
        return found

    def _take(self, entries: list[Any], reader: Reader, found: Members, heard: Heard | None) -> int:
        """Take in whoever has an id; how many have none."""
        ids = _entry_ids(entries)
        nameless = ids.count(None)
        if nameless:
            entries = [entry for entry, account_id in zip(entries, ids, strict=True) if account_id is not None]
        members = self._members(entries, list(filter(None, ids)), reader)
        found.take(members)
        if heard is not None:
            heard(members)
        return nameless

    def member(self, account_id: str, reader: Reader) -> Member | None:
        """One account as it is now; None when the organisation does not have it."""
        answer = self.http.ask(self._search, {**_EXPAND, "limit": 1, "accountIds": [checked(account_id)]})
        for entry in _data(answer.data, answer.path):
            if _entry_id(entry) == account_id:
                return self._members([entry], [account_id], reader)[0]
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

    def _members(self, entries: Sequence[Any], ids: Sequence[str], reader: Reader) -> list[Member]:
        told = Objects(entries, reader)
        email, status = told.texts("email"), told.texts("accountStatus")
        membership = told.one_of("membershipStatus", _MEMBERSHIP)
        outside = told.only([there is False for there in membership]).texts("membershipStatus")
        managed = told.one_of("claimStatus", {"managed": True, "unmanaged": False})
        seen_at, known, uses = self._last_uses(told)
        counts, groups = told.parts("groups")
        inside = iter(groups.texts("id"))
        columns = (
            ids,
            kinds_of(told.one_of("accountType", KINDS), email),
            map(both, told.one_of("accountStatus", _ACCOUNT), membership),
            ((one or "").casefold() or None for one in status),
            (word == "suspended" for word in outside),
            managed,
            (source == "synced" for source in told.texts("managementSource")),
            email,
            *(told.texts(path) for path in ("name", "department", "jobTitle")),
            told.instants("addedToOrg"),
            *(seen_at, known),
            told.only([one is True for one in managed]).flags("mfaEnabled"),
            uses,
            (tuple(filter(None, islice(inside, count))) for count in counts),
            (
                tuple(filter(None, map(as_text, listed(roles)))) if roles != [] else ()
                for roles in told.values("platformRoles")
            ),
        )
        return [Member(*row) for row in zip(*columns, strict=True)]

    def _last_uses(self, told: Objects) -> tuple[list[datetime | None], list[bool], list[bool]]:
        """When the product was last used, whether that is known, and whether it ever was.

        One entry that cannot be read makes it unknown: it may be the latest.
        """
        values = told.values("productAccess")
        lists = [isinstance(value, list) for value in values]
        counts, access = told.only(lists).parts("productAccess")
        keys = access.texts("key")
        ours = [key is not None and key.startswith(self._product) for key in keys]
        ours = [one and self._here(place) for one, place in zip(ours, access.only(ours).texts("id"), strict=True)]
        newer = access.tells("lastActiveTimestamp")
        at = [
            access.only([one and new is way for one, new in zip(ours, newer, strict=True)]).instants(name)
            for name, way in (("lastActiveTimestamp", True), ("lastActive", False))
        ]
        seen = [new or old for new, old in zip(*at, strict=True)]
        sure = [key is not None and not (one and when is None) for key, one, when in zip(keys, ours, seen, strict=True)]
        latest: list[datetime | None] = []
        known, uses, end = [], [], 0
        for value, count, is_list in zip(values, counts, lists, strict=True):
            begin, end = end, end + count
            mine = [when for when, one in zip(seen[begin:end], ours[begin:end], strict=True) if one]
            all_sure = is_list and count == len(value) and False not in sure[begin:end]
            latest.append(max(filter(None, mine)) if all_sure and mine else None)
            known.append(all_sure)
            uses.append(bool(mine))
        return latest, known, uses

    def _here(self, resource: str | None) -> bool:
        """Whether the entry is about our site: all are, unless the site's id is configured and another stands there."""
        return self._site_id is None or resource is None or resource.endswith(f"/{self._site_id}")


_EXPAND: Final[dict[str, Any]] = {"expand": ["productAccess", "groups", "platformRoles"]}


def both(first: bool | None, second: bool | None) -> bool | None:
    """Whether both hold: one that does not decides, else one that is unknown."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def kinds_of(kinds: Iterable[str | None], emails: Sequence[str | None]) -> list[str | None]:
    """What sort of account each is; service accounts are told by the address Atlassian gives them."""
    if SERVICE_DOMAIN not in "\n".join(filter(None, emails)).casefold():  # mostly there is none among them
        return list(kinds)
    return [
        "service" if email and email.casefold().endswith(SERVICE_DOMAIN) else kind
        for kind, email in zip(kinds, emails, strict=True)
    ]


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


def _entry_ids(entries: list[Any]) -> list[str | None]:
    return keys_of(entries, "accountId")
