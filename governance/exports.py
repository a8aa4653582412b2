"""Lists handed out: CSV in which no cell can become a formula, and an audit entry for every one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from governance import audit
from governance.access import Actor, Verb, demand
from governance.cells import cell, csv_lines, csv_text
from governance.house import House

__all__ = ["cell", "csv_lines", "csv_text", "export"]


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
