"""How each person wants to be told, set by nobody but themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from sqlmodel import Session, col, select

from governance import audit
from governance.access import Actor
from governance.errors import DecisionError, NotAllowed
from governance.house import House
from governance.notices.kinds import KINDS
from governance.notices.times import due_at
from governance.store import update_rows, upsert_rows
from governance.tables import Notice, NoticePreference

Digest = Literal["at_once", "daily"]
_CHUNK: Final = 500


@dataclass(frozen=True)
class Preference:
    """What somebody wants: without a wish, at once, at any hour, over every channel that reaches persons."""

    channels: tuple[str, ...] = ()  # names; empty: all that reach persons
    digest: Digest = "at_once"
    quiet_from: str | None = None  # on their own wall, 20:00
    quiet_until: str | None = None
    time_zone: str = "UTC"


def preferences(session: Session, emails: Collection[str]) -> dict[str, Preference]:
    """What each of these persons wants."""
    wanted = sorted(emails)
    found = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        for row in session.exec(select(NoticePreference).where(col(NoticePreference.actor).in_(chunk))):
            found[row.actor] = _of(row)
    return {email: found.get(email, Preference()) for email in wanted}


def preference(house: House, email: str) -> Preference:
    """What this person wants."""
    with house.store.read() as session:
        return preferences(session, (email,))[email]


def prefer(house: House, actor: Actor, now: datetime, wishes: Preference) -> None:
    """Take down how this actor wants to be told; what waits for them is told by the new wishes.

    NotAllowed for who cannot act here, DecisionError for a wish that cannot be fulfilled.
    """
    if not actor.email or not actor.roles or actor.left:
        raise NotAllowed("only who may act here has preferences, and everybody has only their own")
    _check(house, wishes)
    said = asdict(wishes) | {"channels": list(wishes.channels)}
    with house.store.write() as session:
        upsert_rows(session, NoticePreference, [{"actor": actor.email, **said}])
        waiting = select(Notice).where(Notice.to == actor.email, Notice.status == "waiting", Notice.attempts == 0)
        rows = session.exec(waiting.order_by(col(Notice.id))).all()
        anew = [{"id": n.id, "due_at": due_at(now, wishes, can_wait=_can_wait(n.kind))} for n in rows]
        update_rows(session, Notice, "id", anew)
        audit.append(session, now=now, actor=actor.email, verb="notices.prefer", object=actor.email, facts=said)


def _check(house: House, wishes: Preference) -> None:
    known = {channel.name for channel in house.settings.notify.personal}
    if unknown := sorted(set(wishes.channels) - known):
        raise DecisionError(f"no channel that reaches persons is named {unknown[0]!r}")
    if wishes.time_zone not in available_timezones():
        raise DecisionError(f"{wishes.time_zone!r} is no time zone; expected one such as Europe/Berlin")
    ZoneInfo(wishes.time_zone)
    if (wishes.quiet_from is None) != (wishes.quiet_until is None):
        raise DecisionError("quiet hours need a beginning and an end")
    if wishes.quiet_from is not None and wishes.quiet_until is not None:
        try:
            begin, end = time.fromisoformat(wishes.quiet_from), time.fromisoformat(wishes.quiet_until)
        except ValueError:
            raise DecisionError("quiet hours are times such as 20:00 and 07:00") from None
        if begin == end or begin.tzinfo or end.tzinfo:
            raise DecisionError("quiet hours that begin when they end would last all day or not at all")


def _can_wait(kind: str) -> bool:
    return next((one.waits for name, one in KINDS.items() if name == kind), True)


def _of(row: NoticePreference) -> Preference:
    digest: Digest = "daily" if row.digest == "daily" else "at_once"
    return Preference(tuple(row.channels or ()), digest, row.quiet_from, row.quiet_until, row.time_zone)
