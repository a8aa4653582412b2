"""SOQL over Salesforce's REST API: one query, all its pages, and what its refusals mean.

GET /services/data/v64.0/query (developer.salesforce.com, api_rest). Errors are a list of {message, errorCode}. An
object that the account of the client may not see is "not supported" (INVALID_TYPE), a field likewise (INVALID_FIELD).
The header Sforce-Limit-Info tells used/limit of the organisation's requests within 24 hours; at the end of it everybody
is refused (403 REQUEST_LIMIT_EXCEEDED), so the last of it is left to others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from connectors.kit.answers import Answer
from connectors.kit.columns import as_texts, keys_of
from connectors.kit.forms import FLAG, TEXT, Form
from connectors.kit.http import Http
from connectors.kit.pagination import Page, read_lists
from connectors.kit.resource import as_text
from governance.errors import AuthenticationFailed, FeedError, NotSupported, RateLimited, UnexpectedAnswer
from governance.records import Reading

VERSION: Final = "v64.0"
DATA: Final = f"services/data/{VERSION}"
REFUSED: Final = (400, 403, 404)
ENOUGH_USED: Final = 0.95  # of the day's requests: the rest is for everybody else
_UNSEEN: Final = ("INVALID_TYPE", "INVALID_FIELD", "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY")
_CODE: Final = re.compile(r"[A-Z][A-Z_]{2,60}")
_OBJECT: Final = (dict, Mapping)  # the first is nearly always met, the second takes long to be asked
_ID: Final = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")
_USAGE: Final = re.compile(r"api-usage=(\d{1,12})/(\d{1,12})")


class NotReadable(AuthenticationFailed):
    """The client's account may not see an object or one of its fields."""


class Soql:
    """Asks queries in one session and keeps the digest of all that came."""

    def __init__(self, http: Http, place: str, size: int) -> None:
        self.digest = hashlib.sha256()
        self.used: tuple[int, int] | None = None  # requests of the organisation today, and its limit
        self._http = http
        self._place = place
        self._headers = {"Sforce-Query-Options": f"batchSize={size}"}

    def rows(self, query: str, reading: Reading, *, counted: bool = False) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Every record of the query once, with its number; NotReadable where the object may not be seen."""
        for numbers, items in self.lists(query, reading, counted=counted):
            for number, row in zip(numbers, items, strict=True):
                yield number, row if isinstance(row, _OBJECT) else {}

    def lists(
        self, query: str, reading: Reading, *, counted: bool = False, form: Form | None = None
    ) -> Iterator[tuple[Sequence[int], list[Any]]]:
        """The same page by page, as they are. `form`: of the records, with their ids; others come as ever."""
        place = f"{self._place}: {query.partition(' FROM ')[2].partition(' ')[0]}"
        yield from read_lists(self._fetch(query, form), partial(_ids, form), reading, place, counted=counted)

    def first(self, query: str) -> Mapping[str, Any] | None:
        """The first record of the query, or None."""
        return next((row for row in self._fetch(query)(None).items if isinstance(row, Mapping)), None)

    def all(self, query: str) -> list[Mapping[str, Any]]:
        """Every record of a query about one account."""
        return [row for _, row in self.rows(query, Reading())]

    def get(self, path: str) -> Answer:
        """One answer that is no query."""
        return self._heard(self._http.get(path, allow=REFUSED))

    def _fetch(self, query: str, form: Form | None = None) -> Callable[[str | None], Page]:
        read = form.read if form else None

        def fetch(cursor: str | None) -> Page:
            path, params = (f"{DATA}/query", {"q": query}) if cursor is None else (cursor, None)
            answer = self._http.get(path, params, headers=self._headers, allow=REFUSED, form=read)
            told = self._heard(answer).data
            records = told.get("records") if isinstance(told, Mapping) else None
            if not isinstance(told, Mapping) or not isinstance(records, list):
                raise UnexpectedAnswer(f"{self._place}: {answer.path}: records is not a list", answer.path)
            link, total = as_text(told.get("nextRecordsUrl")), told.get("totalSize")
            done = told.get("done") is True or link is None
            counted = total if isinstance(total, int) and not isinstance(total, bool) else None
            return Page(records, None if done or link is None else self._http.pin(link, answer), counted)

        return fetch

    def _heard(self, answer: Answer) -> Answer:
        """Count the answer; raise what a refusal means."""
        self.digest.update(answer.sha256.encode())
        if usage := _USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            used, limit = self.used = int(usage[1]), int(usage[2])
            if limit and used >= limit * ENOUGH_USED:
                raise RateLimited(
                    f"{self._place}: {used:,} of the {limit:,} requests the organisation has in 24 hours are used;"
                    " the rest is left to others",
                    None,
                )
        if answer.status in REFUSED:
            raise refusal(answer, self._place)
        return answer


def form_of(
    columns: Iterable[str],
    flags: Iterable[str] = (),
    *,
    alike: Collection[str] = (),
    needed: Collection[str] = (),
) -> Form:
    """What a page of records is that tell these columns as texts, and these as flags. The rest is as forms have it."""
    asked = dict.fromkeys(columns, TEXT) | dict.fromkeys(flags, FLAG)
    return Form(asked, "records", ("nextRecordsUrl", "totalSize", "done"), alike=alike, needed=needed)


def refusal(answer: Answer, place: str) -> FeedError:
    """The error a refusal of Salesforce is."""
    code, where = code_of(answer), f"{place}: {answer.path}"
    if code == "REQUEST_LIMIT_EXCEEDED":
        return RateLimited(f"{where}: the organisation's requests of 24 hours are used up", None)
    if code in _UNSEEN:
        return NotReadable(f"{where}: {answer.status} {code}: the client's account may not see this")
    if answer.status == 403:
        return AuthenticationFailed(f"{where}: 403 {code}: the client's account lacks the right to do this")
    return UnexpectedAnswer(f"{where}: answered {answer.status} {code}", answer.path)


def code_of(answer: Answer) -> str:
    """The error code of a refusal; empty when there is none that looks like one."""
    code = _first(answer).get("errorCode")
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def message_of(answer: Answer) -> str:
    """The words of a refusal, to be compared with known ones; never shown."""
    words = _first(answer).get("message")
    return words.casefold() if isinstance(words, str) else ""


def select(columns: Iterable[str], table: str, *conditions: str, order: str | None = None) -> str:
    """A query; conditions come from `where` and `where_in`, which spell values out."""
    parts = ["SELECT", ", ".join(columns), "FROM", table]
    if conditions:
        parts += ["WHERE", " AND ".join(conditions)]
    return " ".join((*parts, *(("ORDER BY", order) if order else ())))


def where(column: str, value: str | bool | datetime, operator: str = "=") -> str:
    """A condition on one column."""
    return f"{column} {operator} {_literal(value)}"


def where_in(column: str, values: Iterable[str], operator: str = "IN") -> str:
    """A condition that the column holds one of the values, or with NOT IN none of them."""
    return f"{column} {operator} ({', '.join(_literal(value) for value in values)})"


def _literal(value: str | bool | datetime) -> str:
    """A value as SOQL writes it; quotes and backslashes cannot end a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def checked(record_id: str) -> str:
    """A record id that may stand in a path; NotSupported for one that would lead elsewhere."""
    if not _ID.fullmatch(record_id):
        raise NotSupported(f"a record with the id {record_id!r} cannot be addressed")
    return record_id


def row_id(row: Any) -> str | None:
    """The id of a record."""
    return as_text(row.get("Id")) if isinstance(row, _OBJECT) else None


def _ids(form: Form | None, page: list[Any]) -> list[str | None]:
    """The ids of a page of records, of the form or not."""
    if form and page and type(page[0]) is form.kind:
        return as_texts(form.told(page, "Id"))
    return keys_of(page, "Id")


def _first(answer: Answer) -> Mapping[str, Any]:
    entry = answer.data[0] if isinstance(answer.data, list) and answer.data else answer.data
    return entry if isinstance(entry, Mapping) else {}
