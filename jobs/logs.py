"""Log lines that nobody forges: what a name or an answer from outside says begins no line of its own."""

from __future__ import annotations

import logging
import unicodedata
from typing import Any, Final

OURS: Final = "leaverwatch"
FURTHER: Final = "  | "  # before each line of a message after its first


def keep_lines() -> None:
    """From now on each further line of our own messages is marked as one, and no sign drives a terminal."""
    if not isinstance(logging.getLogRecordFactory(), _Lines):
        logging.setLogRecordFactory(_Lines(logging.getLogRecordFactory()))


class _Lines:
    """Makes log records whose messages have no line that looks like another record."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **more)
        if record.name.partition(".")[0] != OURS:
            return record
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a wrong format is for logging to complain about
            return record
        if not message.isprintable():
            record.msg, record.args = f"\n{FURTHER}".join(map(_shown, message.splitlines())), ()
        return record


def _shown(line: str) -> str:
    return "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf") else c.encode("unicode_escape").decode() for c in line
    )
