"""HiBob: everybody in Bob, those who have left and those who are hired included.

Reads      people with dates, manager, department            scope: see People's data of everybody, inactive ones too
Changes    nothing

Confirmed in the vendor's documentation (apidocs.hibob.com, People read API contract and Search for employees): a search
tells everybody at once without pages, active ones only unless `showInactive` is set, and leaves out silently what the
service user may not see. On leave is Inactive too (webhook Employee inactivated), so the lifecycle status decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import basic
from connectors.kit.columns import Objects, names_of
from connectors.kit.contract import Checked, Circumstances, Field, ReadsColumns
from connectors.kit.forms import TEXT, Formed
from connectors.kit.http import Http
from connectors.kit.long_lists import LongForm, LongList
from connectors.kit.options import feed_table, text_option
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import read_portions
from connectors.kit.portions import Meanings, Portion, Standing
from connectors.kit.resource import Reader, as_text
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce, keyed, numbered
from governance.errors import ConfigurationError, UnexpectedAnswer
from governance.records import Rows
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
_TEXTS: Final = {
    "key": "id", "display_name": "displayName", "email": "email", "department": "work.department",
    "title": "work.title", "lifecycle": "internal.lifecycleStatus", "internal": "internal.status",
    "manager_key": "work.reportsTo.id", "manager_email": "work.reportsTo.email", "kind": "payroll.employment.type",
}  # fmt: skip
_DAYS: Final = {"hire_date": "work.startDate", "termination_date": "internal.terminationDate"}
_ALIKE: Final = (
    "work.department",
    "work.title",
    "internal.status",
    "internal.lifecycleStatus",
    "payroll.employment.type",
)
_Status = tuple[str | None, str | None]  # what was said, and our word for it


class Hibob(ReadsColumns):
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

    def portions(self) -> Iterator[Rows]:
        """Yield everybody once; IncompleteFeed when what decides is told of nobody."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join(SEARCH)
        reading.filters = "showInactive=true"
        reader = Reader(place, self.given.now)
        words, workforce = self._workforce()
        self._take_all(words, workforce, reader)
        reader.note(reading)
        yield from workforce.people()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def _workforce(self) -> tuple[Words, Workforce]:
        words = Words(self.options, self._where, STATUSES, KINDS)
        return words, Workforce(self, self._where, words, rights=RIGHTS)

    def _everybody(self, form: LongForm) -> LongList | list[Any]:
        body = {"fields": list(self._asked), "showInactive": True, "humanReadable": "REPLACE"}
        answer = self._http.ask(SEARCH, body, form=form.read)
        told = answer.data.get("employees") if isinstance(answer.data, dict) else None
        if not isinstance(told, LongList | list):
            raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of employees", answer.path)
        self.reading.sha256 = answer.sha256
        return told

    def _take_all(self, words: Words, workforce: Workforce, reader: Reader) -> None:
        """Take in everybody; what was read is given back on the way, and the answer at the end."""
        statuses = Meanings(partial(_status, words))
        paths = (*_TEXTS.values(), *_DAYS.values(), self._id.removeprefix("root."))
        form = LongForm(dict.fromkeys(paths, TEXT), "employees", alike=_ALIKE, dots_lead=True)
        portions = form.portions(self._everybody(form))
        for numbers, items in read_portions(portions, lambda some: form.keys(some, "id", reader), self.reading):
            if any("." in name for name in names_of(items)):
                items = [_nested(item) if type(item) is dict else item for item in items]
            people = form.objects(items, reader)
            self._take(people, numbers, workforce, statuses)

    def _take(
        self, people: Objects | Formed, numbers: Sequence[int], workforce: Workforce, statuses: Meanings[_Status]
    ) -> None:
        told = {ours: people.texts(theirs) for ours, theirs in _TEXTS.items()}
        told |= {ours: workforce.days.of(people.values(theirs)) for ours, theirs in _DAYS.items()}
        told["number"] = people.texts(self._id.removeprefix("root."))
        ended = map(bool, told["termination_date"])
        read = map(statuses.__getitem__, zip(told["lifecycle"], told["internal"], ended, strict=True))
        told["said"], told["status"] = map(list, zip(*read, strict=True))
        rows = Standing(Portion(numbers, told))
        keyed(rows, "id")
        numbered(rows, "hibob")
        workforce.take(rows)


def _status(words: Words, told: tuple[str | None, str | None, bool]) -> _Status:
    """The word that says who works here, and what it means: the lifecycle's, else whether somebody is active."""
    lifecycle, said, ended = told
    status = words.status(lifecycle)
    if status is None and (said or "").casefold() == "active":
        status = "active"  # a stage of the company's own, of somebody who works here
    elif status is None and lifecycle is None and (said or "").casefold() == "inactive" and ended:
        status = "terminated"  # inactive is also who is on leave: without an end nobody knows
    return lifecycle or said, status


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
