"""How results are printed: a table for people, json, jsonl or csv for programs. Messages go to standard error."""

from __future__ import annotations

import itertools
import json
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

WIDE: Final = 1_000  # columns for output that is not a terminal: nothing is cut


class Format(StrEnum):
    """The form of the output."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def say(message: str) -> None:
    """A message for people, on standard error."""
    sys.stderr.write(f"{printable(message)}\n")


def instant(value: datetime) -> str:
    """An instant as ISO 8601 in UTC with Z."""
    text = value.astimezone(UTC).isoformat(timespec="microseconds" if value.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """A value as JSON can hold it."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(plain(inner) for inner in value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def duration(value: timedelta) -> str:
    """A length of time as the settings write it: `15m`, `24h`, `30d`."""
    seconds = int(value.total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds and seconds % size == 0 and (unit != "d" or seconds > 86_400):
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def document(value: Any) -> None:
    """Exactly one JSON document on standard output."""
    sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=2) + "\n")


def show(
    rows: Iterable[Mapping[str, Any]], form: Format, columns: Sequence[str] = (), empty: str = "nothing to show"
) -> None:
    """Print all rows; jsonl and csv as they come. `columns` are those a table shows; the others hold every key."""
    if form is Format.JSON:
        document(list(rows))
    elif form is Format.JSONL:
        for row in rows:
            sys.stdout.write(json.dumps(plain(row), ensure_ascii=False) + "\n")
    elif form is Format.CSV:
        _csv(iter(rows), columns)
    elif found := list(rows):
        _table(found, columns or list(found[0]))
    else:
        say(empty)


def _csv(rows: Iterator[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from governance.exports import csv_lines

    first = next(rows, None)
    names = list(columns if first is None else first)
    every = itertools.chain([] if first is None else [first], rows)
    sys.stdout.writelines(csv_lines(({name: _flat(row[name]) for name in names} for row in every), names))


def _flat(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(inner, (dict, list)) for inner in value)):
        return json.dumps(value, ensure_ascii=False)
    return ";".join(map(str, value)) if isinstance(value, list) else value


def _table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for name in columns:
        table.add_column(Text(name.replace("_", " ")), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell(row.get(name))) for name in columns))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE, legacy_windows=False)
    with console.capture() as drawn:
        console.print(table)
    sys.stdout.writelines(f"{line.rstrip()}\n" for line in drawn.get().splitlines())


def cell(value: Any) -> str:
    """A value as a table shows it; what is not known is a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}Z"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(inner)}" for key, inner in value.items()) or "–"
    if isinstance(value, (list, tuple)):
        if any(isinstance(inner, Mapping) for inner in value):
            return printable(str(value)) or "–"
        return ", ".join(map(cell, value)) or "–"
    return printable(str(value))


def printable(text: str) -> str:
    """Text without control characters: what a feed says must not drive the terminal."""
    return "".join(
        c if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf") else "\N{REPLACEMENT CHARACTER}" for c in text
    )
