"""Personio: everybody in the employee list, those who have left and those who are being onboarded included.

Reads      people with dates, supervisor, department         scope: readable employee attributes of an API credential
Changes    nothing

Confirmed in Personio's own description (personio/api-docs, personio-personnel-data-api-oa3.yaml and
personio-auth-api.yaml): paths, paging by offset with `metadata.total_elements`, attributes as {label, value, type},
inactive people in the same list. Confirmed in its changelog: at most 100 people a page since January 2025; 300 requests
a minute and 15 a second for this list. Version 2 needs a request of its own for each person's employments.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from connectors.kit.addresses import check_base
from connectors.kit.columns import Objects
from connectors.kit.contract import Checked, Circumstances, Field, ReadsColumns
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import Page, read_lists
from connectors.kit.personio_token import Rotating, requested, told_well
from connectors.kit.portions import Meanings, Portion, Standing
from connectors.kit.resource import Reader, as_text
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce, keyed, numbered
from governance.errors import ConfigurationError, IncompleteFeed, UnexpectedAnswer
from governance.records import Rows
from governance.settings import ApplicationSettings, SourceSettings

PATH: Final = "v1/company/employees"
ASKED: Final = (
    "id", "first_name", "last_name", "email", "status", "hire_date", "termination_date", "last_working_day",
    "contract_end_date", "employment_type", "supervisor", "department", "position",
)  # fmt: skip
ESSENTIAL: Final = ("status", "hire_date", "termination_date")
RIGHTS: Final = (
    "In Personio under Settings, API credentials: add {attributes} to the readable employee attributes of this"
    " credential."
)
STATUSES: Final = {"active": "active", "inactive": "terminated", "onboarding": "future", "leave": "leave"}
KINDS: Final = {"internal": "employee", "external": "contingent"}
_TEXTS: Final = {
    "key": "id", "said": "status", "first": "first_name", "last": "last_name", "email": "email", "title": "position",
    "kind": "employment_type", "department": "department.attributes.name",
    "manager_key": "supervisor.attributes.id.value",
}  # fmt: skip
_DAYS: Final = {
    "hire_date": "hire_date", "last_day_of_work": "last_working_day", "termination_date": "termination_date",
    "contract_end_date": "contract_end_date",
}  # fmt: skip


class Personio(ReadsColumns):
    """People as Personio lists them to an API credential."""

    title = "Personio"
    kind = "source"
    fields = (
        Field("client_id", "The client id of an API credential that may read employees.", required=True),
        Field("token", "Its client secret.", "secret", required=True),
        Field(
            "employee_id",
            "Which attribute is the employee id: id is Personio's own, dynamic_12345 one of the company's.",
            default="id",
        ),
        Field("page_size", "How many people to ask for at once.", "number", default=100),
        Field("base_url", "The address of the API.", "url", default="https://api.personio.de/"),
        *FIELDS,
    )
    tells = TELLS
    scopes = {  # noqa: RUF012 - a declaration
        "pull": ("Employees: read", f"readable employee attributes: {', '.join(ASKED[1:])}")
    }
    plans = (
        "Only attributes that the credential may read are told: without status, hire date and termination date a pull"
        " is refused.",
        "Whoever's termination date has passed becomes inactive overnight: until then both facts stand side by side.",
    )
    limits = (RateLimit(300, 60, PATH), RateLimit(15, 1, PATH))
    covers = (
        "people who work here, on leave too: yes",
        "people who have left, and those who will: yes, with the last working day where it is told",
        "people who have not begun: yes (onboarding)",
        "external staff: yes, told apart by their employment type",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        self._address = check_base(self.options["base_url"], where, allow_private=self.options["allow_private"])
        self._size = whole_option(self.options, "page_size", where, 1, 100)
        self._id = text_option(self.options, "employee_id", where) or "id"
        self._workforce()  # so that a wrong option is said before the first pull
        client = text_option(self.options, "client_id", where) or ""
        secret = given.secrets.get("token")
        if not secret:
            raise ConfigurationError(f"{where}: token: is empty")
        self._tokens = Http(self._address, given, feed.name, headers={"Accept": "application/json"})
        self._auth = Rotating(requested(self._tokens, client, secret, feed.name))
        self._http = Http(self._address, given, feed.name, auth=self._auth, limits=self.limits)

    def check(self) -> Checked:
        """Ask for one person, and which attributes may not be read."""
        self._http.begin()
        page = self._page(0, 1)
        missing = {name for item in page.items for name in ASKED if name not in _values(item)}
        notes = (f"{page.total} people are listed",) if page.total is not None else ()
        return Checked(notes, tuple(f"readable attribute {name}" for name in ASKED if name in missing))

    def portions(self) -> Iterator[Rows]:
        """Yield everybody once; IncompleteFeed unless as many came as are counted and the dates may be read."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join(PATH)
        digest = hashlib.sha256()
        reader = Reader(place, self.given.now)
        words, workforce = self._workforce()
        statuses = Meanings(words.status)
        absent, asked = Counter[str](), frozenset(ASKED)

        def fetch(cursor: str | None) -> Page:
            return self._page(int(cursor or 0), self._size, digest)

        for numbers, items in read_lists(fetch, lambda page: list(map(_key, page)), reading, place):
            people = list(map(_values, items))
            for told in people:
                if lacking := asked - told.keys():
                    absent.update(lacking)
            self._take(Objects(people, reader), numbers, workforce, statuses)
        unreadable = [name for name in ASKED if absent[name] and absent[name] == reading.rows_read]
        if hidden := [name for name in ESSENTIAL if name in unreadable]:
            listed = " and ".join(hidden)
            raise IncompleteFeed(f"{place}: {listed} may not be read. {RIGHTS.format(attributes=listed)}")
        if unreadable:
            reading.notes.append(f"{', '.join(unreadable)} may not be read")
        reading.sha256 = digest.hexdigest()
        reader.note(reading)
        yield from workforce.people()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()
        self._tokens.close()

    def _workforce(self) -> tuple[Words, Workforce]:
        words = Words(self.options, self._where, STATUSES, KINDS)
        return words, Workforce(self, self._where, words)

    def _page(self, offset: int, size: int, digest: Any = None) -> Page:
        asked = [("limit", str(size)), ("offset", str(offset))]
        asked += [("attributes[]", name) for name in dict.fromkeys((*ASKED, self._id))]
        answer = self._http.get(f"{PATH}?{urlencode(asked)}")
        self._auth.heard(answer.headers)
        told = told_well(answer)
        items = told.get("data")
        if not isinstance(items, list):
            raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of data", answer.path)
        if digest is not None:
            digest.update(answer.sha256.encode())
        total = Reader(self.feed.name, self.given.now).of(told.get("metadata")).number("total_elements")
        following = offset + len(items)
        more = bool(items) and (following < total if total is not None else len(items) >= size)
        return Page(items, str(following) if more else None, total)

    def _take(
        self, people: Objects, numbers: Sequence[int], workforce: Workforce, statuses: Meanings[str | None]
    ) -> None:
        told = {ours: people.texts(theirs) for ours, theirs in _TEXTS.items()}
        told |= {ours: workforce.days.of(people.values(theirs)) for ours, theirs in _DAYS.items()}
        both = zip(told["first"], told["last"], strict=True)
        told["display_name"] = [" ".join(filter(None, parts)) or None for parts in both]
        told["number"] = told["key"] if self._id == "id" else people.texts(self._id)
        told["status"] = list(map(statuses.__getitem__, told["said"]))
        rows = Standing(Portion(numbers, told))
        keyed(rows, "id")
        numbered(rows, "personio")
        workforce.take(rows)


def _values(item: Any) -> dict[str, Any]:
    """What each attribute is; one that is not {label, value, type} stays as it is."""
    attributes = item.get("attributes") if isinstance(item, dict) else None
    if not isinstance(attributes, dict):
        return {}
    return {k: a["value"] if isinstance(a, dict) and "value" in a else a for k, a in attributes.items()}


def _key(item: Any) -> str | None:
    attributes = item.get("attributes") if isinstance(item, dict) else None
    told = attributes.get("id") if isinstance(attributes, dict) else None
    return as_text(told["value"] if isinstance(told, dict) and "value" in told else told)
