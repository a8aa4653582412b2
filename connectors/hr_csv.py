"""HR file: people and their engagements from a delimited text file in a folder, here or on an SFTP server.

Reads      people, whether they still work here, until when, and what they are   scope: read access to the file
Changes    nothing
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from operator import getitem
from pathlib import Path
from typing import Any

from connectors.kit.contract import Checked, Circumstances, Connector, Field
from connectors.kit.engagements import KINDS, STATUSES, state_of
from connectors.kit.feed_file import SFTP, FeedFile
from connectors.kit.instants import Calendar, Days
from connectors.kit.options import (
    columns_option,
    delimiter_option,
    feed_table,
    text_option,
    values_option,
)
from connectors.kit.portions import Meanings, Portion, Standing
from connectors.kit.roll import Roll
from connectors.kit.tables import Table
from governance.errors import ConfigurationError
from governance.records import Reading, Record, Rows
from governance.settings import ApplicationSettings, SourceSettings

COLUMNS = (
    "employee_id", "status", "work_email", "hire_date", "termination_date", "last_day_of_work", "worker_type",
    "contract_end_date", "manager_employee_id", "manager_email", "manager_name", "department", "job_title", "location",
    "time_zone", "display_name", "aliases", "cost_center", "legal_entity", "updated_at",
)  # fmt: skip
_READ = ("employee_id", "ended_at", "ended_why", "contract_end", "hire_at")
_TEXTS = {
    "display_name": "display_name",
    "email": "work_email",
    "manager_id": "manager_employee_id",
    "manager_email": "manager_email",
    "manager_name": "manager_name",
}
_REPEATING = {"department": "department", "title": "job_title"}
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
        for portion in self.portions():
            yield from portion.records()

    def portions(self) -> Iterator[Rows]:
        """The same, many at once."""
        with self._file.newest(self.reading) as path:
            yield from self._read(self._open(path, self.reading))

    def _read(self, table: Table) -> Iterator[Rows]:
        calendar = self._calendar = Calendar(*self._days, self._where)
        rows = _Rows(self, table)
        for portion in table.portions():
            rows.take(portion)
        roll, doubtful = rows.roll, rows.doubtful if calendar.mixed else {}
        self.reading.kept = roll.settle(
            doubtful, lambda e, why: table.reject(e.line, doubtful.get(e.line, "employee_id"), why)
        )
        self.reading.duplicates = roll.merged
        table.judge()
        if roll.merged:
            table.note(f"{roll.merged} rows are further engagements of somebody, or the same row again")
        for name, count in sorted(calendar.unknown_zones.items()):
            table.note(f"time zone {name[:40]!r} is not known: {calendar.zone.key} is used in {count} rows")
        for name, count in sorted(rows.unknown_types.items()):
            table.note(f"worker_type {name[:40]!r} is not known: taken as employee in {count} rows")
        yield from roll.rows()

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
    """Turns rows of one file into engagements, or quarantines them.

    Nothing in it may point back at it: the roll must go the moment it was told, not when circles are looked for.
    """

    def __init__(self, feed: HrCsv, table: Table) -> None:
        self.doubtful: dict[int, str] = {}  # line -> the column whose date reads two ways
        self.unknown_types: Counter[str] = Counter()
        self.roll = Roll(feed.feed.name)
        self._feed, self._table, self._calendar = feed, table, feed._calendar
        self._days: dict[str, tuple[Days, Days]] = {}  # by the name of a known zone: first ones and last ones
        self._ambiguous = feed._days[1] is not None  # a declared form may be read two ways
        self._statuses = Meanings(partial(_status, feed._statuses))
        self._kinds = Meanings(lambda said: KINDS.get(feed._worker_types.get(said.casefold(), "")))
        self._same: dict[str, str | None] = {"": None}  # departments and titles repeat: kept once
        self._whys: dict[tuple[str, str, str], str] = {}

    def take(self, portion: Portion) -> None:
        """Take in a portion: what all its rows tell in a column is read at once, what stands is kept."""
        rows = Standing(portion)
        rows.read("employee_id", _number, "employee_id")
        if "status" in rows.columns:
            rows.read("status", self._statuses.__getitem__, "status")
        else:
            rows.columns["status"] = [self._feed._default_status or ""] * len(rows)
        zones = rows.columns.get("time_zone") or repeat("", len(rows))
        days = [self._days.get(zone) or self._of_zone(zone) for zone in zones]
        rows.columns |= {"first": [first for first, _ in days], "last": [last for _, last in days]}
        self._date(rows, "hire_at", "first", "hire_date")
        self._end(rows)
        self._date(rows, "contract_end", "last", "contract_end_date")
        self._keep(rows)
        for line, column, reason in sorted(rows.refused):
            self._table.reject(line, column, reason)

    def _keep(self, rows: Standing) -> None:
        told = rows.columns
        hired = told.get("hire_at") or repeat(None)
        states = map(state_of, told["status"], hired, told["ended_at"], repeat(self._feed.given.now))
        kept: dict[str, Sequence[Any]] = {"state": list(states), "kind": self._kinds_of(rows)}
        kept |= {name: told[name] for name in _READ if name in told}
        for name, theirs in _TEXTS.items():
            if theirs in told:
                kept[name] = [text or None for text in told[theirs]]
        for name, theirs in _REPEATING.items():
            if theirs in told:
                kept[name] = list(map(self._same.setdefault, told[theirs], told[theirs]))
        if "aliases" in told:
            kept["aliases"] = [tuple(filter(None, map(str.strip, cell.split(";")))) for cell in told["aliases"]]
        self.roll.add(rows.lines, kept)

    def _end(self, rows: Standing) -> None:
        """When they end and what says so: the last day of work, else the date of termination."""
        self._date(rows, "ended_at", "last", "last_day_of_work")
        if "ended_at" in rows.columns and "termination_date" in rows.columns:
            pairs = zip(rows.columns["ended_at"], rows.columns["termination_date"], strict=True)
            rows.columns["termination_date"] = ["" if ended_at else text for ended_at, text in pairs]
        self._date(rows, "terminated_at", "last" if self._feed._last_day else "first", "termination_date")
        told, none = rows.columns, [None] * len(rows)
        ends = zip(told.get("ended_at", none), told.get("terminated_at", none), strict=True)
        ended = told["ended_at"] = [last_day or terminated for last_day, terminated in ends]
        said = (told.get("last_day_of_work", none), told.get("termination_date", none))
        told["ended_why"] = [
            self._why(status, *texts) if ended_at or status == "terminated" else None
            for ended_at, status, *texts in zip(ended, told["status"], *said, strict=True)
        ]

    def _of_zone(self, name: str) -> tuple[Days, Days]:
        """Days in that zone, as first ones and as last ones."""
        zone = self._calendar.zone_named(name)
        if name in self._calendar.unknown_zones:
            name = ""  # the feed's own stands in for it; each row that names it is counted
        if name not in self._days:
            self._days[name] = Days(self._calendar, zone), Days(self._calendar, zone, last=True)
        return self._days[name]

    def _date(self, rows: Standing, into: str, days: str, column: str) -> None:
        if column not in rows.columns:
            return
        rows.read(into, getitem, days, column)
        if self._ambiguous:
            for line, text in zip(rows.lines, rows.columns[column], strict=True):
                if text and self._calendar.doubtful(text):
                    self.doubtful.setdefault(line, column)

    def _kinds_of(self, rows: Standing) -> list[str]:
        said = rows.columns.get("worker_type") or [""] * len(rows)
        kinds = list(map(self._kinds.__getitem__, said))
        self.unknown_types.update(word for word, kind in zip(said, kinds, strict=True) if word and kind is None)
        return [kind or "employee" for kind in kinds]

    def _why(self, status: str, last_day: str | None, termination: str | None) -> str:
        words, text = ("termination date", termination) if termination else ("last day of work", last_day or "")
        key = (status, words, text)
        if key not in self._whys:
            if len(self._whys) > 10_000:
                self._whys.clear()
            self._whys[key] = f"{status}, {words} {text}" if text else f"{status}, without a date"
        return self._whys[key]


def _status(known: Mapping[str, str], said: str) -> str:
    status = known.get(said.casefold())
    if status is None:
        raise ValueError(f"{said[:40]!r} is not known: translate it under values.status" if said else "is empty")
    return status


def _number(text: str) -> str:
    """An employee id; ValueError when it is none."""
    if not text:
        raise ValueError("is empty")
    if "+" in text and _MANGLED.fullmatch(text):
        raise ValueError(f"{text!r} was made a number by a spreadsheet")
    return text
