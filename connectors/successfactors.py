"""SAP SuccessFactors: everybody in Employee Central, over OData version 2.

Reads      people with dates, manager, department    scope: Employee Central API, view of the fields asked for
Changes    nothing

Confirmed in SAP's public notes: EmpJob tells only what is effective today unless fromDate and toDate are given
(2638422, 2148752, 2853045: of the outermost entity alone); active users only unless a status is asked for (2166571,
2736579); 1,000 a page with `__next`, and paging=snapshot against gaps (3308165). Names of fields as in
ConductorOne/baton-successfactors. The codes of emplStatus are a picklist that every company can change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import Authorization, Granted, basic, token_endpoint
from connectors.kit.columns import Objects
from connectors.kit.contract import Checked, Circumstances, Field, ReadsColumns
from connectors.kit.forms import FLAG, TEXT, Form, Formed
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pagination import Page, read_lists
from connectors.kit.portions import Meanings, Portion, Standing
from connectors.kit.resource import Reader
from connectors.kit.saml_bearer import Subject, saml_bearer
from connectors.kit.successfactors_jobs import DaysSaid, Employments, begins_on, slice_keys
from connectors.kit.successfactors_slices import Slices
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce, keyed
from governance.errors import ConfigurationError
from governance.records import Rows
from governance.settings import ApplicationSettings, SourceSettings

AUDIENCE: Final = "www.successfactors.com"
RIGHTS: Final = (
    "SuccessFactors leaves empty what the API user's role may not see: give it view of Employment Details and Job"
    " Information of everybody, inactive people too."
)
STATUSES: Final = {
    "a": "active",
    "u": "leave",  # unpaid leave
    "p": "leave",  # paid leave
    "s": "leave",  # suspended
    "f": "leave",  # furlough
    "d": "leave",  # dormant, while the person works elsewhere in the group
    "t": "terminated",
    "r": "terminated",  # retired
    "rns": "terminated",  # reported no show
}
_TEXTS: Final = {
    "key": "userId", "department": "department", "named": "departmentNav.name", "title": "jobTitle",
    "manager_key": "managerId", "said": "emplStatusNav.externalCode", "first": "userNav.firstName",
    "last": "userNav.lastName", "email": "userNav.email", "employee_id": "employmentNav.personIdExternal",
}  # fmt: skip
_DAYS: Final = {
    "begins": "startDate", "hire_date": "employmentNav.startDate", "last_day_of_work": "employmentNav.lastDateWorked",
    "termination_date": "employmentNav.endDate", "contract_end_date": "contractEndDate",
}  # fmt: skip
_CONTINGENT: Final = "employmentNav.isContingentWorker"
_ALIKE: Final = ("department", "departmentNav.name", "jobTitle", "emplStatusNav.externalCode")


class Successfactors(ReadsColumns):
    """People as Employee Central knows them, one engagement for each of their employments."""

    title = "SAP SuccessFactors"
    kind = "source"
    fields = (
        Field("base_url", "The API server, such as https://api4.successfactors.com/.", "url", required=True),
        Field("company_id", "The company's id.", required=True),
        Field("username", "The technical user.", required=True),
        Field("private_key", "The private key of the OAuth client, in PEM form.", "secret"),
        Field("client_id", "The API key of the OAuth client whose certificate is registered; with private_key."),
        Field("certificate", "That certificate, where the assertion is to hold it.", "secret"),
        Field("password", "The user's password, instead of a key; SAP is taking this way out.", "secret"),
        Field("time_zone_field", "The field of EmpJob that holds a person's time zone, such as timezone."),
        Field("page_size", "How many entries to ask for at once.", "number", default=1000),
        *FIELDS,
    )
    tells = TELLS
    scopes = {  # noqa: RUF012 - a declaration
        "pull": (
            "Allow Admin to Access OData API through Basic Authentication (only with a password)",
            "Employee Central API: Employee Central HRIS OData API (read-only)",
            "view of EmpJob, EmpEmployment and User of everybody, inactive people too",
        )
    }
    plans = (
        "Basic authentication is being removed by SAP: use an OAuth client with a key.",
        "Employment codes are a picklist of the company's own: translate what is not known under values.status.",
    )
    covers = (
        "people who work here, on leave too: yes",
        "people who have left: yes, inactive users are asked for",
        "people who have not begun, and terminations to come: yes, what takes effect later is asked for",
        "several employments of one person: yes, taken together by personIdExternal",
        "contingent workers: yes, told apart (isContingentWorker); the end of a work order only from contractEndDate",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        options = self.options
        self._address = check_base(options["base_url"], where, allow_private=options["allow_private"])
        size = whole_option(options, "page_size", where, 1, 1000)
        self._zone_field = zone = text_option(options, "time_zone_field", where)
        own = tuple(filter(None, (zone,)))
        self._workforce()  # so that a wrong option is said before the first pull
        self._tokens: Http | None = None
        self._http = Http(self._address, given, feed.name, auth=self._authorization(where))
        told = dict.fromkeys((*_TEXTS.values(), *_DAYS.values(), "seqNumber", *own), TEXT)
        self._form = Form(told | {_CONTINGENT: FLAG}, "d.results", ("__next",), alike=(*_ALIKE, *own))
        self._employments = Employments(self._http, size, self._form.read, own)

    def check(self) -> Checked:
        """Ask for one entry."""
        self._http.begin()
        self._employments.probe(self.given.now.date())
        return Checked(self._remarks())

    def portions(self) -> Iterator[Rows]:
        """Yield everybody once; IncompleteFeed unless every page came and dates are told."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join("odata/v2/EmpJob")
        words, workforce = self._workforce()
        today = self.given.now.astimezone(workforce.calendar.zone).date()
        reading.filters = f"fromDate={today} userNav/status=all"
        digest = hashlib.sha256()
        reader = Reader(place, self.given.now)
        slices = Slices(today)
        statuses = Meanings(words.status)
        days = DaysSaid()

        def fetch(link: str | None) -> Page:
            return self._employments.page(link, today, digest)

        def keys(items: list[Any]) -> list[str | None]:
            return slice_keys(items, self._form, reader)

        for numbers, items in read_lists(fetch, keys, reading, place):
            rows = self._read(self._form.objects(items, reader), numbers, statuses, days)
            for number, column, reason in sorted(rows.refused):
                workforce.reject(number, column, reason)
            slices.add(rows)
        for rows in slices.employments():
            workforce.take(rows)
        reading.duplicates += slices.further
        reading.sha256 = digest.hexdigest()
        reading.notes += self._remarks()
        reader.note(reading)
        yield from workforce.people()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()
        if self._tokens:
            self._tokens.close()

    def _workforce(self) -> tuple[Words, Workforce]:
        words = Words(self.options, self._where, STATUSES, {})
        return words, Workforce(self, self._where, words, rights=RIGHTS)

    def _remarks(self) -> tuple[str, ...]:
        return tuple(f"the data model has no {name}" for name in self._employments.unknown)

    def _authorization(self, where: str) -> Authorization:
        secrets, options = self.given.secrets, self.options
        company, user = (text_option(options, name, where) or "" for name in ("company_id", "username"))
        client, key = text_option(options, "client_id", where), secrets.get("private_key")
        if bool(client) != bool(key):
            raise ConfigurationError(f"{where}: client_id and private_key belong together")
        if not key or not client:
            if not secrets.get("password"):
                raise ConfigurationError(f"{where}: expected client_id and private_key, or a password")
            return basic(f"{user}@{company}", secrets["password"], f"{where}: username")
        tokens = self._tokens = Http(self._address, self.given, self.feed.name)
        subject = Subject(client, company, user, AUDIENCE, self._address.join("oauth/token"))
        signed = saml_bearer(
            subject, key, secrets.get("certificate"), f"{where}: private_key", lambda: tokens.deadline.now
        )
        return Granted(token_endpoint(tokens, "oauth/token", signed, self.feed.name))

    def _read(
        self, jobs: Objects | Formed, numbers: Sequence[int], statuses: Meanings[str | None], days: DaysSaid
    ) -> Standing:
        """What each entry tells; those that are nobody's or begin on no day are refused."""
        told: dict[str, list[Any]] = {ours: jobs.texts(theirs) for ours, theirs in _TEXTS.items()}
        told |= {ours: days.of(jobs.values(theirs)) for ours, theirs in _DAYS.items()}
        told["kind"] = ["contingent" if flag else "employee" for flag in jobs.flags(_CONTINGENT)]
        told["status"] = list(map(statuses.__getitem__, told["said"]))
        told["display_name"] = _names(told["first"], told["last"])
        told["department"] = [name or code for name, code in zip(told["named"], told["department"], strict=True)]
        if self._zone_field:
            told["time_zone"] = jobs.texts(self._zone_field)
        rows = Standing(Portion(numbers, told))
        keyed(rows, "userId")
        rows.read("begins", begins_on, "begins", blamed="startDate")
        return rows


def _names(first: list[str | None], last: list[str | None]) -> list[str | None]:
    """What each is called in full."""
    both = zip(first, last, strict=True)
    if all(first) and all(last):
        return [f"{one} {other}" for one, other in both]
    return [" ".join(filter(None, parts)) or None for parts in both]
