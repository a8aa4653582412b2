"""Lists of Jira and Confluence Cloud: four ways of paging, none of which follows a link of the other side."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.kit.answers import Answer
from connectors.kit.columns import keys_of
from connectors.kit.http import Http
from connectors.kit.pagination import Page
from connectors.kit.resource import as_text
from governance.errors import IncompleteFeed, UnexpectedAnswer

Fetch = Callable[[str | None], Page]


class SiteLists:
    """Reads lists of one site and keeps the digest of all that came."""

    def __init__(self, http: Http, place: str) -> None:
        self.digest = hashlib.sha256()
        self._http = http
        self._place = place

    def get(self, path: str, params: Mapping[str, str] | None = None, allow: tuple[int, ...] = ()) -> Answer:
        """One answer, counted into the digest."""
        return self.heard(self._http.get(path, params, allow=allow))

    def heard(self, answer: Answer) -> Answer:
        """Count an answer into the digest."""
        self.digest.update(answer.sha256.encode())
        return answer

    def values(self, path: str, params: Mapping[str, str], size: int, key: str = "values") -> Fetch:
        """Jira's page beans: startAt, maxResults, total, isLast, values."""

        def fetch(cursor: str | None) -> Page:
            start = int(cursor or 0)
            answer = self.get(path, {**params, "startAt": str(start), "maxResults": str(size)})
            items, told = self._items(answer, key)
            total = _count(told.get("total"))
            after = start + len(items)
            ends = not items or (after >= total if total is not None else told.get("isLast") is True)
            return Page(items, None if ends else str(after), total)

        return fetch

    def bare(self, path: str, size: int) -> Fetch:
        """Jira's plain array: neither total nor end is told, and a page may be short because entries are hidden.

        So it goes on by what came, and only an empty page is the end. That one is asked for twice, because a page lost
        on the way would look the same.
        """

        def fetch(cursor: str | None) -> Page:
            params = {"startAt": cursor or "0", "maxResults": str(size)}
            for _ in range(2):
                answer = self.get(path, params)
                if not isinstance(answer.data, list):
                    raise UnexpectedAnswer(f"{self._place}: {answer.path}: the answer is not a list", answer.path)
                if answer.data:
                    return Page(answer.data, str(int(cursor or 0) + len(answer.data)))
            return Page([])

        return fetch

    def results(self, path: str, params: Mapping[str, str], size: int) -> Fetch:
        """Confluence's first API: start, limit, size, results; `_links.next` only says that there is more."""

        def fetch(cursor: str | None) -> Page:
            start = int(cursor or 0)
            answer = self.get(path, {**params, "start": str(start), "limit": str(size)})
            items, told = self._items(answer, "results")
            declared = _count(told.get("size"))
            if declared is not None and declared != len(items):
                raise IncompleteFeed(
                    f"{self._place}: {answer.path}: {declared} are declared on a page, {len(items)} arrived;"
                    " nothing is derived from that"
                )
            links = told.get("_links")
            more = isinstance(links, Mapping) and bool(links.get("next"))
            full = len(items) >= min(_count(told.get("limit")) or size, size)
            return Page(items, str(start + len(items)) if items and (more or full) else None)

        return fetch

    def cursored(self, path: str, params: Mapping[str, str], size: int) -> Fetch:
        """Confluence's second API: the cursor stands in `_links.next`."""

        def fetch(cursor: str | None) -> Page:
            answer = self.get(path, {**params, "limit": str(size), **({"cursor": cursor} if cursor else {})})
            items, told = self._items(answer, "results")
            links = told.get("_links")
            return Page(items, cursor_of(links.get("next") if isinstance(links, Mapping) else None))

        return fetch

    def _items(self, answer: Answer, key: str) -> tuple[list[Any], Mapping[str, Any]]:
        told = answer.data if isinstance(answer.data, Mapping) else {}
        items = told.get(key)
        if not isinstance(items, list):
            raise UnexpectedAnswer(f"{self._place}: {answer.path}: {key} is not a list", answer.path)
        return items, told


def account_ids(entries: Iterable[Any]) -> list[str | None]:
    """The id of the account that each entry of a list is about."""
    return keys_of(entries, "accountId")


def cursor_of(link: Any) -> str | None:
    """The cursor of the next page: given bare, or as the query of a link that is not followed itself."""
    text = as_text(link)
    if text is None or ("?" not in text and "/" not in text):
        return text
    return next(iter(parse_qs(urlsplit(text).query).get("cursor", ())), None)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
