"""Values as cells of a spreadsheet that are shown and never calculated, and rows as lines of CSV.

Source: OWASP ASVS 5.0 1.2.10 (formula injection), RFC 4180 (CSV).
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

_LIVE: Final = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")


def cell(value: Any) -> str:
    """One value as text that a spreadsheet shows and never calculates: a quote stands before what looks live."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = str(value).replace("\0", "")
    live = str(value).startswith(_LIVE) or text.lstrip(" \u00a0\n\r\t\v\f\ufeff\u200b").startswith(_LIVE)
    return f"'{text}" if live else text


def csv_lines(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """The rows as lines of CSV (RFC 4180) under their header, every cell safe to open in a spreadsheet."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    for row in itertools.chain([{name: name for name in columns}], rows):
        writer.writerow([cell(row.get(name)) for name in columns])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def csv_text(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """The same as one text."""
    return "".join(csv_lines(rows, columns))
