"""Which pulls the facts rest on: the newest that read a feed whole, and those that read only what changed since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from governance.tables import Pull, Snapshot


@dataclass(frozen=True)
class Rows:
    """Rows of one or more pulls: how many were read, and what did not become a fact of its own."""

    read: int = 0
    duplicates: int = 0
    rejected: int = 0

    def __add__(self, other: Rows) -> Rows:
        """The rows of both."""
        return Rows(self.read + other.read, self.duplicates + other.duplicates, self.rejected + other.rejected)


@dataclass(frozen=True)
class Readings:
    """What one feed's snapshot was read from."""

    whole: Rows | None  # the newest pull that read everything; None when its evidence is not kept
    whole_at: datetime
    changes: Rows | None  # all pulls after it that read only what changed; None when there was none


def readings(session: Session, snapshots: Iterable[Snapshot]) -> dict[str, Readings]:
    """For the feed of each of these snapshots what it was read from. Pulls that were not believed are left out."""
    wanted = {one.feed: one for one in snapshots}
    if not wanted:
        return {}
    since = {feed: one.whole_at or one.at for feed, one in wanted.items()}
    of_these = [sa.and_(col(Pull.feed) == feed, col(Pull.at) >= at) for feed, at in since.items()]
    believed = sa.or_(
        col(Snapshot.status) == "published", sa.and_(col(Pull.snapshot).is_(None), col(Pull.status) == "ok")
    )
    columns = (
        *(col(Pull.feed), col(Pull.at), col(Pull.rows_read), col(Pull.duplicates), col(Pull.rejected)),
        *(col(Snapshot.id), col(Snapshot.at), col(Snapshot.whole_at)),
    )
    query = sa.select(*columns).outerjoin(Snapshot, col(Pull.snapshot) == col(Snapshot.id))
    whole: dict[str, Rows] = {}
    changes: dict[str, Rows] = {}
    for feed, _, read, duplicates, rejected, id, at, laid_over in session.execute(
        query.where(sa.or_(*of_these), believed).order_by(col(Pull.id))
    ):
        rows, wished = Rows(read, duplicates, rejected), wanted[feed]
        if id is not None and (at, id) > (wished.at, wished.id):
            continue  # read after what is asked about
        if id is not None and laid_over is not None and laid_over < at:
            changes[feed] = changes.get(feed, Rows()) + rows
        else:
            whole[feed] = rows
    return {feed: Readings(whole.get(feed), since[feed], changes.get(feed)) for feed in wanted}
