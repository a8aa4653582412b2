"""Instants from text: one declared date format for a feed, else ISO 8601 only. What can be read two ways is refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from governance.errors import ConfigurationError

# Days that HR systems write where an engagement has no end.
OPEN_ENDS: Final = frozenset({date(9999, 12, 31), date(4712, 12, 31), date(2999, 12, 31)})
YEARS: Final = range(1900, 2201)
AHEAD: Final = timedelta(minutes=5)  # clocks differ; beyond that an instant in the future is an error of the sender
_ISO: Final = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)? ?(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII | re.IGNORECASE,
)
_EPOCH: Final = re.compile(r"\d{9,16}", re.ASCII)  # shorter numbers are serial numbers of a spreadsheet, not seconds
_MILLISECONDS: Final = 10**11
_SWAP: Final = {"%d": "%m", "%m": "%d"}
_CACHED: Final = 50_000
_DAY: Final = len("23 November 2026")  # days repeat and are remembered; times seldom do

Read = date | datetime | None


class Calendar:
    """How one feed writes days and times: its declared format and its time zone.

    `mixed` turns True when a value reads only with day and month the other way round than declared: from then on no
    value of the feed that can be read both ways (`doubtful`) may be believed.
    """

    def __init__(self, time_zone: str | None, date_format: str | None, where: str, *, epoch: bool = False) -> None:
        self.mixed = False
        self.unknown_zones: Counter[str] = Counter()
        self._format = date_format
        self._epoch = epoch
        self._zones: dict[str, ZoneInfo] = {}
        self._read: dict[str, Read] = {}
        self._instants: dict[tuple[str, str], datetime | None] = {}
        zone = find_zone(time_zone or "UTC")
        if zone is None:
            raise ConfigurationError(f"{where}: time_zone: {time_zone!r} is not a time zone such as Europe/Berlin")
        self.zone = zone
        if date_format is not None:
            _check_format(date_format, where)
        swapped = re.sub("%[dm]", lambda m: _SWAP[m[0]], date_format or "")
        both = {"%d", "%m"} <= set(re.findall("%[dm]", swapped))
        self._swapped = swapped if both and not swapped.startswith("%Y") else None

    def zone_named(self, name: str) -> ZoneInfo:
        """The zone a row names; an unknown name is counted and the feed's own zone is used."""
        if not name:
            return self.zone
        zone = self._zones.get(name)
        if zone is None:
            zone = self._zones[name] = find_zone(name) or self.zone
        if zone is self.zone and name != self.zone.key:
            self.unknown_zones[name] += 1
        return zone

    def instant(self, text: str, zone: ZoneInfo) -> datetime | None:
        """The instant in UTC; a bare date is the first moment of that day. None: an open end."""
        if len(text) > _DAY:
            if self._format is None and (instant := plain(text)) is not None:
                return instant
            return _in_utc(self._parse(text), zone)
        key = (text, zone.key)
        try:
            return self._instants[key]
        except KeyError:
            value = self.read(text)
            if len(self._instants) > _CACHED:
                self._instants.clear()
            self._instants[key] = instant = _in_utc(value, zone)
            return instant

    def doubtful(self, text: str) -> bool:
        """Whether the value would be another day with day and month the other way round."""
        value = self.read(text) if self._swapped else None
        return value is not None and value.day <= 12 and value.day != value.month

    def read(self, text: str) -> Read:
        """A day, a time or None for an open end; ValueError says in words why it cannot be read."""
        if len(text) > _DAY:
            return self._parse(text)
        try:
            return self._read[text]
        except KeyError:
            if len(self._read) > _CACHED:
                self._read.clear()
            value = self._read[text] = self._parse(text)
            return value

    def _parse(self, text: str) -> Read:
        if self._epoch and self._format is None and text.isdigit() and _EPOCH.fullmatch(text):
            return _from_epoch(int(text))
        if self._format is None or (text[:10] in _OPEN_TEXTS and _ISO.fullmatch(text)):
            return _plausible(_from_iso(text), text)
        try:
            value = datetime.strptime(text, self._format)  # noqa: DTZ007 - the zone comes from the row or the feed
        except ValueError:
            if self._epoch and _EPOCH.fullmatch(text):
                return _from_epoch(int(text))
            if self._swapped and _fits(text, self._swapped):
                self.mixed = True
                raise ValueError(f"{text!r} has day and month the other way round than {self._format}") from None
            raise ValueError(_refusal(text, self._format)) from None
        return _plausible(value if re.search("%[HIXcfs]", self._format) else value.date(), text)


class Days(dict[str | None, datetime | None]):
    """What each text means in one zone, read once: days repeat from row to row. ValueError as the calendar says.

    No text means no day.
    """

    def __init__(self, calendar: Calendar, zone: ZoneInfo, *, last: bool = False) -> None:
        super().__init__({"": None, None: None})
        self._calendar, self._zone, self._days = calendar, zone, int(last)

    def __missing__(self, text: Any) -> datetime | None:
        """Read one that is new."""
        instant = _in_utc(self._calendar.read(text), self._zone, self._days)
        if len(text) <= _DAY:
            if len(self) > _CACHED:
                self.clear()
                self[""] = self[None] = None
            self[text] = instant
        return instant


def find_zone(name: str) -> ZoneInfo | None:
    """The time zone of that name, or None."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # KeyError: unknown; the others: names that are paths or folders
        return None


def clamp(instant: datetime, now: datetime) -> tuple[datetime, bool]:
    """The instant, or `now` and True when it lies more than five minutes ahead."""
    return (now, True) if instant > now + AHEAD else (instant, False)


_OPEN_YEARS: Final = frozenset(day.year for day in OPEN_ENDS)
_DIGITS: Final = bytes.maketrans(b"0123456789", b"0" * 10)
_WHOLE_SECONDS: Final = frozenset({"Z", "+0000", "+00:00", ".000Z", ".000+0000", ".000+00:00"})
_OPEN_TEXTS: Final = frozenset(day.isoformat() for day in OPEN_ENDS)


def plain(text: str) -> datetime | None:
    """A time in UTC as nearly every API writes it, such as 2026-11-23T08:00:00Z: half of what a pull reads are these.

    None for whatever is written in any other way, and for what is no time: that is looked at closely.
    """
    if text[4:17:3] != "--T::":
        return None
    if text[19:] not in _WHOLE_SECONDS:
        zone = 1 if text.endswith("Z") else 5 if text.endswith("+0000") else 6 if text.endswith("+00:00") else 0
        if not zone or not 20 < len(text) - zone < 27 or text[19] != ".":
            return None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return None
    return value if value.year in YEARS else None


def column(values: list[Any], latest: datetime, one: Callable[[Any], datetime | None]) -> list[datetime | None]:
    """What `one` makes of each value that is told, at once where all are plain times that do not lie after `latest`."""
    told = [value for value in values if value is not None]
    found = _plain_ones(told, latest) if told else None
    each = iter(found) if found is not None else map(one, told)
    return [None if value is None else next(each) for value in values]


def _plain_ones(values: list[Any], latest: datetime) -> list[datetime] | None:
    """Times as `plain` reads them, at once; None where not all are such ones of one form, or one lies after `latest`.

    Columns are written in one form, and are compared with it in one go: a third of what each alone would take.
    """
    first = values[0]
    if type(first) is not str or plain(first) is None:
        return None
    try:
        lines = "\n".join([*values, ""]).encode("ascii")
        if lines.translate(_DIGITS) != f"{first}\n".encode().translate(_DIGITS) * len(values):
            return None
        found = list(map(datetime.fromisoformat, values))
    except (TypeError, ValueError):  # not all are texts, or one is no day and time of the calendar
        return None
    in_utc = first.endswith("Z") or lines.count(f"{first[first.index('+') :]}\n".encode()) == len(values)
    return found if in_utc and min(found).year >= YEARS[0] and max(found) <= latest else None


def _from_iso(text: str) -> date | datetime:
    if not _ISO.fullmatch(text):
        raise ValueError(_refusal(text, None))
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
        if text[-1] not in "Z0123456789" or " " in text[11:]:
            text = text[:11] + text[11:].upper().replace(" ", "").replace("UTC", "Z")
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a day and time of the calendar") from None


def _from_epoch(number: int) -> datetime:
    seconds = number / 1000 if number >= _MILLISECONDS else number
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"{number} is not a number of seconds or milliseconds since 1970") from None


def _plausible(value: date | datetime, text: str) -> Read:
    if value.year in _OPEN_YEARS and (value.date() if isinstance(value, datetime) else value) in OPEN_ENDS:
        return None
    if value.year not in YEARS:
        raise ValueError(f"{text!r} lies outside the years {YEARS[0]} to {YEARS[-1]}")
    return value


def _in_utc(value: Read, zone: ZoneInfo, days: int = 0) -> datetime | None:
    if value is None:
        return None
    if days and isinstance(value, datetime) and value.tzinfo is None and value.time() == time():
        value = value.date()  # exporters write the last day as its midnight; nobody stops working at 00:00 that morning
    if isinstance(value, datetime):
        if value.tzinfo is UTC:
            return value
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    # fold=0: where midnight happens twice the first one, where clocks skip it the moment of the jump. That is the
    # first moment of the day in both cases.
    return datetime.combine(value + timedelta(days=days), time(), zone).astimezone(UTC)


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True


def _check_format(pattern: str, where: str) -> None:
    if re.search("%[yxXcD]", pattern):
        raise ConfigurationError(f"{where}: date_format: {pattern!r} leaves the century open; use %Y, %m and %d")
    if "%Y" not in pattern or not re.search("%d", pattern) or not re.search("%[mbB]", pattern):
        raise ConfigurationError(f"{where}: date_format: {pattern!r} must hold year, month and day, such as %d.%m.%Y")
    if not _fits(date(2026, 11, 23).strftime(pattern), pattern):
        raise ConfigurationError(f"{where}: date_format: {pattern!r} is not a date format such as %d.%m.%Y")


def _refusal(text: str, pattern: str | None) -> str:
    shown = repr(text[:40])
    if re.fullmatch(r"\d+([.,]\d+)?", text):
        return f"{shown} looks like the serial number of a spreadsheet, not a date"
    if re.fullmatch(r"\d{1,2}[./ -]\d{1,2}[./ -]\d{2}(\D.*)?", text) or re.fullmatch(r"\d{2}-\d{1,2}-\d{1,2}", text):
        return f"{shown} has a year of two digits"
    if pattern:
        return f"{shown} does not have the declared form {pattern}"
    if re.fullmatch(r"\d{1,2}[./ -]\d{1,2}[./ -]\d{4}(\D.*)?", text):
        return f"{shown} does not say which is the day and which the month: set date_format"
    return f"{shown} is not a date such as 2026-11-23: set date_format"
