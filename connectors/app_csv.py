"""Account file: the accounts of an application without an API, from a delimited text file in a folder.

Reads      accounts, what they hold, when they were last used   scope: read access to the file
Changes    nothing: a removal is a task for a person, and the next file proves it

Beside the usual columns a file may tell `title`; `password` (whether one of its own opens the account beside single
sign-on); `responsible` (who answers for it: an e-mail or employee id); `credentials` (how many tokens and keys work).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice, repeat
from operator import getitem
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit.contract import Checked, Circumstances, Field, ReadsColumns
from connectors.kit.files import newest_file
from connectors.kit.instants import Calendar, clamp
from connectors.kit.lasting import Lasting
from connectors.kit.options import (
    columns_option,
    delimiter_option,
    feed_table,
    text_option,
    untranslated,
    values_option,
)
from connectors.kit.portions import TOLD, Meanings, Portion, Standing
from connectors.kit.tables import Table
from governance.records import ACCOUNT_KINDS, Account, Entitlement, Grant, Reading, Rows
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
_READ = {
    "account_id": "account_id",
    "kind": "kind",
    "status": "active",
    "last_login_at": "last_seen_at",
    "created_at": "created_at",
    "mfa": "mfa",
    "password": "password",
    "credentials": "credentials",
}
_TEXTS = ("username", "email", "display_name", "external_id", "employee_id", "responsible")
_REPEATING = ("department", "title")  # kept once
_Read = tuple[datetime | None, bool, bool]  # the instant, whether it was clamped, whether it reads two ways


class AppCsv(ReadsColumns):
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
        reading = Reading()
        self._open(reading)
        return Checked(notes=tuple(reading.notes))

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; a row that cannot be believed is quarantined."""
        table = self._open(self.reading)
        calendar = self._calendar = Calendar(*self._days, self._where, epoch=True)
        rows = _Rows(self, table)
        for portion in table.portions():
            rows.take(portion)
        accounts = rows.settled()
        table.judge()
        self.reading.kept = len(accounts)
        for name, count in sorted(calendar.unknown_zones.items()):
            table.note(f"time zone {name[:40]!r} is not known: {calendar.zone.key} is used in {count} rows")
        yield from self._told(accounts)

    def _told(self, accounts: Lasting) -> Iterator[Rows]:
        held = {
            id(cell): cell for cell in accounts.kept("held") if cell is not None
        }  # rows with the same cell share it
        privileged = _privileged(held.values(), self._patterns)
        if privileged:
            names = list(privileged)
            yield Rows(
                Entitlement,
                self._columns(
                    len(names),
                    entitlement_id=names,
                    name=names,
                    kind=["entitlement"] * len(names),
                    privileged=list(privileged.values()),
                ),
            )
        holds = {key: any(privileged[name] for name in cell) for key, cell in held.items()}
        for height, columns in accounts.slices(TOLD):
            cells = columns.pop("held", None)
            if cells is not None:
                columns["privileged"] = [holds[id(cell)] for cell in cells]
            yield Rows(Account, self._columns(height, **columns))
            if cells:
                yield from self._grants(columns["account_id"], cells)

    def _grants(self, account_ids: Sequence[str], cells: Sequence[Mapping[str, bool]]) -> Iterator[Rows]:
        held = ((number, name) for number, cell in zip(account_ids, cells, strict=True) for name in cell)
        while some := list(islice(held, TOLD)):
            told = {"account_id": [number for number, _ in some], "entitlement_id": [name for _, name in some]}
            yield Rows(Grant, self._columns(len(some), **told, how=["direct"] * len(some)))

    def _columns(self, height: int, **columns: Sequence[Any]) -> dict[str, Sequence[Any]]:
        return {"application": [self.feed.name] * height, **columns}

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


def _privileged(held: Iterable[Mapping[str, bool]], patterns: tuple[str, ...]) -> dict[str, bool]:
    """Every entitlement that is held, and whether a mark or a pattern calls it privileged."""
    found: dict[str, bool] = {}
    for cell in held:
        for name, marked in cell.items():
            if name not in found:
                found[name] = any(fnmatchcase(name.casefold(), pattern) for pattern in patterns)
            found[name] = found[name] or marked
    return found


class _Rows:
    """Turns rows of one file into accounts, or quarantines them.

    Nothing in it may point back at it: accounts must go the moment they were told, not when circles are looked for.
    """

    def __init__(self, feed: AppCsv, table: Table) -> None:
        self._feed, self._table, self._calendar = feed, table, feed._calendar
        self._accounts = Lasting(frozenset({"account_id", *_TEXTS}))
        self._doubtful: dict[int, str] = {}  # line -> the column whose date reads two ways
        self._same: dict[str, str | None] = {"": None}
        self._held = Meanings(_entitlements)
        self._closed = {column: Meanings(partial(_meaning, column, feed._values[column])) for column in _CLOSED}
        self._times: dict[str, Meanings[_Read]] = {}  # by the key of the zone

    def take(self, portion: Portion) -> None:
        """Take in a portion: what all its rows tell in a column is read at once, what stands is kept."""
        rows = Standing(portion)
        rows.read("account_id", _number, "account_id")
        rows.columns["times"] = [self._of_zone(zone) for zone in rows.columns.get("time_zone") or repeat("", len(rows))]
        for column, meanings in self._closed.items():
            if column in rows.columns:
                rows.read(column, meanings.__getitem__, column)
        if "credentials" in rows.columns:
            rows.read("credentials", _count, "credentials")
        self._time(rows, "created_at")
        if "last_login_at" in rows.columns:
            rows.columns["never"] = [text.casefold() == "never" for text in rows.columns["last_login_at"]]
            pairs = zip(rows.columns["never"], rows.columns["last_login_at"], strict=True)
            rows.columns["last_login_at"] = ["" if never else text for never, text in pairs]
            self._time(rows, "last_login_at")
        self._keep(rows)
        whose = dict(zip(portion.lines, portion.told["account_id"], strict=True)) if rows.refused else {}
        for line, column, reason in sorted(rows.refused):
            self._table.reject(line, column, reason)
            if column != "account_id":
                self._table.reading.is_about(whose[line])

    def _keep(self, rows: Standing) -> None:
        told = rows.columns
        kept = {ours: told[name] for name, ours in _READ.items() if name in told}
        for name in _TEXTS:
            if name in told:
                kept[name] = [text or None for text in told[name]]
        for name in _REPEATING:
            if name in told:
                kept[name] = list(map(self._same.setdefault, told[name], told[name]))
        if "never" in told:
            pairs = zip(told["never"], told["last_login_at"], strict=True)
            kept["last_seen_known"] = [never or seen is not None for never, seen in pairs]
        if "entitlements" in told:
            kept["held"] = list(map(self._held.__getitem__, told["entitlements"]))
        self._accounts.add(rows.lines, kept)

    def settled(self) -> Lasting:
        """All accounts, but for those that the file states twice in different words and dates that read two ways."""
        accounts, lines = self._accounts, self._accounts.lines
        columns = accounts.columns.values()
        dropped = set()
        for account_id, (first, *others) in accounts.repeated("account_id").items():
            differing = [place for place in others if any(told[place] != told[first] for told in columns)]
            self._table.reading.duplicates += len(others) - len(differing)
            for place in (first, *differing) if differing else ():
                self._table.reject(lines[place], "account_id", "the same account_id stands in another row that differs")
                self._table.reading.is_about(account_id)
            dropped |= {*others, *((first,) if differing else ())}
        if self._calendar.mixed:
            for place, (line, account_id) in enumerate(zip(lines, accounts.columns["account_id"], strict=True)):
                if line in self._doubtful and place not in dropped:
                    dropped.add(place)
                    why = "reads two ways, and this file mixes both orders of day and month"
                    self._table.reject(line, self._doubtful[line], why)
                    self._table.reading.is_about(account_id)
        accounts.drop(dropped)
        return accounts

    def _of_zone(self, name: str) -> Meanings[_Read]:
        """What times mean in that zone; each row that names one that is not known is counted."""
        zone = self._calendar.zone_named(name)
        if zone.key not in self._times:
            self._times[zone.key] = Meanings(partial(_instant, self._calendar, self._feed.given.now, zone))
        return self._times[zone.key]

    def _time(self, rows: Standing, column: str) -> None:
        if column not in rows.columns:
            return
        rows.read(column, getitem, "times", column)
        read = rows.columns[column]
        rows.columns[column] = [instant for instant, _, _ in read]
        self._table.reading.clamped += sum(clamped for _, clamped, _ in read)
        for line, (_, _, doubtful) in zip(rows.lines, read, strict=True):
            if doubtful:
                self._doubtful.setdefault(line, column)


def _meaning(column: str, ours: Mapping[str, str], text: str) -> Any:
    if not text:
        return None
    word = ours.get(text.casefold())
    if word is None:
        raise ValueError(untranslated(text, column, _CLOSED[column]))
    return _CLOSED[column][word]


def _instant(calendar: Calendar, now: datetime, zone: ZoneInfo, text: str) -> _Read:
    instant = calendar.instant(text, zone) if text else None
    return (None, False, False) if instant is None else (*clamp(instant, now), calendar.doubtful(text))


def _number(text: str) -> str:
    if not text:
        raise ValueError("is empty")
    return text


def _count(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or not text.isascii() or len(text) > 6:
        raise ValueError(f"{text[:40]!r} is no number: expected how many tokens and keys work now, such as 0 or 3")
    return int(text)


def _entitlements(cell: str) -> dict[str, bool]:
    """What an account holds, and whether a mark calls it privileged."""
    held: dict[str, bool] = {}
    for part in cell.split(";"):
        marked = part.strip().endswith("!")
        if name := part.strip().removesuffix("!").strip():
            held[name] = held.get(name, False) or marked
    return held
