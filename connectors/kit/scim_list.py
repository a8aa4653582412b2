"""Lists of a SCIM server, page by page, and who is in which group."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.kit.answers import Answer, Reads
from connectors.kit.http import Http
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import as_text
from connectors.kit.scim_resource import Attributes, resource_id
from governance.errors import UnexpectedAnswer
from governance.records import Reading

# How servers answer that do not understand `count`; asked once more without it.
_NO_COUNT: Final = (400, 500, 501)
_NO_SUCH_LIST: Final = (404, 405, 501)


@dataclass
class Groups:
    """The groups of an application and their members."""

    names: dict[str, str] = field(default_factory=dict)  # id -> name
    of_account: dict[str, list[str]] = field(default_factory=dict)  # account id -> group ids
    told: bool = True  # False: there is no such list, or it does not tell its members


class ScimLists:
    """Reads the lists of one server and remembers whether it understands `count`."""

    def __init__(self, http: Http, page_size: int) -> None:
        self.digest = hashlib.sha256()
        self._http = http
        self._size = page_size
        self._counts: bool | None = None  # None: not tried yet

    def probe(self) -> None:
        """Ask for one account."""
        self._page("Users", {}, 1, "1", ())

    def users(self, expression: str | None, form: Reads | None = None) -> Callable[[str | None], Page]:
        """What fetches one page of accounts. `form` reads a page of a known form, and tells None of any other."""
        more = {"filter": expression} if expression else {}
        return lambda cursor: self._page("Users", more, self._size, cursor or "1", (), form) or Page([])

    def groups(self, reading: Reading, place: str) -> Groups:
        """All groups, where the server has them."""
        found = Groups()
        for group_id, members in self.members(reading, place, found):
            for account_id in members:
                found.of_account.setdefault(account_id, []).append(group_id)
        return found

    def members(self, reading: Reading, place: str, found: Groups) -> Iterator[tuple[str, list[str]]]:
        """Group by group the account ids of its members. Everything else goes into `found`."""

        def fetch(cursor: str | None) -> Page:
            page = self._page("Groups", {}, self._size, cursor or "1", _NO_SUCH_LIST if cursor is None else ())
            found.told = page is not None
            return page or Page([])

        members_told = False
        for _, resource in read_pages(fetch, resource_id, reading, place, counted=False):
            group_id = resource_id(resource)
            if group_id is None:
                continue
            attributes = Attributes(resource)
            found.names[group_id] = attributes.text("displayName") or group_id
            members_told = members_told or attributes.tells("members")
            yield group_id, list(filter(None, map(_member_id, attributes.several("members"))))
        found.told = found.told and (members_told or not found.names)

    def _page(
        self,
        path: str,
        more: dict[str, str],
        size: int,
        cursor: str,
        missing: tuple[int, ...],
        form: Reads | None = None,
    ) -> Page | None:
        """One page; None when the list is missing. A cursor is the 1-based index, or `cursor:` and the server's own."""
        start = {"cursor": cursor.removeprefix("cursor:")} if cursor.startswith("cursor:") else {"startIndex": cursor}
        params = {**start, **more}
        trying = self._counts is None
        if self._counts is False:
            answer = self._http.get(path, params, allow=missing, form=form)
        else:
            allow = (*missing, *_NO_COUNT) if trying else missing
            answer = self._http.get(path, {**params, "count": str(size)}, allow=allow, retry_500=not trying, form=form)
            if trying and answer.status in _NO_COUNT:
                answer = self._http.get(path, params, allow=missing, form=form)
                self._counts = False if answer.status == 200 else None
            elif answer.status == 200:
                self._counts = True
        if answer.status in missing:
            return None
        return self._understood(answer, cursor)

    def _understood(self, answer: Answer, cursor: str) -> Page:
        attributes = Attributes(answer.data) if isinstance(answer.data, dict) else None
        items = attributes.get("Resources") if attributes else None
        if attributes is None or not (attributes.tells("Resources") or attributes.tells("totalResults")):
            raise UnexpectedAnswer(f"{answer.path}: the answer is not a list of SCIM", answer.path)
        if not isinstance(items, list | None):
            raise UnexpectedAnswer(f"{answer.path}: Resources is not a list", answer.path)
        self.digest.update(answer.sha256.encode())
        items = items or []
        total = _count(attributes.get("totalResults"))
        own_cursor = attributes.text("nextCursor")
        if own_cursor:  # RFC 9865
            return Page(items, f"cursor:{own_cursor}", total)
        if not items or cursor.startswith("cursor:"):
            return Page(items, None, total)
        index = int(cursor) + len(items)  # not by what was asked for: servers give less
        return Page(items, None if total is not None and index > total else str(index), total)


def _member_id(member: Any) -> str | None:
    """The account a member of a group is; None where it is another group, or nothing."""
    told = Attributes(member if isinstance(member, dict) else {"value": member})
    account_id = told.text("value")
    return account_id if account_id and (told.text("type") or "User").casefold() == "user" else None


def _count(value: Any) -> int | None:
    text = as_text(value)
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else None
