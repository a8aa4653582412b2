"""Account file: the accounts of an application without an API, from a delimited text file in a folder.

Reads      accounts, what they hold, when they were last used   scope: read access to the file
Changes    nothing: a removal is a task for a person, and the next file proves it

Beside the usual columns a file may tell `title`; `password` (whether one of its own opens the account beside single
sign-on); `responsible` (who answers for it: an e-mail or employee id); `credentials` (how many tokens and keys work).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit.contract import Checked, Circumstances, Connector, Field
from connectors.kit.files import newest_file
from connectors.kit.instants import Calendar, clamp
from connectors.kit.options import columns_option, delimiter_option, feed_table, text_option, values_option
from connectors.kit.tables import Table
from governance.records import ACCOUNT_KINDS, Account, Entitlement, Grant, Reading, Record
from governance.settings import ApplicationSettings, SourceSettings

COLUMNS = (
    "account_id", "username", "email", "display_name", "status", "created_at", "last_login_at", "employee_id",
    "external_id", "kind", "mfa", "department", "entitlements", "time_zone", "title", "password", "responsible",
    "credentials",
)  # fmt: skip
_CLOSED: dict[str, dict[str, Any]] = {  # the values a column may hold, and what each means
    "status": {"active": True, "pending": True, "inactive": False, "suspended": False},
    "kind": {kind: kind for kind in ACCOUNT_KINDS},
    "mfa": {"true": True, "false": False},
    "password": {"true": True, "false": False},
}
# What an account is without its application, its id and whether it is privileged.
_Draft = tuple[Any, ...]


class AppCsv(Connector):
    """Accounts as an administrator exports them."""

    title = "Account file (CSV)"
    kind = "application"
    family = "protocol"
    fields = (
        Field("path", "A file, a folder or a glob; the newest file is read.", "path", required=True),
        Field("time_zone", "Where times without a zone are meant, such as Europe/Berlin.", default="UTC"),
        Field("date_format", "How times are written, such as %d.%m.%Y %H:%M; without it ISO 8601 or seconds."),
        Field("columns", 'Where the header differs: ours = "theirs".', "table"),
        Field("values", "Where values differ, such as [application.values.status] Enabled = 'active'.", "table"),
        Field("encoding", "The encoding, where it is not to be recognised."),
        Field("delimiter", "The delimiter, where it is not to be recognised."),
    )
    tells = frozenset(
        {
            *(
                "account.active",
                "account.last_seen",
                "account.created_at",
                "account.mfa",
                "account.grants",
                "account.kind",
            ),
            *("account.attributes", "account.password", "account.credentials"),
        }
    )
    scopes = {"pull": ("read access to the file and its folder",)}  # noqa: RUF012 - a declaration
    covers = ("every account the file holds: yes, of whatever kind and state",)

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = feed_table(feed)
        self._where = where
        self._path = text_option(self.options, "path", where) or ""
        self._renamed = columns_option(self.options, where, COLUMNS)
        self._values = values_option(self.options, where, _CLOSED)
        self._encoding = text_option(self.options, "encoding", where)
        self._delimiter = delimiter_option(self.options, where)
        patterns = feed.privileged if isinstance(feed, ApplicationSettings) else ()
        self._patterns = tuple(pattern.casefold() for pattern in patterns)
        self._days = (text_option(self.options, "time_zone", where), text_option(self.options, "date_format", where))
        self._calendar = Calendar(*self._days, where, epoch=True)

    def check(self) -> Checked:
        """There is a newest file and its header can be understood."""
        self._open(Reading())
        return Checked()

    def records(self) -> Iterator[Record]:
        """Yield every entitlement, account and grant once; a row that cannot be believed is quarantined."""
        table = self._open(self.reading)
        calendar = self._calendar = Calendar(*self._days, self._where, epoch=True)
        rows = _Rows(self, table)
        for line, row in table.rows():
            rows.read(line, row)
        rows.settle()
        table.judge()
        reading = self.reading
        reading.kept = len(rows.drafts)
        for name, count in sorted(calendar.unknown_zones.items()):
            table.note(f"time zone {name[:40]!r} is not known: {calendar.zone.key} is used in {count} rows")
        yield from self._told(rows)

    def _told(self, rows: _Rows) -> Iterator[Record]:
        application = self.feed.name
        privileged = rows.privileged(self._patterns)
        for name, is_privileged in privileged.items():
            yield Entitlement(application, name, name, "entitlement", is_privileged)
        holds: dict[int, bool] = {}  # rows with the same cell share what they hold
        for account_id, (_, draft, held) in rows.drafts.items():
            if held is None:
                yield _account(application, account_id, draft, None)
                continue
            if id(held) not in holds:
                holds[id(held)] = any(privileged[name] for name in held)
            yield _account(application, account_id, draft, holds[id(held)])
            for name in held:
                yield Grant(application, account_id, name, "direct")

    def _open(self, reading: Reading) -> Table:
        return Table(
            newest_file(self._path, self.given.home),
            reading,
            self._where,
            known=COLUMNS,
            required=("account_id",),
            renamed=self._renamed,
            encoding=self._encoding,
            delimiter=self._delimiter,
        )


def _account(application: str, account_id: str, draft: _Draft, privileged: bool | None) -> Account:
    username, email, name, external_id, employee_id, kind, active, seen_at, seen_known, created_at, mfa, *more = draft
    return Account(
        application,
        account_id,
        username,
        email,
        name,
        external_id,
        employee_id,
        kind,
        active,
        seen_at,
        seen_known,
        created_at,
        mfa,
        privileged,
        *more,
    )


class _Rows:
    """Turns rows of one file into drafts of accounts, or quarantines them."""

    def __init__(self, feed: AppCsv, table: Table) -> None:
        # account id -> line, fields of the account after its id and without `privileged`, entitlements (marked or not)
        self.drafts: dict[str, tuple[int, _Draft, dict[str, bool] | None]] = {}
        self._feed, self._table, self._calendar = feed, table, feed._calendar
        self._clashes: dict[str, list[int]] = {}
        self._doubtful: dict[int, tuple[str, str]] = {}  # line -> account id and the column whose date reads two ways
        self._held: dict[str, dict[str, bool]] = {"": {}}
        self._same: dict[str, str | None] = {"": None}
        self._pick = itemgetter(*(table.columns.get(name, -1) for name in COLUMNS))
        self._tells_entitlements = "entitlements" in table.columns
        self._told: dict[str, dict[str, Any]] = {column: {"": None} for column in _CLOSED}
        self._times: dict[tuple[str, str], tuple[datetime | None, bool, bool]] = {}  # instant, clamped, doubtful

    def read(self, line: int, row: list[str]) -> None:
        """Take in one row."""
        row.append("")  # what a missing column points at
        (
            account_id, username, email, display_name, status, created_at, last_login_at, employee_id,
            external_id, kind, mfa, department, entitlements, zone_name, title, password, responsible, credentials,
        ) = map(str.strip, self._pick(row))  # fmt: skip
        if not account_id:
            self._table.reject(line, "account_id", "is empty")
            return
        zone = self._calendar.zone_named(zone_name) if zone_name else self._calendar.zone
        column = "status"
        try:
            active = self._closed("status", status)
            column = "kind"
            account_kind = self._closed("kind", kind)
            column = "mfa"
            has_mfa = self._closed("mfa", mfa)
            column = "password"
            has_password = self._closed("password", password)
            column = "credentials"
            working = self._count(credentials)
            column = "created_at"
            created = self._time(created_at, zone, line, column, account_id)
            column = "last_login_at"
            never = last_login_at.casefold() == "never"
            seen = None if never else self._time(last_login_at, zone, line, column, account_id)
        except ValueError as error:
            self._table.reject(line, column, str(error))
            return
        draft = (
            username or None,
            email or None,
            display_name or None,
            external_id or None,
            employee_id or None,
            account_kind,
            active,
            seen,
            never or seen is not None,
            created,
            has_mfa,
            self._same.setdefault(department, department),
            self._same.setdefault(title, title),
            has_password,
            responsible or None,
            working,
        )
        entry = (line, draft, self._entitlements(entitlements) if self._tells_entitlements else None)
        first = self.drafts.setdefault(account_id, entry)
        if first is entry:
            return
        if first[1:] == entry[1:]:
            self._table.reading.duplicates += 1
        else:
            self._clashes.setdefault(account_id, [first[0]]).append(line)

    def settle(self) -> None:
        """Quarantine accounts that the file states twice in different words, and dates that read two ways."""
        for account_id, lines in self._clashes.items():
            del self.drafts[account_id]
            for line in lines:
                self._table.reject(line, "account_id", "the same account_id stands in another row that differs")
        if self._calendar.mixed:
            for line, (account_id, column) in self._doubtful.items():
                if self.drafts.get(account_id, (0,))[0] == line:
                    del self.drafts[account_id]
                    self._table.reject(line, column, "reads two ways, and this file mixes both orders of day and month")

    def privileged(self, patterns: tuple[str, ...]) -> dict[str, bool]:
        """Every entitlement that is held, and whether a mark or a pattern calls it privileged."""
        found: dict[str, bool] = {}
        for _, _, held in self.drafts.values():
            for name in held or ():
                if name not in found:
                    found[name] = any(fnmatchcase(name.casefold(), pattern) for pattern in patterns)
                if held and held[name]:
                    found[name] = True
        return found

    def _closed(self, column: str, text: str) -> Any:
        known = self._told[column]
        if text not in known:
            ours = self._feed._values[column].get(text.casefold())
            if ours is None:
                raise ValueError(f"{text[:40]!r} is not known: translate it under values.{column}")
            known[text] = _CLOSED[column][ours]
        return known[text]

    @staticmethod
    def _count(text: str) -> int | None:
        if not text:
            return None
        if not text.isdecimal() or not text.isascii() or len(text) > 6:
            raise ValueError(f"{text[:40]!r} is no number: expected how many tokens and keys work now, such as 0 or 3")
        return int(text)

    def _time(self, text: str, zone: ZoneInfo, line: int, column: str, account_id: str) -> datetime | None:
        if not text:
            return None
        key = (text, zone.key)
        found = self._times.get(key)
        if found is None:
            if len(self._times) > 50_000:
                self._times.clear()
            found = self._times[key] = self._instant(text, zone)
        instant, clamped, doubtful = found
        if clamped:
            self._table.reading.clamped += 1
        if doubtful:
            self._doubtful.setdefault(line, (account_id, column))
        return instant

    def _instant(self, text: str, zone: ZoneInfo) -> tuple[datetime | None, bool, bool]:
        instant = self._calendar.instant(text, zone)
        if instant is None:
            return None, False, False
        return *clamp(instant, self._feed.given.now), self._calendar.doubtful(text)

    def _entitlements(self, cell: str) -> dict[str, bool]:
        held = self._held.get(cell)
        if held is None:
            held = self._held[cell] = {}
            for part in cell.split(";"):
                marked = part.strip().endswith("!")
                if name := part.strip().removesuffix("!").strip():
                    held[name] = held.get(name, False) or marked
        return held
