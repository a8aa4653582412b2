"""HR file: people and their engagements from a delimited text file in a folder, here or on an SFTP server.

Reads      people, whether they still work here, until when, and what they are   scope: read access to the file
Changes    nothing
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from operator import itemgetter
from pathlib import Path

from connectors.kit.contract import Checked, Circumstances, Connector, Field
from connectors.kit.engagements import KINDS, STATUSES, Engagement, Roster, state_of
from connectors.kit.feed_file import SFTP, FeedFile
from connectors.kit.instants import Calendar, Days
from connectors.kit.options import (
    columns_option,
    delimiter_option,
    feed_table,
    text_option,
    values_option,
)
from connectors.kit.tables import Table
from governance.errors import ConfigurationError
from governance.records import Reading, Record
from governance.settings import ApplicationSettings, SourceSettings

COLUMNS = (
    "employee_id", "status", "work_email", "hire_date", "termination_date", "last_day_of_work", "worker_type",
    "contract_end_date", "manager_employee_id", "manager_email", "manager_name", "department", "job_title", "location",
    "time_zone", "display_name", "aliases", "cost_center", "legal_entity", "updated_at",
)  # fmt: skip
_MANGLED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


class HrCsv(Connector):
    """People as the HR system exports them."""

    title = "HR file (CSV)"
    kind = "source"
    fields = (
        Field(
            "path",
            "A file, a folder or a glob, also as sftp://host/folder/hr_*.csv; the newest file is read.",
            "path",
            required=True,
        ),
        Field("time_zone", "Where a day begins and ends, such as Europe/Berlin.", default="UTC"),
        Field("date_format", "How dates are written, such as %d.%m.%Y; without it only 2026-11-23."),
        Field("default_status", "The status of every row, only for a file without a status column."),
        Field("columns", 'Where the header differs: ours = "theirs".', "table"),
        Field("values", "Where values differ, such as [source.values.status] A = 'active'.", "table"),
        Field(
            "termination_date_is_last_day",
            "Whether termination_date is the last day of work (else the first day without).",
            "flag",
            default=True,
        ),
        Field("encoding", "The encoding, where it is not to be recognised."),
        Field("delimiter", "The delimiter, where it is not to be recognised."),
        *SFTP,
    )
    tells = frozenset({"source.read", "owner.state", "owner.ended_at", "owner.left_on", "owner.attributes"})
    scopes = {"pull": ("read access to the file and its folder",)}  # noqa: RUF012 - a declaration
    covers = ("everybody the file holds: yes, those who have left and are to begin as far as it has them",)

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = feed_table(feed)
        self._where = where
        self._path = text_option(self.options, "path", where) or ""
        self._renamed = columns_option(self.options, where, COLUMNS)
        values = values_option(self.options, where, {"status": STATUSES, "worker_type": KINDS})
        self._statuses, self._worker_types = values["status"], values["worker_type"]
        self._default_status = text_option(self.options, "default_status", where)
        if self._default_status not in (None, *STATUSES):
            raise ConfigurationError(f"{where}: default_status: expected one of {', '.join(STATUSES)}")
        self._last_day = self.options["termination_date_is_last_day"]
        if not isinstance(self._last_day, bool):
            raise ConfigurationError(f"{where}: termination_date_is_last_day: expected true or false")
        self._encoding = text_option(self.options, "encoding", where)
        self._delimiter = delimiter_option(self.options, where)
        self._days = (text_option(self.options, "time_zone", where), text_option(self.options, "date_format", where))
        self._calendar = Calendar(*self._days, where)
        self._file = FeedFile(self._path, self.options, given, where)

    def check(self) -> Checked:
        """There is a newest file and its header can be understood."""
        with self._file.newest(self.reading) as path:
            self._open(path, Reading())
        return Checked()

    def records(self) -> Iterator[Record]:
        """Yield every identity once; a row that cannot be believed is quarantined, a file that cannot is refused."""
        with self._file.newest(self.reading) as path:
            yield from self._read(self._open(path, self.reading))

    def _read(self, table: Table) -> Iterator[Record]:
        calendar = self._calendar = Calendar(*self._days, self._where)
        rows = _Rows(self, table)
        roster = Roster(self.feed.name)
        for line, row in table.rows():
            engagement = rows.read(line, row)
            if engagement:
                roster.add(engagement)
        doubtful = rows.doubtful if calendar.mixed else {}
        self.reading.kept = roster.settle(
            doubtful, lambda e, why: table.reject(e.line, doubtful.get(e.line, "employee_id"), why)
        )
        self.reading.duplicates = roster.merged
        table.judge()
        if roster.merged:
            table.note(f"{roster.merged} rows are further engagements of somebody, or the same row again")
        for name, count in sorted(calendar.unknown_zones.items()):
            table.note(f"time zone {name[:40]!r} is not known: {calendar.zone.key} is used in {count} rows")
        for name, count in sorted(rows.unknown_types.items()):
            table.note(f"worker_type {name[:40]!r} is not known: taken as employee in {count} rows")
        yield from roster.identities()

    def _open(self, path: Path, reading: Reading) -> Table:
        return Table(
            path,
            reading,
            self._where,
            known=COLUMNS,
            required=("employee_id",) if self._default_status else ("employee_id", "status"),
            renamed=self._renamed,
            encoding=self._encoding,
            delimiter=self._delimiter,
            totals=True,
        )


class _Rows:
    """Turns rows of one file into engagements, or quarantines them."""

    def __init__(self, feed: HrCsv, table: Table) -> None:
        self.doubtful: dict[int, str] = {}  # line -> the column whose date reads two ways
        self.unknown_types: Counter[str] = Counter()
        self._feed, self._table = feed, table
        self._calendar = feed._calendar
        self._cells = itemgetter(*(table.columns.get(name, -1) for name in COLUMNS))
        self._days: dict[str, tuple[Days, Days]] = {}  # by the name of a known zone: first ones and last ones
        self._ambiguous = feed._days[1] is not None  # a declared form may be read two ways
        self._tells_status = "status" in table.columns
        self._same: dict[str, str] = {}  # departments and titles repeat: kept once
        self._whys: dict[tuple[str, str, str], str] = {}

    def read(self, line: int, row: list[str]) -> Engagement | None:
        """The engagement of one row; None when the row was quarantined."""
        row.append("")  # what a missing column points at
        cells = [cell.strip() for cell in self._cells(row)]
        employee_id, said = cells[0], cells[1]
        if not employee_id:
            self._table.reject(line, "employee_id", "is empty")
            return None
        if "+" in employee_id and _MANGLED.fullmatch(employee_id):
            self._table.reject(line, "employee_id", f"{employee_id!r} was made a number by a spreadsheet")
            return None
        status = self._feed._default_status
        if self._tells_status:
            status = self._feed._statuses.get(said.casefold())
            if status is None:
                reason = f"{said[:40]!r} is not known: translate it under values.status" if said else "is empty"
                self._table.reject(line, "status", reason)
                return None
        return self._engagement(line, cells, status or "")

    def _engagement(self, line: int, cells: list[str], status: str) -> Engagement | None:
        (
            employee_id, _, email, hire, termination, last_day, worker_type, contract, manager_id, manager_email,
            manager_name, department, title, _, zone, name, aliases, *_,
        ) = cells  # fmt: skip
        first, last = self._days.get(zone) or self._of_zone(zone)
        column, text = "hire_date", last_day
        try:
            hire_at = self._day(first, hire, line, column)
            column = "last_day_of_work"
            ended_at = self._day(last, last_day, line, column)
            if ended_at is None and termination:
                column, text = "termination_date", termination
                ended_at = self._day(last if self._feed._last_day else first, termination, line, column)
            ended_why = self._why(status, column, text) if ended_at or status == "terminated" else None
            column = "contract_end_date"
            contract_end = self._day(last, contract, line, column)
        except ValueError as error:
            self._table.reject(line, column, str(error))
            return None
        same = self._same.setdefault
        return Engagement(
            line,
            employee_id,
            self._kind(worker_type),
            state_of(status, hire_at, ended_at, self._feed.given.now),
            ended_at,
            ended_why,
            contract_end,
            hire_at,
            name or None,
            email or None,
            tuple(alias for part in aliases.split(";") if (alias := part.strip())) if aliases else (),
            same(department, department) or None,
            same(title, title) or None,
            manager_id or None,
            manager_email or None,
            manager_name or None,
        )

    def _of_zone(self, name: str) -> tuple[Days, Days]:
        """Days in that zone, as first ones and as last ones."""
        zone = self._calendar.zone_named(name)
        if name in self._calendar.unknown_zones:
            name = ""  # the feed's own stands in for it; each row that names it is counted
        if name not in self._days:
            self._days[name] = Days(self._calendar, zone), Days(self._calendar, zone, last=True)
        return self._days[name]

    def _day(self, days: Days, text: str, line: int, column: str) -> datetime | None:
        if not text:
            return None
        if self._ambiguous and self._calendar.doubtful(text):
            self.doubtful.setdefault(line, column)
        return days[text]

    def _kind(self, said: str) -> str:
        kind = KINDS.get(self._feed._worker_types.get(said.casefold(), ""))
        if kind is None:
            if said:
                self.unknown_types[said] += 1
            return "employee"
        return kind

    def _why(self, status: str, column: str, text: str) -> str:
        words = "last day of work" if column == "last_day_of_work" else "termination date"
        key = (status, words, text)
        if key not in self._whys:
            if len(self._whys) > 10_000:
                self._whys.clear()
            self._whys[key] = f"{status}, {words} {text}" if text else f"{status}, without a date"
        return self._whys[key]
