"""Secrets kept out of every log line: the ones connectors use are known here and struck out wherever they turn up."""

from __future__ import annotations

import base64
import json
import logging
import re
import threading
from collections.abc import Collection, Iterable
from typing import Any, Final
from urllib.parse import quote, quote_plus

STRUCK: Final = "[secret]"
SHORTEST: Final = 5  # shorter words stand in ordinary text
_known: set[str] = set()
_lock = threading.Lock()
_formatter = logging.Formatter()


def guard_logs(secrets: Iterable[str]) -> None:
    """Strike these secrets out of all log records from now on, those of libraries included."""
    with _lock:
        for secret in secrets:
            if len(secret) >= SHORTEST:
                _known.update(_spellings(secret))
        if not isinstance(logging.getLogRecordFactory(), _Striking):
            logging.setLogRecordFactory(_Striking(logging.getLogRecordFactory()))


def strike(text: str, known: Collection[str] = _known) -> str:
    """The text without any known secret."""
    found = [secret for secret in known if secret in text]
    if not found:
        return text
    longest_first = sorted(found, key=len, reverse=True)  # in one pass: what was put in is not looked at again
    return re.sub("|".join(map(re.escape, longest_first)), STRUCK, text)


class _Striking:
    """Makes log records without secrets. A record factory sees every logger's records; a filter only one logger's."""

    def __init__(self, make: Any) -> None:
        self._make = make

    def __call__(self, *args: Any, **more: Any) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **more)
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a wrong format is for logging to complain about
            message, record.args = str(record.msg), ()
        if (clean := strike(message)) != message:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0] is not None:
            text = _formatter.formatException(record.exc_info)
            if (clean := strike(text)) != text:
                record.exc_text = clean  # formatters use it instead of formatting again
        return record


def _spellings(secret: str) -> set[str]:
    """The secret as it may stand in a header, a URL, JSON, a Python literal or basic authentication."""
    encoded = base64.b64encode(secret.encode()).decode()
    return {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1], encoded}
