"""Lengths of time as the settings write them, `15m`, `24h`, `30d`, and days as a reader writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_DURATION: Final = re.compile(r"(\d+)\s*([smhd])")
LONGEST: Final = timedelta(days=100_000)  # added to any time or taken from it, it stays within what a calendar holds
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(value: object) -> timedelta:
    """A length of time from text such as `15m`, `24h` or `30d`."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip())
    if not match:
        raise ValueError("expected a number and s, m, h or d, such as 15m, 24h or 30d")
    seconds = int(match[1]) * _UNITS[match[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"expected at most {LONGEST.days}d")
    return timedelta(seconds=seconds)


def written_duration(length: timedelta) -> str:
    """A length of time as the settings write it: `36h`, `90s`."""
    seconds = int(length.total_seconds())
    size, unit = next(pair for pair in ((3_600, "h"), (60, "m"), (1, "s")) if seconds % pair[0] == 0)
    return f"{seconds // size}{unit}"


# Not strftime's %b: that would follow the locale of the process.
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(value: datetime | None) -> str:
    """An instant as a reader writes it: `4 Nov 2026`."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}" if value else "an unknown day"


def parse_period(value: object) -> timedelta:
    """A length of time that is not nothing: how often or how long at most."""
    if not (length := parse_duration(value)):
        raise ValueError("expected more than nothing, such as 15m")
    return length


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Period = Annotated[timedelta, BeforeValidator(parse_period)]
