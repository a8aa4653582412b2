"""Lengths of time as the settings write them: `15m`, `24h`, `30d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_DURATION: Final = re.compile(r"(\d+)\s*([smhd])")
LONGEST: Final = timedelta(days=100_000)  # added to any time or taken from it, it stays within what a calendar holds
_MOST_DIGITS: Final = len(str(LONGEST.days * 86_400))
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse_duration(value: object) -> timedelta:
    """A length of time from text such as `15m`, `24h` or `30d`."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(str(value).strip())
    if not match:
        raise ValueError("expected a number and s, m, h or d, such as 15m, 24h or 30d")
    if len(match[1]) > _MOST_DIGITS or (length := timedelta(**{_UNITS[match[2]]: int(match[1])})) > LONGEST:
        raise ValueError(f"expected at most {LONGEST.days}d")
    return length


def written_duration(length: timedelta) -> str:
    """A length of time as the settings write it: `36h`, `90s`."""
    seconds = int(length.total_seconds())
    size, unit = next(pair for pair in ((3_600, "h"), (60, "m"), (1, "s")) if seconds % pair[0] == 0)
    return f"{seconds // size}{unit}"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
