"""One object of a JSON answer, read tolerantly: what is not told, or told in no known way, is unknown and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from connectors.kit.instants import AHEAD, Calendar, clamp, column
from governance.records import Reading

_OBJECT: Final = (dict, Mapping)  # the first is nearly always met, the second takes long to be asked


class Reader:
    """How one feed's objects are read; counts what could not be and instants in the future that were clamped."""

    def __init__(self, place: str, now: datetime, *, time_zone: str | None = None) -> None:
        self.unread: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()  # kinds of things that are left out on purpose, by their name
        self.clamped = 0
        self._now = now
        self._calendar = Calendar(time_zone, None, place, epoch=True)

    def of(self, data: Any) -> Resource:
        """The object; anything else is one that tells nothing."""
        return Resource(data if isinstance(data, _OBJECT) else {}, self)

    def texts(self, data: dict[str, Any], keys: tuple[str, ...], within: str = "") -> list[str | None]:
        """Several texts of one object at once: what `Resource.text` tells of each, in half the time.

        `within` is where the object stands, such as `work.`, for what is counted as unread.
        """
        get = data.get
        return [
            value.strip() or None
            if type(value := get(key)) is str
            else None
            if value is None and "." not in key
            else self._odd(data, key, within)
            for key in keys
        ]

    def text(self, data: dict[str, Any], key: str, within: str = "") -> str | None:
        """One of them alone."""
        value = data.get(key)
        if type(value) is str:
            return value.strip() or None
        return None if value is None and "." not in key else self._odd(data, key, within)

    def _odd(self, data: dict[str, Any], key: str, within: str) -> str | None:
        value = Resource(data, self).get(key)
        if value is None:
            return None
        text = as_text(value)
        if text is None and not isinstance(value, str):
            self.unread[within + key] += 1
        return text

    def instant(self, what: str, value: Any, *, clamped: bool = True, zone: ZoneInfo | None = None) -> datetime | None:
        """An instant in UTC from ISO 8601, seconds or milliseconds since 1970; None when not told or not readable.

        `clamped`: an instant ahead of now becomes now; only for what must have happened already.
        """
        text = value.strip() if type(value) is str else as_text(value)
        if not text:
            if value is not None and value != "":
                self.unread[what] += 1
            return None
        try:
            instant = self._calendar.instant(text, zone or self._calendar.zone)
        except ValueError:
            self.unread[what] += 1
            return None
        if instant is None or not clamped:
            return instant
        instant, was_ahead = clamp(instant, self._now)
        self.clamped += was_ahead
        return instant

    def instants(self, what: str, values: list[Any]) -> list[datetime | None]:
        """What `instant` tells of each value, in a third of the time where all are written plainly."""
        return column(values, self._now + AHEAD, partial(self.instant, what))

    def note(self, reading: Reading) -> None:
        """Write what was counted into the evidence of the pull."""
        reading.clamped += self.clamped
        reading.notes += [f"{what} could not be read {count} times" for what, count in sorted(self.unread.items())]
        reading.notes += [f"{what}: {count} left out" for what, count in sorted(self.skipped.items())]


class Resource:
    """One JSON object. Paths have dots: `profile.login`; a key that holds dots itself is found first."""

    __slots__ = ("_data", "_reader")

    def __init__(self, data: Mapping[str, Any], reader: Reader) -> None:
        self._data = data
        self._reader = reader

    def get(self, path: str) -> Any:
        """The value as it is; None when it is not told."""
        value: Any = self._data
        if path in value:
            return value[path]
        if "." not in path:
            return None
        for part in path.split("."):
            if not isinstance(value, _OBJECT) or part not in value:
                return None
            value = value[part]
        return value

    def tells(self, path: str) -> bool:
        """Whether the key is there at all, be its value null."""
        outer, _, inner = path.rpartition(".")
        holder = self.get(outer) if outer else self._data
        return path in self._data or (isinstance(holder, _OBJECT) and inner in holder)

    def text(self, path: str) -> str | None:
        """A text without blanks around it; a number is written out; anything else is counted as unread."""
        value = self._data.get(path)
        if value is None and "." in path:
            value = self.get(path)
        if type(value) is str:  # nearly always, and asked millions of times
            return value.strip() or None
        if value is None:
            return None
        text = as_text(value)
        if text is None and not isinstance(value, str):
            self._reader.unread[path] += 1
        return text

    def flag(self, path: str) -> bool | None:
        """True or False, also from the words; anything else is counted as unread."""
        value = self._data.get(path)
        if value is True or value is False:
            return value
        if value is None and "." in path:
            value = self.get(path)
        flag = as_flag(value)
        if flag is None and value is not None:
            self._reader.unread[path] += 1
        return flag

    def number(self, path: str) -> int | None:
        """A whole number, also written as text."""
        value = self.get(path)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        text = as_text(value)
        if text is not None and text.lstrip("-").isascii() and text.lstrip("-").isdigit():
            return int(text)
        if value is not None:
            self._reader.unread[path] += 1
        return None

    def instant(self, path: str, *, clamped: bool = True) -> datetime | None:
        """An instant in UTC; see `Reader.instant`."""
        value = self._data.get(path)
        if value is None:
            value = self.get(path) if "." in path else None
            if value is None:
                return None
        return self._reader.instant(path, value, clamped=clamped)

    def part(self, path: str) -> Resource:
        """The object at that path; one that tells nothing when there is none."""
        return self._reader.of(self.get(path))

    def several(self, path: str) -> list[Any]:
        """The entries of a list; a single one may stand without its list."""
        return listed(self.get(path))

    def parts(self, path: str) -> Iterator[Resource]:
        """The objects of a list; entries that are none are counted as unread."""
        for entry in self.several(path):
            if isinstance(entry, _OBJECT):
                yield Resource(entry, self._reader)
            else:
                self._reader.unread[path] += 1

    def one_of(self, path: str, known: Mapping[str, Any]) -> Any:
        """What a closed value means, by its folded spelling; None for one that is not known, which is counted."""
        text = self.text(path)
        if text is None:
            return None
        found = known.get(text.casefold())
        if found is None and text.casefold() not in known:
            self._reader.unread[f"{path} = {text[:40]}"] += 1
        return found


def listed(value: Any) -> list[Any]:
    """The entries of a list; a single one may stand without its list."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def as_text(value: Any) -> str | None:
    """A text without blanks around it; numbers written out; None for anything else and for nothing."""
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def as_flag(value: Any) -> bool | None:
    """True or False, also from the words; None for anything else."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().casefold())
    return None
