"""Lists handed out: CSV in which no cell can become a formula, and an audit entry for every one."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from governance import audit
from governance.access import Actor, Verb, demand
from governance.house import House

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


def export(
    house: House, actor: Actor, now: datetime, what: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]
) -> str:
    """A whole list as CSV for an actor who may export; the audit notes who took what and how many rows."""
    demand(actor, Verb.EXPORT)
    taken = 0

    def counted() -> Iterator[Mapping[str, Any]]:
        nonlocal taken
        for row in rows:
            taken += 1
            yield row

    text = csv_text(counted(), columns)
    with house.store.write() as session:
        audit.append(session, now=now, actor=actor.email, verb="export", object=f"list/{what}", facts={"rows": taken})
    return text
