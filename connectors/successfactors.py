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
from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import Authorization, Granted, basic, token_endpoint
from connectors.kit.contract import Checked, Circumstances, Connector, Field
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option, whole_option
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader
from connectors.kit.saml_bearer import Subject, saml_bearer
from connectors.kit.successfactors_jobs import Employments, day, slice_key
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce
from governance.errors import ConfigurationError
from governance.records import Record
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
_Slice = tuple[date, int, dict[str, Any]]  # from which day on, where it stands in the list, and the entry


class Successfactors(Connector):
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
        zone = text_option(options, "time_zone_field", where)
        self._zone_field = zone
        self._workforce()  # so that a wrong option is said before the first pull
        self._tokens: Http | None = None
        self._http = Http(self._address, given, feed.name, auth=self._authorization(where))
        self._employments = Employments(self._http, size, tuple(filter(None, (zone,))))

    def check(self) -> Checked:
        """Ask for one entry."""
        self._http.begin()
        self._employments.probe(self.given.now.date())
        return Checked(self._remarks())

    def records(self) -> Iterator[Record]:
        """Yield everybody once; IncompleteFeed unless every page came and dates are told."""
        self._http.begin()
        reading, place = self.reading, self.feed.name
        reading.source = self._address.join("odata/v2/EmpJob")
        words, workforce = self._workforce()
        today = self.given.now.astimezone(workforce.calendar.zone).date()
        reading.filters = f"fromDate={today} userNav/status=all"
        digest = hashlib.sha256()
        reader = Reader(place, self.given.now)
        slices: dict[str, list[_Slice]] = {}

        def fetch(link: str | None) -> Page:
            return self._employments.page(link, today, digest)

        for number, item in read_pages(fetch, slice_key, reading, place):
            entry = item if isinstance(item, dict) else {}
            user, begins = reader.text(entry, "userId"), day(entry.get("startDate"))
            if user is None:
                workforce.reject(number, "userId", "is missing or no text")
            elif begins is None or (first := _day(begins)) is None:
                workforce.reject(number, "startDate", f"{str(begins)[:40]!r} is no date")
            else:
                slices.setdefault(user, []).append((first, number, entry))
        for user, entries in slices.items():
            if len(entries) > 1:
                entries.sort(key=lambda entry: entry[:2])
            self._add(workforce, words, reader, user, entries, today)
            reading.duplicates += len(entries) - 1
        reading.sha256 = digest.hexdigest()
        reading.notes += self._remarks()
        reader.note(reading)
        yield from workforce.identities()

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

    def _add(
        self,
        workforce: Workforce,
        words: Words,
        reader: Reader,
        user: str,
        entries: list[_Slice],
        today: date,
    ) -> None:
        """One employment: what is effective today, and what of it will change."""
        begun = [entry for entry in entries if entry[0] <= today]
        _, number, job = begun[-1] if begun else entries[0]
        department, title, manager = reader.texts(job, ("department", "jobTitle", "managerId"))
        said = reader.text(_part(job, "emplStatusNav"), "externalCode", "emplStatusNav.")
        named = reader.text(_part(job, "departmentNav"), "name", "departmentNav.")
        person, employment = _part(job, "userNav"), _part(job, "employmentNav")
        given, family, email = reader.texts(person, ("firstName", "lastName", "email"), "userNav.")
        contingent = employment.get("isContingentWorker")
        if contingent is not False and contingent is not True:
            contingent = reader.of(employment).flag("isContingentWorker")
        status = words.status(said)
        if status in ("active", "leave") and not begun:
            status = "future"
        end = day(employment.get("endDate"))
        coming = None
        if len(entries) > len(begun):
            coming = next((b for b, _, e in entries if b > today and _ended(words, reader, e)), None)
        if status != "terminated" and end is None and coming is not None:
            end = (coming - timedelta(days=1)).isoformat()  # the status changes on the day after the last one
        workforce.add(
            number,
            key=user,
            employee_id=reader.text(employment, "personIdExternal", "employmentNav."),
            status=status,
            said=said,
            kind="contingent" if contingent else "employee",
            hire=day(employment.get("startDate")) or (None if begun else entries[0][0].isoformat()),
            last_day=day(employment.get("lastDateWorked")),
            termination=end,
            contract_end=day(job.get("contractEndDate")),
            name=" ".join(filter(None, (given, family))) or None,
            email=email,
            department=named or department,
            title=title,
            manager_key=manager,
            zone=reader.of(job).text(self._zone_field) if self._zone_field else None,
        )


def _part(entry: dict[str, Any], name: str) -> dict[str, Any]:
    inner = entry.get(name)
    return inner if isinstance(inner, dict) else {}


def _ended(words: Words, reader: Reader, entry: dict[str, Any]) -> bool:
    return words.status(reader.text(_part(entry, "emplStatusNav"), "externalCode", "emplStatusNav.")) == "terminated"


@lru_cache(maxsize=50_000)
def _day(begins: str) -> date | None:
    try:
        return date.fromisoformat(begins)
    except ValueError:
        return None
