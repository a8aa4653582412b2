"""Workday: everybody in one custom report, which is offered as a web service (RaaS).

Reads      people with dates, manager, department; whatever the report has columns for      scope: run this one report
Changes    nothing

The report's author decides what is in it: type Advanced, Enable As Web Service, data source All Active and Terminated
Workers (the usual one hides who has left). Confirmed: address and prompts (docs.workato.com and ServiceNow's pages on
Workday RaaS), `Report_Entry` and tokens for a refresh token at /ccx/oauth2/TENANT/token (Workday/raas-python), days
with an offset such as 2018-10-01-07:00 (workdayr). Not confirmed, and therefore configurable: every column's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from connectors.kit.addresses import check_base
from connectors.kit.authorization import Granted, basic, token_endpoint
from connectors.kit.contract import Checked, Circumstances, Field, ReadsColumns
from connectors.kit.forms import TEXT
from connectors.kit.http import Http
from connectors.kit.long_lists import LongForm, LongList, plainly
from connectors.kit.options import columns_option, feed_table, text_option, whole_option
from connectors.kit.portions import Meanings, Portion, Standing
from connectors.kit.redaction import guard_logs
from connectors.kit.resource import Reader
from connectors.kit.terms import DATES
from connectors.kit.workforce import FIELDS, TELLS, Words, Workforce
from governance.errors import ConfigurationError, IncompleteFeed, UnexpectedAnswer
from governance.records import Rows
from governance.settings import ApplicationSettings, SourceSettings

COLUMNS: Final = {
    "employee_id": "Employee_ID",
    "work_email": "Email_-_Primary_Work",
    "active": "Active_Status",
    "status": "Worker_Status",
    "on_leave": "On_Leave",
    "hire_date": "Hire_Date",
    "termination_date": "Termination_Date",
    "last_day_of_work": "Last_Day_of_Work",
    "contract_end_date": "Contract_End_Date",
    "worker_type": "Worker_Type",
    "manager_employee_id": "Manager_Employee_ID",
    "manager_email": "Manager_Email",
    "department": "Department",
    "job_title": "Business_Title",
    "display_name": "Worker",
    "time_zone": "Time_Zone",
}
ALIKE: Final = ("active", "status", "on_leave", "worker_type", "department", "job_title", "time_zone")
# Where the rest of the kit has another name for what a column tells.
_NAMED: Final = {
    "work_email": "email", "worker_type": "kind", "manager_employee_id": "manager_id", "job_title": "title",
}  # fmt: skip
_Status = tuple[str | None, str | None]  # what was said, and our word for it
STATUSES: Final = {"active": "active", "on leave": "leave", "terminated": "terminated", "retired": "terminated"}
KINDS: Final = {"contingent worker": "contingent", "contractor": "contingent", "regular": "employee"}
FLAGS: Final = {"1": True, "0": False, "true": True, "false": False, "yes": True, "no": False}
PATIENCE_S: Final = 1800.0  # a report is made before its first byte leaves
LARGEST: Final = 256 * 1024 * 1024


class Workday(ReadsColumns):
    """People as one report of Workday lists them."""

    title = "Workday (report as a service)"
    kind = "source"
    fields = (
        Field("base_url", "The host, such as https://services1.myworkday.com/.", "url", required=True),
        Field("tenant", "The tenant's name, as it stands in the report's address.", required=True),
        Field("report", "Owner and name of the report, such as hr_reports/Leaverwatch.", required=True),
        Field("username", "The integration system user, such as ISU_Leaverwatch; with a password."),
        Field("password", "That user's password.", "secret"),
        Field("client_id", "The id of an API client, instead of a user; with client_secret and refresh_token."),
        Field("client_secret", "The API client's secret.", "secret"),
        Field("refresh_token", "A refresh token of the API client.", "secret"),
        Field("columns", 'What the report calls its columns: hire_date = "Start_Date".', "table"),
        Field("prompts", 'What the report asks for: Company = "Northwind".', "table"),
        Field(
            "as_of_prompt",
            "The prompt that says as of which day the report is made; then leavers to come are read too.",
        ),
        Field("ahead_days", "How many days ahead that day lies.", "number", default=60),
        *FIELDS,
    )
    tells = TELLS
    scopes = {  # noqa: RUF012 - a declaration
        "pull": (
            "run the one report",
            "Get on Worker Data: Public Worker Reports, Current Staffing Information, Employment Data",
        )
    }
    plans = (
        "A report whose data source is not All Active and Terminated Workers hides everybody who has left.",
        "Terminations to come are only in a report made as of a later day: name its prompt in as_of_prompt.",
        "A report takes minutes: give the feed a deadline of 15 to 30 minutes. More than 256 MB are refused.",
        "A report of more than 32 MB lies in a temporary file while it is read.",
        "During the weekly maintenance Workday does not answer: that pull fails and the next one goes on.",
    )
    covers = (
        "people who work here, on leave too: yes",
        "people who have left: yes, where the report's data source has them",
        "people who have not begun, and terminations to come: yes, as far as as_of_prompt looks ahead",
        "contingent workers: yes, with the end of their contract",
    )

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        options = self.options
        self._address = check_base(options["base_url"], where, allow_private=options["allow_private"])
        tenant, report = text_option(options, "tenant", where) or "", text_option(options, "report", where) or ""
        if report.count("/") != 1 or not all(report.split("/")):
            raise ConfigurationError(f"{where}: report: expected owner and name, such as hr_reports/Leaverwatch")
        self._path = f"ccx/service/customreport2/{tenant}/{report}"
        self._columns = {**COLUMNS, **columns_option(options, where, tuple(COLUMNS))}
        alike = (self._columns[ours] for ours in ALIKE)
        self._form = LongForm(dict.fromkeys(self._columns.values(), TEXT), "Report_Entry", alike=tuple(alike))
        self._prompts = _prompts(options.get("prompts"), where)
        self._as_of = text_option(options, "as_of_prompt", where)
        self._ahead = whole_option(options, "ahead_days", where, 0, 730)
        self._workforce()  # so that a wrong option is said before the first pull
        self._tokens: Http | None = None
        # One answer holds everybody.
        given = replace(given, max_answer_bytes=max(given.max_answer_bytes, LARGEST))
        auth = self._authorization(tenant, where)
        self._http = Http(self._address, given, feed.name, auth=auth, read_s=PATIENCE_S, stored=True)

    def check(self) -> Checked:
        """Make the report: Workday offers nothing cheaper that proves the right to it."""
        self._http.begin()
        rows, _ = self._report(self.given.now)
        found = {name for some in plainly(rows) for row in some if isinstance(row, dict) for name in row}
        missing = tuple(
            f"column {name} ({ours})" for ours, name in self._columns.items() if found and name not in found
        )
        return Checked((f"{len(rows)} rows are in the report",), missing)

    def portions(self) -> Iterator[Rows]:
        """Yield everybody once; UnexpectedAnswer when the report lacks the columns that decide."""
        self._http.begin()
        reading = self.reading
        reading.source = self._address.join(self._path)
        words, workforce = self._workforce()
        self._take_all(words, workforce)
        yield from workforce.people()

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()
        if self._tokens:
            self._tokens.close()

    def _workforce(self) -> tuple[Words, Workforce]:
        words = Words(self.options, self._where, STATUSES, KINDS)
        return words, Workforce(self, self._where, words)

    def _authorization(self, tenant: str, where: str) -> Any:
        secrets = self.given.secrets
        user, client = text_option(self.options, "username", where), text_option(self.options, "client_id", where)
        if bool(user) == bool(client):
            raise ConfigurationError(f"{where}: expected either username and password or client_id and its secrets")
        if user:
            if not secrets.get("password"):
                raise ConfigurationError(f"{where}: password: is empty")
            return basic(user if "@" in user else f"{user}@{tenant}", secrets["password"], f"{where}: username")
        for name in ("client_secret", "refresh_token"):
            if not secrets.get(name):
                raise ConfigurationError(f"{where}: {name}: is empty")
        guard_logs([secrets["client_secret"], secrets["refresh_token"]])
        form = {
            "grant_type": "refresh_token",
            "refresh_token": secrets["refresh_token"],
            "client_id": client or "",
            "client_secret": secrets["client_secret"],
        }
        self._tokens = Http(self._address, self.given, self.feed.name)
        return Granted(token_endpoint(self._tokens, f"ccx/oauth2/{tenant}/token", lambda: form, self.feed.name))

    def _report(self, today: datetime) -> tuple[LongList | list[Any], str]:
        """Every row, and the digest of the answer. An empty report has no key or an empty list."""
        params = {"format": "json", **self._prompts}
        if self._as_of:
            params[self._as_of] = (today + timedelta(days=self._ahead)).date().isoformat()
        self.reading.filters = " ".join(f"{name}={value}" for name, value in params.items() if name != "format")
        answer = self._http.get(self._path, params, form=self._form.read)
        rows = answer.data.get("Report_Entry", []) if isinstance(answer.data, dict) else None
        if not isinstance(rows, LongList | list):
            raise UnexpectedAnswer(f"{answer.path}: the answer holds no list of Report_Entry", answer.path)
        return rows, answer.sha256

    def _needs(self, rows: LongList | list[Any]) -> None:
        """Columns are the author's: without those that decide, say which names were expected and which are there."""
        if not rows:
            raise IncompleteFeed(f"{self.feed.name}: the report is empty; that is not believed")
        found: dict[str, None] = {}

        def lacks(*ours: str) -> bool:
            return not any(self._columns[name] in found for name in ours)

        for some in plainly(rows):
            found |= dict.fromkeys(name for row in some if isinstance(row, dict) for name in row)
            lacking = [ours for ours in ("employee_id", "hire_date") if lacks(ours)]
            if lacks("active", "status"):
                lacking.append("active or status")
            if not lacking:
                return
        shown = ", ".join(str(name)[:40] for name in list(found)[:40])
        raise UnexpectedAnswer(
            f"{self.feed.name}: the report has no column for {', '.join(lacking)}: name it under columns;"
            f" found: {shown}",
            self._path,
        )

    def _take_all(self, words: Words, workforce: Workforce) -> None:
        """Take in everybody; what was read is given back on the way, and the answer at the end."""
        reading = self.reading
        rows, reading.sha256 = self._report(self.given.now.astimezone(workforce.calendar.zone))
        reading.pages, reading.rows_read = 1, len(rows)
        self._needs(rows)
        reader = Reader(self.feed.name, self.given.now)
        statuses = Meanings(partial(_status, words))
        number = 1
        for some in self._form.portions(rows):
            people = self._form.objects(some, reader)
            texts = ((ours, self._columns[ours]) for ours in COLUMNS if ours not in DATES)
            told = {_NAMED.get(ours, ours): people.texts(theirs) for ours, theirs in texts}
            told |= {ours: workforce.days.of(people.values(self._columns[ours])) for ours in DATES}
            self._take(Standing(Portion(range(number, number + len(people)), told)), workforce, statuses)
            number += len(people)
        reader.note(reading)

    def _take(self, rows: Standing, workforce: Workforce, statuses: Meanings[_Status]) -> None:
        told = rows.columns
        read = map(statuses.__getitem__, zip(told["status"], told["active"], told["on_leave"], strict=True))
        told["said"], told["status"] = map(list, zip(*read, strict=True))
        rows.read("status", self._dated, "hire_date", "termination_date", "last_day_of_work", "status")
        workforce.take(rows)

    def _dated(self, hire: str | None, end: str | None, last_day: str | None, status: str | None) -> str | None:
        if status == "terminated" and not (last_day or end) and (self._as_of or hire is None):
            raise ValueError(
                "is inactive without an end: as of when nobody knows" if self._as_of else "is inactive, no date"
            )
        return status


def _status(words: Words, told: tuple[str | None, str | None, str | None]) -> _Status:
    """The word that says who works here, and what it means; the column Active stands in for it."""
    said, active_said, on_leave = told
    status = words.status(said)
    active = FLAGS.get(active_said.casefold()) if active_said else None
    if said is None and active is not None:
        status = "active" if active else "terminated"
    if status == "active" and on_leave and FLAGS.get(on_leave.casefold()):
        status = "leave"
    return said or active_said, status


def _prompts(told: Any, where: str) -> dict[str, str]:
    if told is None:
        return {}
    if not isinstance(told, Mapping) or not all(isinstance(value, str) for value in told.values()):
        raise ConfigurationError(f'{where}: prompts: expected names and texts, such as Company = "Northwind"')
    return dict(told)
