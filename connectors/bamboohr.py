"""BambooHR: everybody who works here, has worked here or is about to, as the HR system knows them.

Reads      people, also inactive ones and future hires, with dates, manager, department    scope: view these fields
Changes    nothing

Confirmed in the vendor's own SDK (BambooHR/bhr-api-python, docs/EmployeesApi.md and EmployeeOptionalField.md): List
Employees tells everybody unfiltered, pages by cursor (250, at most 2500), counts in `meta.total`, and names withheld
fields in `_restrictedFields` instead of leaving them out as Get Employee does; future hires are Inactive
(docs/DatasetsApi.md). The data sets that could be used instead are deprecated in version 1.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Any, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import basic
from connectors.kit.columns import Objects
from connectors.kit.contract import Checked, Circumstances, Field, ReadsColumns
from connectors.kit.forms import TEXT, TEXTS, Form, Formed
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pagination import Page, read_lists
from connectors.kit.portions import Meanings, Portion, Standing
from connectors.kit.resource import Reader
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce, keyed, numbered
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, UnexpectedAnswer
from governance.records import Rows
from governance.settings import ApplicationSettings, SourceSettings

PATH: Final = "api/v1/employees"
# Without these nothing can be said; the others are merely missed.
ESSENTIAL: Final = ("status", "hireDate", "terminationDate")
ASKED: Final = (
    "employeeNumber", "displayName", "workEmail", "hireDate", "terminationDate", "contractEndDate", "departmentName",
    "reportsToId", "employmentStatusName", "timezone",
)  # fmt: skip
RIGHTS: Final = "In BambooHR under Settings, Access Levels: let the owner of the API key view {fields} of everybody."
STATUSES: Final = {"active": "active", "inactive": "terminated"}
KINDS: Final = {"contractor": "contingent", "contract": "contingent", "intern": "intern", "temporary": "contingent"}
NO_DAY: Final = "0000-00-00"
_NONE: Final[frozenset[str]] = frozenset()
_TEXTS: Final = {
    "key": "employeeId", "number": "employeeNumber", "said": "status", "kind": "employmentStatusName",
    "display_name": "displayName", "email": "workEmail", "department": "departmentName", "title": "jobTitleName",
    "manager_key": "reportsToId", "time_zone": "timezone",
}  # fmt: skip
_DAYS: Final = {
    "hire_date": "hireDate", "termination_date": "terminationDate", "contract_end_date": "contractEndDate",
}  # fmt: skip
_TOLD: Final = (  # in the order in which they come
    "employeeId", "firstName", "lastName", "jobTitleName", "status", *ASKED, "_restrictedFields",
)  # fmt: skip
_ALIKE: Final = ("status", "employmentStatusName", "departmentName", "jobTitleName", "timezone")


class Bamboohr(ReadsColumns):
    """People as BambooHR lists them."""

    title = "BambooHR"
    kind = "source"
    fields = (
        Field("base_url", "The company's address, such as https://example.bamboohr.com/.", "url", required=True),
        Field("token", "An API key of somebody who may view these fields of everybody.", "secret", required=True),
        Field("employee_id", "Which field is the employee id: employeeNumber or employeeId.", default="employeeNumber"),
        Field("page_size", "How many people to ask for at once.", "number", default=1000),
        *FIELDS,
    )
    tells = TELLS
    scopes = {  # noqa: RUF012 - a declaration
        "pull": ("view of everybody: Status, Hire Date, Termination Date, Employee #, Work Email, Reporting to",)
    }
    plans = (
        "An API key sees what its owner's access level may see; a field it may not see ends the pull with its name.",
        "There is no last day of work: the termination date is taken for it.",
    )
    covers = (
        "people who work here: yes",
        "people who have left, and those who will: yes, with the date where one is told",
        "people who have not begun: yes (they are Inactive with a hire date that lies ahead)",
        "contractors: yes, told apart by their employment status",
        "people whom the API key's owner may not see: no (BambooHR does not tell of them)",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        self._address = check_base(self.options["base_url"], where, allow_private=self.options["allow_private"])
        self._size = whole_option(self.options, "page_size", where, 1, 2500)
        self._id = text_option(self.options, "employee_id", where)
        if self._id not in ("employeeNumber", "employeeId"):
            raise ConfigurationError(f"{where}: employee_id: expected employeeNumber or employeeId")
        self._words = Words(self.options, where, STATUSES, KINDS)
        Workforce(self, where, self._words)  # so that a wrong option is said before the first pull
        if not given.secrets.get("token"):
            raise ConfigurationError(f"{where}: token: is empty")
        auth = basic(given.secrets["token"], "x", f"{where}: token")  # the password may be anything
        self._http = Http(self._address, given, feed.name, auth=auth, headers={"Accept": "application/json"})

    def check(self) -> Checked:
        """Ask for one person, and which fields may not be seen."""
        self._http.begin()
        page = self._page(None, 1)
        withheld = sorted(
            {
                field
                for item in page.items
                if isinstance(item, dict)
                for field in _restricted(item.get("_restrictedFields"))
            }
        )
        notes = (f"{page.total} people are listed",) if page.total is not None else ()
        return Checked(notes, tuple(f"view {field}" for field in withheld))

    def portions(self) -> Iterator[Rows]:
        """Yield everybody once; IncompleteFeed unless as many came as are counted and the dates may be seen."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join(PATH)
        digest, withheld = hashlib.sha256(), Counter[str]()
        reader = Reader(place, self.given.now)
        words = Words(self.options, self._where, STATUSES, KINDS)
        workforce = Workforce(self, self._where, words, no_day=NO_DAY)
        statuses = Meanings(partial(_status, words))
        form = Form(dict.fromkeys(_TOLD, TEXT) | {"_restrictedFields": TEXTS}, "data", ("meta",), alike=_ALIKE)
        unnumbered = 0

        def fetch(cursor: str | None) -> Page:
            return self._page(cursor, self._size, digest, form)

        for numbers, items in read_lists(fetch, lambda page: form.keys(page, "employeeId", reader), reading, place):
            people = form.objects(items, reader)
            hidden = people.values("_restrictedFields")
            hidden = list(map(_restricted, hidden)) if any(hidden) else [_NONE] * len(people)
            withheld.update(chain.from_iterable(hidden))
            told = {ours: people.texts(theirs) for ours, theirs in _TEXTS.items()}
            days = {ours: workforce.days.of(people.values(theirs)) for ours, theirs in _DAYS.items()}
            if not all(told["display_name"]):
                told["display_name"] = _names(people, told["display_name"])
            rows = Standing(Portion(numbers, {**told, **days, "hidden": hidden}))
            unnumbered += self._take(rows, workforce, statuses)
        for field in ESSENTIAL:
            if withheld[field]:
                raise IncompleteFeed(
                    f"{place}: {field} may not be seen of {withheld[field]} people. {RIGHTS.format(fields=field)}"
                )
        reading.sha256 = digest.hexdigest()
        for field, count in sorted(withheld.items()):
            reading.notes.append(f"{field} may not be seen of {count} people")
        if unnumbered:
            reading.notes.append(f"{unnumbered} people have no employee number: BambooHR's own id stands in its place")
        reader.note(reading)
        yield from workforce.people()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _take(self, rows: Standing, workforce: Workforce, statuses: Meanings[str | None]) -> int:
        """Take in a page; says how many of its people have no employee number."""
        keyed(rows, "employeeId")
        told = rows.columns
        told["status"] = list(map(statuses.__getitem__, zip(told["said"], told["kind"], strict=True)))
        if not all(told["hire_date"]):
            rows.read("status", _dated, "hire_date", "termination_date", "hidden", "status")
        by = "number" if self._id == "employeeNumber" else "key"
        numbered(rows, "bamboohr", by)
        unnumbered = rows.columns[by].count(None)
        workforce.take(rows, counted=False)
        return unnumbered

    def _page(self, cursor: str | None, size: int, digest: Any = None, form: Form | None = None) -> Page:
        params = {"fields": ",".join(ASKED), "page[limit]": str(size)}
        params |= {"page[after]": cursor} if cursor else {}
        answer = self._http.get(PATH, params, allow=(403,), form=form.read if form else None)
        if answer.status == 403:
            raise AuthenticationFailed(f"{self.feed.name}: {answer.path}: 403: the API key's owner may not list people")
        told = answer.data if isinstance(answer.data, dict) else {}
        items = told.get("data")
        if not isinstance(items, list):
            raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of data", answer.path)
        if digest is not None:
            digest.update(answer.sha256.encode())
        meta = Reader(self.feed.name, self.given.now).of(told.get("meta"))
        return Page(items, meta.text("page.nextCursor"), meta.number("total"))


def _status(words: Words, said: tuple[str | None, str | None]) -> str | None:
    """What both words together mean: a company's own word, such as Parental Leave, goes before active."""
    general, special = said
    status = words.status(general)
    return (status == "active" and special not in STATUSES and words.status(special)) or status


def _dated(hire: str | None, end: str | None, hidden: frozenset[str], status: str | None) -> str | None:
    if status == "terminated" and hire is None and end is None and not hidden:
        raise ValueError("is inactive without any date: has not begun or has left, nobody knows")
    return status


def _names(people: Objects | Formed, shown: list[str | None]) -> list[str | None]:
    """The name that is shown of each, else their own two."""
    both = zip(shown, people.texts("firstName"), people.texts("lastName"), strict=True)
    return [name or " ".join(filter(None, parts)) or None for name, *parts in both]


def _restricted(told: Any) -> frozenset[str]:
    """The fields of a person that may not be seen."""
    if not told:
        return _NONE
    return frozenset(field for field in (told if isinstance(told, list) else [told]) if isinstance(field, str))
