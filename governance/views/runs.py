"""The last detect run: its numbers, and its estate as lazy frames that are read by filter and head only."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl
from sqlmodel import Session, col, select

from governance.findings import table
from governance.house import House
from governance.snapshots import demand_estate
from governance.tables import AuditEntry, DetectRun, Snapshot

T = TypeVar("T")
_KEPT: Final = 128
_remembered: OrderedDict[tuple[Any, ...], Any] = OrderedDict()


@dataclass(frozen=True)
class Run:
    """What the last stored detect run saw and concluded."""

    id: str
    as_of: datetime
    finished_at: datetime | None
    estate: Path | None
    summary: dict[str, Any] = field(default_factory=dict)
    not_evaluable: dict[str, dict[str, str]] = field(default_factory=dict)

    def number(self, name: str) -> int | None:
        """A number of the summary; None when the run did not say."""
        value = self.summary.get(name)
        return int(value) if isinstance(value, int | float) else None

    def table(self, name: str) -> pl.LazyFrame | None:
        """A table of the estate; None when it is not kept any more or empty."""
        return None if self.estate is None else table(self.estate, name)


def last_run(house: House) -> Run | None:
    """The last stored detect run; None before the first one, and while no feed was ever read: nothing was judged.

    StoreError when its estate is not there any more, as after a restore: lists would be empty.
    """
    with house.store.read() as session:
        head = session.exec(select(DetectRun.id).order_by(col(DetectRun.id).desc()).limit(1)).first()
        if head is None:
            return None
        run = remembered(("run", house.store.url, head), lambda: _load(house, session, head))
        if run.summary.get("feeds") == {} and session.exec(select(Snapshot.id).limit(1)).first() is None:
            return None
    if run.estate is not None:
        demand_estate(run.estate)
    return run


def _load(house: House, session: Session, id: str) -> Run:
    row = session.get_one(DetectRun, id)
    return Run(
        id=row.id,
        as_of=row.as_of,
        finished_at=row.finished_at,
        estate=house.snapshots / row.estate if row.estate else None,
        summary=row.summary or {},
        not_evaluable=row.not_evaluable or {},
    )


def version(session: Session) -> tuple[str | None, int]:
    """What changes whenever a finding or a decision does: the last run and the last audit entry."""
    run = session.exec(select(DetectRun.id).order_by(col(DetectRun.id).desc()).limit(1)).first()
    seq = session.exec(select(AuditEntry.seq).order_by(col(AuditEntry.seq).desc()).limit(1)).first()
    return run, seq or 0


def recall(key: tuple[Any, ...]) -> Any:
    """A value that was remembered under this key; None when there is none."""
    return _remembered.get(key)


def forget() -> None:
    """Remember nothing: the next page is read as the first one after a change."""
    _remembered.clear()


def remembered(key: tuple[Any, ...], make: Callable[[], T]) -> T:
    """A value that can only change together with its key, made once and kept for the next page."""
    if key in _remembered:
        _remembered.move_to_end(key)
        found: T = _remembered[key]
        return found
    made = make()
    _remembered[key] = made
    while len(_remembered) > _KEPT:
        _remembered.popitem(last=False)
    return made
