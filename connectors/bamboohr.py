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
from typing import Any, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import basic
from connectors.kit.contract import Checked, Circumstances, Connector, Field
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader, Resource, as_text
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, UnexpectedAnswer
from governance.records import Record
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
_TEXTS: Final = (
    "employeeId", "employeeNumber", "status", "employmentStatusName", "displayName", "workEmail", "departmentName",
    "jobTitleName", "reportsToId", "timezone",
)  # fmt: skip
_DAYS: Final = ("hireDate", "terminationDate", "contractEndDate")


class Bamboohr(Connector):
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
        withheld = sorted({field for item in page.items if isinstance(item, dict) for field in _restricted(item)})
        notes = (f"{page.total} people are listed",) if page.total is not None else ()
        return Checked(notes, tuple(f"view {field}" for field in withheld))

    def records(self) -> Iterator[Record]:
        """Yield everybody once; IncompleteFeed unless as many came as are counted and the dates may be seen."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join(PATH)
        digest, withheld = hashlib.sha256(), Counter[str]()
        reader = Reader(place, self.given.now)
        words = Words(self.options, self._where, STATUSES, KINDS)
        workforce = Workforce(self, self._where, words, no_day=NO_DAY)
        unnumbered = 0

        def fetch(cursor: str | None) -> Page:
            return self._page(cursor, self._size, digest)

        for number, item in read_pages(fetch, _key, reading, place):
            person = item if isinstance(item, dict) else {}
            if person.get("_restrictedFields"):
                withheld.update(_restricted(person))
            unnumbered += self._add(workforce, words, reader, person, number)
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
        yield from workforce.identities()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _add(self, workforce: Workforce, words: Words, reader: Reader, person: dict[str, Any], number: int) -> bool:
        """Take in one person; says whether they have no employee number."""
        own, ours, said, kind, name, email, department, title, manager, zone = reader.texts(person, _TEXTS)
        status = words.status(said)
        if status == "active" and (special := words.status(kind)) and kind not in STATUSES:
            status = special  # a company's own word, such as Parental Leave
        hire, end, contract_end = workforce.days.of(map(person.get, _DAYS))
        if own is None:
            workforce.reject(number, "employeeId", "is missing or no text")
            return False
        if status == "terminated" and hire is None and end is None and not _restricted(person):
            workforce.reject(number, "status", "is inactive without any date: has not begun or has left, nobody knows")
            return False
        employee_id = ours if self._id == "employeeNumber" else own
        workforce.add(
            number,
            key=own,
            employee_id=employee_id or f"bamboohr-{own}",
            status=status,
            said=said,
            kind=words.kind(kind, counted=False),
            hire=hire,
            termination=end,
            contract_end=contract_end,
            name=name or _name(reader.of(person)),
            email=email,
            department=department,
            title=title,
            manager_key=manager,
            zone=zone,
        )
        return employee_id is None

    def _page(self, cursor: str | None, size: int, digest: Any = None) -> Page:
        params = {"fields": ",".join(ASKED), "page[limit]": str(size)}
        answer = self._http.get(PATH, {**params, "page[after]": cursor} if cursor else params, allow=(403,))
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


def _key(item: Any) -> str | None:
    return as_text(item.get("employeeId")) if isinstance(item, dict) else None


def _restricted(person: dict[str, Any]) -> set[str]:
    told = person.get("_restrictedFields")
    return {field for field in (told if isinstance(told, list) else [told]) if isinstance(field, str)}


def _name(person: Resource) -> str | None:
    return " ".join(filter(None, (person.text("firstName"), person.text("lastName")))) or None
