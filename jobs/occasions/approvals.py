"""Approvals that wait: for the first decision, for a second approver, or before they lapse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col

from governance.access import Verb
from governance.house import House
from governance.notices import Occasion, marks_told
from governance.remediation import APPROVAL_HOLDS
from governance.tables import Notice, Remediation
from jobs.occasions.applications import label
from jobs.occasions.people import People

KINDS: Final = frozenset({"approval_waiting", "approval_second", "approval_lapsing"})
WHY: Final = "it was decided before anybody was told"
BEFORE: Final = timedelta(hours=12)


@dataclass(frozen=True)
class _Proposal:
    id: str
    status: str
    application: str
    identity_id: str | None
    proposed_by: str
    approved_by: str | None
    approved_at: datetime | None
    second_approver: str | None
    expires_at: datetime | None

    def half(self, now: datetime) -> bool:
        """Whether a first approval holds and a second is needed."""
        return (
            self.status == "proposed"
            and self.approved_by is not None
            and self.approved_at is not None
            and self.approved_at > now - APPROVAL_HOLDS
        )

    @property
    def time(self) -> str:
        """Which approval this is about: after one lapsed, everybody is told anew."""
        return f"{self.approved_at:%Y%m%dT%H%M%S}" if self.approved_at else "1"


def gather(house: House, people: People, now: datetime) -> Iterator[Occasion]:
    """What was not told of yet, to everybody who may decide it."""
    pairs = [(occasion, p) for p in _proposals(house) for occasion in _occasions(house, p, now)]
    with house.store.read() as session:
        told = marks_told(session, (occasion for occasion, _ in pairs))
    fresh = [(occasion, p) for occasion, p in pairs if occasion.mark not in told]
    people.look_up_managers({p.identity_id for _, p in fresh if p.identity_id})
    for occasion, p in fresh:
        if p.status == "approved":  # nobody has to decide: it was not carried out
            to = tuple(one for one in dict.fromkeys((p.proposed_by, p.approved_by, p.second_approver)) if one)
        else:
            but = (p.proposed_by, p.approved_by if p.half(now) else None)
            to = people.who_may(Verb.APPROVE, p.application, p.identity_id, but)
        yield Occasion(occasion.kind, occasion.about, occasion.body, occasion.link, to, occasion.time)


def moot(house: House, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    """Notices about what was decided since."""
    now_is = {p.id: p for p in _proposals(house)}
    for notice in notices:
        p = now_is.get(notice.about)
        if p is None or notice.kind not in {occasion.kind for occasion in _occasions(house, p, now)}:
            yield notice.id


def _occasions(house: House, p: _Proposal, now: datetime) -> Iterator[Occasion]:
    body, link = label(house, p.application), f"approvals?id={p.id}"
    if p.half(now):
        yield Occasion("approval_second", p.id, body, link, time=p.time)
        lapses = (p.approved_at or now) + APPROVAL_HOLDS
    elif p.status == "proposed":
        yield Occasion("approval_waiting", p.id, body, link, time=p.time)
        return
    else:
        lapses = p.expires_at or now + APPROVAL_HOLDS
    if lapses - BEFORE <= now < lapses:
        yield Occasion("approval_lapsing", p.id, body, link, time=p.time)


def _proposals(house: House) -> list[_Proposal]:
    r = Remediation
    columns = sa.select(  # type: ignore[call-overload,misc]
        r.id, r.status, r.application, r.identity_id, r.proposed_by, r.approved_by, r.approved_at, r.second_approver,
        r.expires_at,
    )  # fmt: skip
    with house.store.read() as session:
        rows = session.execute(columns.where(col(r.status).in_(("proposed", "approved"))).order_by(col(r.id)))
        return [_Proposal(*row) for row in rows]
