"""EmpJob of SAP SuccessFactors, page by page: OData version 2 in SAP's dialect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from connectors.kit.answers import Answer, Reads
from connectors.kit.forms import Form
from connectors.kit.http import Http
from connectors.kit.pagination import Page
from connectors.kit.resource import Reader
from governance.errors import UnexpectedAnswer

PATH: Final = "odata/v2/EmpJob"
MUST: Final = (
    "userId", "seqNumber", "startDate", "jobTitle", "managerId", "department", "emplStatusNav/externalCode",
    "userNav/email", "userNav/firstName", "userNav/lastName", "employmentNav/personIdExternal",
    "employmentNav/startDate", "employmentNav/endDate",
)  # fmt: skip
MAY: Final = (  # not in every company's data model
    "departmentNav/name", "contractEndDate", "employmentNav/lastDateWorked", "employmentNav/isContingentWorker",
)  # fmt: skip
# Listed one by one, as note 2736579 asks for: without it only active users are told.
EVERYBODY: Final = "userNav/status in 't','f','T','F','e','d'"
MOST_DAYS: Final = 50_000
FOR_EVER: Final = "9999-12-31"
_DATE: Final = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Employments:
    """The list of EmpJob, of everybody, from a day on. `unknown` names what this company's data model lacks."""

    def __init__(self, http: Http, size: int, reads: Reads, more: tuple[str, ...] = ()) -> None:
        """`reads` reads a page that has the form of all, and tells None of any other."""
        self.unknown: list[str] = []
        self._http, self._reads = http, reads
        self._size = size
        self._may = [*MAY, *more]

    def probe(self, today: date) -> None:
        """Ask for one entry."""
        self._results(self._ask(today, {"$top": "1"}))

    def page(self, link: str | None, today: date, digest: Any) -> Page:
        """One page; `__next` is followed to the end and nowhere but to the same server."""
        answer = self._http.get(link, form=self._reads) if link else self._ask(today, self._paging())
        told, results = self._results(answer)
        digest.update(answer.sha256.encode())
        following = told.get("__next")
        pinned = self._http.pin(following, answer) if isinstance(following, str) and following else None
        return Page(results, pinned)

    def _paging(self) -> dict[str, str]:
        own = {} if self._size == 1000 else {"customPageSize": str(self._size)}
        return {"paging": "snapshot", **own}

    def _ask(self, today: date, more: dict[str, str]) -> Answer:
        """The first page, without the fields that this data model turns out not to have."""
        while True:
            fields = (*MUST, *self._may)
            navigations = dict.fromkeys(field.rpartition("/")[0] for field in fields if "/" in field)
            params = {
                "$format": "json",
                "$select": ",".join(fields),
                "$expand": ",".join(navigations),
                "$filter": EVERYBODY,
                "fromDate": today.isoformat(),
                "toDate": FOR_EVER,
                **more,
            }
            answer = self._http.get(PATH, params, allow=(400,), form=self._reads)
            if answer.status != 400:
                return answer
            named = _message(answer)
            lacking = next((f for f in self._may if re.search(rf"/{f.rpartition('/')[2]}\b", named)), None)
            if lacking is None:
                raise UnexpectedAnswer(f"{answer.path}: SuccessFactors does not understand the question", answer.path)
            self._may.remove(lacking)
            self.unknown.append(lacking)

    def _results(self, answer: Answer) -> tuple[dict[str, Any], list[Any]]:
        told = answer.data.get("d") if isinstance(answer.data, dict) else None
        results = told.get("results") if isinstance(told, dict) else None
        if not isinstance(told, dict) or not isinstance(results, list):
            raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of d.results", answer.path)
        return told, results


def slice_keys(jobs: list[Any], form: Form, reader: Reader) -> list[str | None]:
    """What makes each entry itself: whose it is, from which day on, and its number within that day."""
    owners, *others = map(form.objects(jobs, reader).values, ("userId", "startDate", "seqNumber"))
    told = zip(owners, *others, strict=True)
    if set(map(type, owners)) == {str}:
        return [f"{owner} {begin} {number}" for owner, begin, number in told]
    return [f"{owner} {begin} {number}" if isinstance(owner, str) else None for owner, begin, number in told]


class DaysSaid(dict[Any, str | None]):
    """Days as they are written, each looked at once."""

    def __init__(self) -> None:
        super().__init__({None: None, "": None})

    def of(self, values: Sequence[Any]) -> list[str | None]:
        """The day of each value."""
        if values.count(None) == len(values):  # as most days of most people
            return [None] * len(values)
        try:
            return list(map(self.__getitem__, values))
        except TypeError:  # a list or an object stands where a day is expected
            return list(map(day, values))

    def __missing__(self, value: Any) -> str | None:
        """Read one that is new."""
        read = day(value)
        if isinstance(value, str) and len(self) < MOST_DAYS:  # True and 1 would be one
            self[value] = read
        return read


def day(value: Any) -> str | None:
    """/Date(1793404800000)/ as a day; what is there and no date stays as text, so that it is quarantined."""
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return repr(value)[:40]
    found = _DATE.fullmatch(value)
    if found is None:
        return value
    try:
        return (_EPOCH + timedelta(milliseconds=int(found[1]))).date().isoformat()
    except OverflowError:
        return value


@lru_cache(maxsize=50_000)
def begins_on(told: str | None) -> str:
    """The day that an entry is effective from; ValueError when it is none."""
    try:
        return date.fromisoformat(told or "").isoformat()
    except ValueError:
        raise ValueError(f"{str(told)[:40]!r} is no date") from None


def _message(answer: Answer) -> str:
    error = answer.data.get("error") if isinstance(answer.data, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    value = message.get("value") if isinstance(message, dict) else None
    return value if isinstance(value, str) else ""
