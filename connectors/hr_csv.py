"""HR file: people and their engagements from a delimited text file in a folder, here or on an SFTP server.

Reads      people, whether they still work here, until when, and what they are   scope: read access to the file
Changes    nothing
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from connectors.kit.contract import Checked, Circumstances, Field, ReadsColumns
from connectors.kit.engagements import KINDS, STATUSES, Engagement
from connectors.kit.feed_file import SFTP, FeedFile
from connectors.kit.instants import Calendar
from connectors.kit.options import (
    columns_option,
    delimiter_option,
    feed_table,
    text_option,
    untranslated,
    values_option,
)
from connectors.kit.portions import Meanings, Portion, Standing
from connectors.kit.roll import Roll
from connectors.kit.tables import Table
from connectors.kit.terms import DATES, READ, Terms
from governance.errors import ConfigurationError
from governance.records import Reading, Rows
from governance.settings import ApplicationSettings, SourceSettings

COLUMNS = (
    "employee_id", "status", "work_email", "hire_date", "termination_date", "last_day_of_work", "worker_type",
    "contract_end_date", "manager_employee_id", "manager_email", "manager_name", "department", "job_title", "location",
    "time_zone", "display_name", "first_name", "last_name", "aliases", "cost_center", "legal_entity", "updated_at",
)  # fmt: skip
_TEXTS = {
    "display_name": "display_name",
    "email": "work_email",
    "manager_id": "manager_employee_id",
    "manager_email": "manager_email",
    "manager_name": "manager_name",
}
_REPEATING = {"department": "department", "title": "job_title"}
_MANGLED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


class HrCsv(ReadsColumns):
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
            reading = Reading()
            self._open(path, reading)
        return Checked(notes=tuple(reading.notes))

    def portions(self) -> Iterator[Rows]:
        """Yield every identity once; a row that cannot be believed is quarantined, a file that cannot is refused."""
        with self._file.newest(self.reading) as path:
            yield from self._read(self._open(path, self.reading))

    def _read(self, table: Table) -> Iterator[Rows]:
        calendar = self._calendar = Calendar(*self._days, self._where)
        rows = _Rows(self, table)
        for portion in table.portions():
            rows.take(portion)
        roll, doubtful = rows.roll, rows.doubtful if calendar.mixed else {}

        def refuse(engagement: Engagement, why: str) -> None:
            table.reject(engagement.line, doubtful.get(engagement.line, "employee_id"), why)
            self.reading.is_about(engagement.employee_id)

        self.reading.kept = roll.settle(doubtful, refuse)
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
        self._terms = Terms(self._calendar, feed.given.now, last_day=feed._last_day)
        self._ambiguous = feed._days[1] is not None  # a declared form may be read two ways
        self._statuses = Meanings(partial(_status, feed._statuses))
        self._kinds = Meanings(lambda said: KINDS.get(feed._worker_types.get(said.casefold(), "")))
        self._same: dict[str, str | None] = {"": None}  # departments and titles repeat: kept once

    def take(self, portion: Portion) -> None:
        """Take in a portion: what all its rows tell in a column is read at once, what stands is kept."""
        rows = Standing(portion)
        rows.read("employee_id", _number, "employee_id")
        if "status" in rows.columns:
            rows.read("status", self._statuses.__getitem__, "status")
            self._terms.read(rows)
        else:
            rows.columns["status"] = [self._feed._default_status or ""] * len(rows)
            self._terms.read(rows)
            self._believe_ends(rows)
        if self._ambiguous:
            self._doubt(rows)
        self._keep(rows)
        whose = dict(zip(portion.lines, portion.told["employee_id"], strict=True)) if rows.refused else {}
        for line, column, reason in sorted(rows.refused):
            self._table.reject(line, column, reason)
            if column != "employee_id":
                self._table.reading.is_about(whose[line])

    def _believe_ends(self, rows: Standing) -> None:
        """A file without a status says by their end alone that people have left: nothing in it contradicts the day."""
        told, now, assumed = rows.columns, self._feed.given.now, f"{self._feed._default_status}, "
        both = zip(told["state"], told["ended_at"], strict=True)
        told["state"] = [
            "ended" if end is not None and end <= now and state in {"current", "leave"} else state
            for state, end in both
        ]
        told["ended_why"] = [why.removeprefix(assumed) if why else why for why in told["ended_why"]]

    def _doubt(self, rows: Standing) -> None:
        for column in DATES:
            for line, text in zip(rows.lines, rows.columns.get(column, ()), strict=False):
                if text and self._calendar.doubtful(text):
                    self.doubtful.setdefault(line, column)

    def _keep(self, rows: Standing) -> None:
        told = rows.columns
        kept: dict[str, Sequence[Any]] = {"kind": self._kinds_of(rows)}
        kept |= {name: told[name] for name in ("employee_id", *READ) if name in told}
        for name, theirs in _TEXTS.items():
            if theirs in told:
                kept[name] = [text or None for text in told[theirs]]
        if "first_name" in told or "last_name" in told:
            kept["display_name"] = _names(kept.get("display_name"), *map(told.get, ("first_name", "last_name")))
        for name, theirs in _REPEATING.items():
            if theirs in told:
                kept[name] = list(map(self._same.setdefault, told[theirs], told[theirs]))
        if "aliases" in told:
            kept["aliases"] = [tuple(filter(None, map(str.strip, cell.split(";")))) for cell in told["aliases"]]
        self.roll.add(rows.lines, kept)

    def _kinds_of(self, rows: Standing) -> list[str]:
        said = rows.columns.get("worker_type") or [""] * len(rows)
        kinds = list(map(self._kinds.__getitem__, said))
        self.unknown_types.update(word for word, kind in zip(said, kinds, strict=True) if word and kind is None)
        return [kind or "employee" for kind in kinds]


def _names(shown: Sequence[str | None] | None, *parts: Sequence[str] | None) -> list[str | None]:
    """The name that is shown of each, else their first and last name."""
    own = [" ".join(filter(None, names)) or None for names in zip(*filter(None, parts), strict=True)]
    return [name or both for name, both in zip(shown, own, strict=True)] if shown else own


def _status(known: Mapping[str, str], said: str) -> str:
    status = known.get(said.casefold())
    if status is None:
        raise ValueError(untranslated(said, "status", STATUSES) if said else "is empty")
    return status


def _number(text: str) -> str:
    """An employee id; ValueError when it is none."""
    if not text:
        raise ValueError("is empty")
    if "+" in text and _MANGLED.fullmatch(text):
        raise ValueError(f"{text!r} was made a number by a spreadsheet")
    return text
