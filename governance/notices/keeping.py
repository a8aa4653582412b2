"""Notices as they are kept: each told once, tried again when it did not arrive, and in sight until it did."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, delete, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.channels import NotifySettings
from governance.errors import AlreadyDecided
from governance.house import House
from governance.notices.kinds import KINDS
from governance.notices.occasions import Occasion, receivers, room
from governance.notices.preferences import Preference, preferences
from governance.notices.times import due_at, out_of_quiet
from governance.store import put_rows
from governance.tables import Notice

RETRIES: Final = tuple(timedelta(minutes=m) for m in (1, 5, 30, 120, 720))  # then it has failed
REST: Final = timedelta(minutes=15)  # between two messages with the same kind to the same receiver
MOST: Final = 5_000  # looked at in one go
_CHUNK: Final = 500


def told_before(session: Session, occasions: Iterable[Occasion]) -> set[str]:
    """The keys of these occasions that were made notices of before."""
    by_kind: dict[str, set[str]] = {}
    for occasion in occasions:
        by_kind.setdefault(occasion.kind, set()).add(occasion.about)
    found: set[str] = set()
    for kind, abouts in by_kind.items():
        for chunk in _chunks(sorted(abouts)):
            found |= set(session.exec(select(Notice.key).where(Notice.kind == kind, col(Notice.about).in_(chunk))))
    return found


def marks_told(session: Session, occasions: Iterable[Occasion]) -> set[str]:
    """The marks of these occasions that somebody was told of before, whoever that was."""
    return {key.rpartition(" ")[0] for key in told_before(session, occasions)}


def sent_lately(session: Session, now: datetime, channel: str, within: timedelta) -> int:
    """How many messages went over this channel lately."""
    lately = select(Notice.to, Notice.sent_at, Notice.channels).where(col(Notice.sent_at) > now - within)
    return len({(to, at) for to, at, channels in session.exec(lately) if channel in (channels or ())})


def tell(session: Session, settings: NotifySettings, now: datetime, occasions: Sequence[Occasion]) -> int:
    """Make notices of what was not told yet, in the caller's transaction. Says how many were new."""
    before = told_before(session, occasions)
    pairs = {o.key(to): (o, to) for o in occasions for to in receivers(o, settings) if o.key(to) not in before}
    wishes = preferences(session, {to for _, to in pairs.values() if room(to) is None})
    rows = [
        {
            "id": str(ULID.from_datetime(now)),
            "key": key,
            "to": to,
            "kind": o.kind,
            "about": o.about,
            "title": KINDS[o.kind].title(1, room=room(to) is not None),
            "body": o.body,
            "link": o.link,
            "made_at": now,
            "due_at": due_at(now, wishes.get(to, Preference()), can_wait=KINDS[o.kind].waits),
            "status": "waiting",
            "channels": [],
            "attempts": 0,
        }
        for key, (o, to) in pairs.items()
    ]
    return put_rows(session, Notice, rows)


def due(session: Session, now: datetime) -> list[Notice]:
    """What is to be sent now, the oldest first. Who was told the same kind a moment ago has to wait a little."""
    waiting = select(Notice).where(Notice.status == "waiting", Notice.due_at <= now)
    found = session.exec(waiting.order_by(col(Notice.due_at), col(Notice.id)).limit(MOST)).all()
    if not found:
        return []
    lately = select(Notice.to, Notice.kind).where(col(Notice.sent_at) > now - REST).distinct()
    rests = set(session.exec(lately).all())
    return [n for n in found if (n.to, n.kind) not in rests or n.attempts or n.kind in _URGENT]


_URGENT: Final = frozenset(name for name, kind in KINDS.items() if not kind.waits)


def sent(session: Session, now: datetime, ids: Collection[str], channel: str, wanted: Collection[str]) -> None:
    """Note that these arrived over a channel; they are sent once they arrived over all that were wanted."""
    for notice in _of(session, ids):
        notice.channels, notice.sent_at = sorted({*(notice.channels or ()), channel}), now
        if set(wanted) <= set(notice.channels):
            notice.status, notice.error = "sent", None
            notice.attempts += 1
        session.add(notice)


def failed(session: Session, now: datetime, ids: Collection[str], error: str) -> None:
    """Note that these did not arrive and when they are tried again; after the last time they have failed."""
    rows = _of(session, ids)
    wishes = preferences(session, {notice.to for notice in rows if room(notice.to) is None})
    for notice in rows:
        notice.attempts += 1
        notice.error = error
        if notice.attempts > len(RETRIES):
            notice.status = "failed"
        else:
            later = now + RETRIES[notice.attempts - 1]
            notice.due_at = out_of_quiet(later, wishes.get(notice.to, Preference()))
        session.add(notice)


def drop(session: Session, whys: Mapping[str, str]) -> int:
    """Give up notices, by id, that are no longer true, before anybody was told. Says how many."""
    rows = _of(session, whys)
    for notice in rows:
        notice.status, notice.error = "dropped", whys[notice.id]
        session.add(notice)
    return len(rows)


def again(house: House, actor: Actor, now: datetime, ids: Sequence[str]) -> int:
    """Try notices once more that have failed. AlreadyDecided unless all of them have."""
    demand(actor, Verb.RUN)
    with house.store.write() as session:
        rows = _of(session, ids, status="failed")
        if len(rows) < len(set(ids)) or not rows:
            raise AlreadyDecided(
                "only notices that have failed are tried again: leaverwatch notices list --status failed"
            )
        for notice in rows:
            notice.status, notice.attempts, notice.due_at = "waiting", 0, now
            session.add(notice)
        lines = [audit.Line(now, actor.email, "notices.again", f"notice/{notice.id}") for notice in rows]
        audit.append_many(session, lines)
        return len(rows)


def forget(session: Session, before: datetime) -> int:
    """Remove notices made before this time that do not wait any more. Says how many."""
    old = delete(Notice).where(col(Notice.made_at) < before, col(Notice.status) != "waiting")
    return int(session.exec(old).rowcount)


def _of(session: Session, ids: Iterable[str], status: str = "waiting") -> list[Notice]:
    return [
        notice
        for chunk in _chunks(sorted(ids))
        for notice in session.exec(select(Notice).where(col(Notice.id).in_(chunk), Notice.status == status))
    ]


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]
