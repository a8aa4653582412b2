"""HiBob: everybody in Bob, those who have left and those who are hired included.

Reads      people with dates, manager, department            scope: see People's data of everybody, inactive ones too
Changes    nothing

Confirmed in the vendor's documentation (apidocs.hibob.com, People read API contract and Search for employees): a search
tells everybody at once without pages, active ones only unless `showInactive` is set, and leaves out silently what the
service user may not see. On leave is Inactive too (webhook Employee inactivated), so the lifecycle status decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import basic
from connectors.kit.contract import Checked, Circumstances, Connector, Field
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader, as_text
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce
from governance.errors import ConfigurationError, UnexpectedAnswer
from governance.records import Record
from governance.settings import ApplicationSettings, SourceSettings

SEARCH: Final = "people/search"
ASKED: Final = (
    "root.id", "root.email", "root.displayName", "work.startDate", "work.department", "work.title", "work.reportsTo",
    "internal.status", "internal.lifecycleStatus", "internal.terminationDate", "payroll.employment.type",
)  # fmt: skip
RIGHTS: Final = (
    "Bob leaves out silently what a service user may not see: put it into a permission group that sees Basic info,"
    " Work, Employment and Lifecycle of everybody, also of inactive people."
)
STATUSES: Final = {
    "hired": "future",
    "employed": "active",
    "terminated": "terminated",
    "garden leave": "leave",
    "parental leave": "leave",
    "temporary leave": "leave",
    "on leave": "leave",
}
KINDS: Final = {
    "permanent": "employee",
    "temporary": "employee",
    "full time": "employee",
    "part time": "employee",
    "contractor": "contingent",
    "freelancer": "contingent",
    "consultant": "contingent",
    "internship": "intern",
}


class Hibob(Connector):
    """People as Bob tells them to a service user."""

    title = "HiBob"
    kind = "source"
    fields = (
        Field("service_user", "The id of an API service user, such as SERVICE-1234.", required=True),
        Field("token", "The service user's token.", "secret", required=True),
        Field(
            "employee_id", "Which field is the employee id: root.id is Bob's own.", default="work.employeeIdInCompany"
        ),
        Field("base_url", "The address of the API.", "url", default="https://api.hibob.com/v1/"),
        *FIELDS,
    )
    tells = TELLS
    scopes = {  # noqa: RUF012 - a declaration
        "pull": ("People's data, of everybody: Basic info, Work, Employment, Lifecycle (view)",)
    }
    plans = (
        "A service user begins without any right. What it may not see is left out silently: a pull in which nobody has"
        " a hire date, or none of those who left a date, is refused.",
    )
    limits = (RateLimit(50, 60, SEARCH),)
    covers = (
        "people who work here: yes",
        "people who have left, and those who will: yes, with the date where one is told",
        "people who have not begun: yes, once they are in Bob",
        "people whom the service user may not see: no (Bob does not tell of them)",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        self._address = check_base(self.options["base_url"], where, allow_private=self.options["allow_private"])
        self._id = text_option(self.options, "employee_id", where) or ""
        self._asked = tuple(dict.fromkeys((*ASKED, self._id)))
        self._workforce()  # so that a wrong option is said before the first pull
        user = text_option(self.options, "service_user", where) or ""
        if not given.secrets.get("token"):
            raise ConfigurationError(f"{where}: token: is empty")
        auth = basic(user, given.secrets["token"], f"{where}: service_user")
        self._http = Http(self._address, given, feed.name, auth=auth, limits=self.limits)

    def check(self) -> Checked:
        """Ask for the fields there are."""
        self._http.begin()
        answer = self._http.get("company/people/fields")
        listed = answer.data if isinstance(answer.data, list) else []
        known = {as_text(f.get(k)) for f in listed if isinstance(f, dict) for k in ("id", "jsonPath")}
        missing = tuple(f"field {field}" for field in self._asked if known and field not in known | {"work.reportsTo"})
        return Checked(("what the service user may see of whom only shows in a pull",), missing)

    def records(self) -> Iterator[Record]:
        """Yield everybody once; IncompleteFeed when what decides is told of nobody."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join(SEARCH)
        reading.filters = "showInactive=true"
        reader = Reader(place, self.given.now)
        words, workforce = self._workforce()
        for number, item in read_pages(self._everybody, _key, reading, place):
            self._add(workforce, words, reader, item if isinstance(item, dict) else {}, number)
        reader.note(reading)
        yield from workforce.identities()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _workforce(self) -> tuple[Words, Workforce]:
        words = Words(self.options, self._where, STATUSES, KINDS)
        return words, Workforce(self, self._where, words, rights=RIGHTS)

    def _everybody(self, _: str | None) -> Page:
        body = {"fields": list(self._asked), "showInactive": True, "humanReadable": "REPLACE"}
        answer = self._http.ask(SEARCH, body)
        told = answer.data.get("employees") if isinstance(answer.data, dict) else None
        if not isinstance(told, list):
            raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of employees", answer.path)
        self.reading.sha256 = answer.sha256
        return Page(told)

    def _add(self, workforce: Workforce, words: Words, reader: Reader, told: dict[str, Any], number: int) -> None:
        if "." in "".join(told):
            told = _nested(told)
        own, name, email = reader.texts(told, ("id", "displayName", "email"))
        work, internal = _part(told, "work"), _part(told, "internal")
        department, title = reader.texts(work, ("department", "title"), "work.")
        lifecycle, said = reader.texts(internal, ("lifecycleStatus", "status"), "internal.")
        manager_key, manager_email = reader.texts(_part(work, "reportsTo"), ("id", "email"), "work.reportsTo.")
        kind = reader.text(_part(_part(told, "payroll"), "employment"), "type", "payroll.employment.")
        hire, end = workforce.days.of((work.get("startDate"), internal.get("terminationDate")))
        if own is None:
            workforce.reject(number, "id", "is missing or no text")
            return
        status = words.status(lifecycle)
        if status is None and (said or "").casefold() == "active":
            status = "active"  # a stage of the company's own, of somebody who works here
        elif status is None and lifecycle is None and (said or "").casefold() == "inactive" and end:
            status = "terminated"  # inactive is also who is on leave: without an end nobody knows
        ours = reader.of(told).text(self._id.removeprefix("root."))
        workforce.add(
            number,
            key=own,
            employee_id=ours or f"hibob-{own}",
            status=status,
            said=lifecycle or said,
            kind=words.kind(kind),
            hire=hire,
            termination=end,
            name=name,
            email=email,
            department=department,
            title=title,
            manager_key=manager_key,
            manager_email=manager_email,
        )


def _key(item: Any) -> str | None:
    return as_text(item.get("id")) if isinstance(item, dict) else None


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    inner = told.get(name)
    return inner if isinstance(inner, dict) else {}


def _nested(told: dict[str, Any]) -> dict[str, Any]:
    """The same where a key holds a whole path, dots and all: such a key goes before what stands at that path."""
    nested = {key: value for key, value in told.items() if "." not in key}
    for path in told.keys() - nested.keys():
        *parts, name = path.split(".")
        holder = nested
        for part in parts:
            holder[part] = dict(_part(holder, part))
            holder = holder[part]
        holder[name] = told[path]
    return nested
