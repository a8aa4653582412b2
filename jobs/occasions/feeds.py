"""Feeds that could not be read three times in a row, to the admins, once until they can be read again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, select

from governance.house import House
from governance.notices import Occasion, marks_told
from governance.tables import Notice, Pull
from jobs.occasions.applications import label
from jobs.occasions.people import People

KINDS: Final = frozenset({"feed_failing"})
WHY: Final = "the feed can be read again"
IN_A_ROW: Final = 3


def gather(house: House, people: People, now: datetime) -> Iterator[Occasion]:
    """The feeds that fail, with where the row of failures began: a later row is told anew."""
    with house.store.read() as session:
        rows = {feed.name: _failures(session, feed.name) for feed in house.settings.feeds}
        found = [
            Occasion(
                "feed_failing",
                name,
                f"{label(house, name)}: the last {IN_A_ROW} attempts failed",
                "jobs?status=failed",
                time=failed[-1],
            )
            for name, failed in rows.items()
            if len(failed) >= IN_A_ROW
        ]
        told = marks_told(session, found)
    for o in found:
        if o.mark not in told:
            yield Occasion(o.kind, o.about, o.body, o.link, people.admins, o.time)


def moot(house: House, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    """Notices about feeds that could be read since."""
    with house.store.read() as session:
        yield from (n.id for n in notices if len(_failures(session, n.about, 1)) == 0)


def _failures(session: Session, feed: str, enough: int = IN_A_ROW) -> list[str]:
    """The ids of the failed pulls since one that was not, the newest first; fewer than `enough` are all there are."""
    ended = select(Pull.id, Pull.status).where(Pull.feed == feed, Pull.status != "running")
    newest = session.exec(ended.order_by(col(Pull.id).desc()).limit(enough)).all()
    if len(newest) < enough or any(status != "failed" for _, status in newest):
        return []
    good = ended.where(Pull.status != "failed").order_by(col(Pull.id).desc()).limit(1)
    since = session.exec(good).first()
    row = select(Pull.id).where(Pull.feed == feed, Pull.status == "failed", col(Pull.id) > (since[0] if since else ""))
    first = session.exec(row.order_by(col(Pull.id)).limit(1)).one()
    return [*(id for id, _ in newest), first]
