"""Leaver coverage: what became of the accounts that those who left lately held."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col

from governance.declaration import epoch
from governance.findings.headline import LEFT_LATELY
from governance.tables import Finding


@dataclass(frozen=True)
class Coverage:
    """What became of the accounts that the leavers of the last 30 days held."""

    held: int
    closed: int
    open: int
    excluded: int
    unknown: int

    @property
    def share(self) -> float | None:
        """The closed share in percent; None when nobody left."""
        return 100 * self.closed / self.held if self.held else None

    def numbers(self) -> dict[str, int]:
        """The same numbers as a detect run keeps them."""
        return asdict(self)


def coverage(session: Session, accounts: pl.LazyFrame, as_of: datetime) -> Coverage:
    """Leaver coverage of the accounts as they were read, with what was proved and excluded since."""
    ended = pl.col("owner_ended_at_s")
    since, until = epoch(as_of - LEFT_LATELY), epoch(as_of)
    lately = accounts.filter(pl.col("owner_state") == "ended", ended > since, ended <= until)
    state = (
        pl.when(~pl.col("present").fill_null(value=True))
        .then(pl.lit("closed"))
        .when(pl.col("active"))
        .then(pl.lit("open"))
        .when(pl.col("active").is_null())
        .then(pl.lit("unknown"))
        .otherwise(pl.lit("closed"))
    )
    counts = dict(lately.group_by(state.alias("state")).len().collect().iter_rows())
    recent = (col(Finding.rule) == "ghost", col(Finding.since_at) > as_of - LEFT_LATELY)
    since_run = _count(session, *recent, col(Finding.status) == "resolved", col(Finding.resolved_at) > as_of)
    excluded = _count(session, *recent, col(Finding.status) == "excluded")
    held = sum(counts.values())
    closed = min(held, counts.get("closed", 0) + since_run)
    unknown = counts.get("unknown", 0)
    return Coverage(held, closed, max(0, held - closed - excluded - unknown), excluded, unknown)


def _count(session: Session, *conditions: sa.ColumnElement[bool]) -> int:
    found = sa.select(sa.func.count()).select_from(Finding).where(*conditions)
    return int(session.execute(found).scalar_one())
