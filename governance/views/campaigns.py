"""Campaigns as security sees them: what runs, how far it is, who reviews how, and what became of what was removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.access import Actor, Verb, may
from governance.campaigns import ASKED, Quality, quality
from governance.errors import DecisionError, NotAllowed
from governance.house import House
from governance.tables import (
    UNDER_WAY,
    Campaign,
    EvidencePack,
    Remediation,
    ReviewItem,
    ReviewSchedule,
    ReviewSignature,
)
from governance.views.reviews import burn_down
from governance.views.words import UNKNOWN

WORDS = ("keep", "remove", "change")
_OF_REVIEWS = col(Campaign.template).is_distinct_from(ASKED)  # single removals that managers asked for stand elsewhere


@dataclass(frozen=True)
class Card:
    """One campaign in the list."""

    campaign: Campaign
    items: int
    decided: int
    removals: dict[str, int]  # state of the remediations -> how many

    @property
    def share(self) -> float:
        """How much of it is decided, 0 to 1."""
        return self.decided / self.items if self.items else 0.0

    @property
    def not_proved(self) -> int:
        """Removals that are not carried out and read back."""
        return sum(n for status, n in self.removals.items() if status in UNDER_WAY)

    def overdue(self, now: datetime) -> bool:
        """Whether its day has passed while something is open."""
        due = self.campaign.due_at
        return self.campaign.status == "running" and due is not None and due <= now and self.decided < self.items


@dataclass(frozen=True)
class Progress:
    """One campaign from near."""

    card: Card
    counts: dict[str, int]  # keep, remove, change, open -> items
    applications: dict[str, dict[str, int]]  # title -> the same
    reviewers: list[Quality]
    signed: frozenset[str]
    open_of: dict[str, int]  # reviewer -> undecided items
    burn_down: list[tuple[datetime, int]]  # after this instant so many were open
    packs: list[EvidencePack]
    outcomes: dict[str, int] = field(default_factory=dict)  # in words -> items


def cards(house: House, actor: Actor) -> list[Card]:
    """Every campaign: those that run first, the next due before the others, then drafts, then what ended."""
    _demand_all(actor)
    with house.store.read() as session:
        rows = list(session.exec(select(Campaign).where(_OF_REVIEWS).order_by(col(Campaign.id).desc()).limit(200)))
        counted = _counted(session)
        removals = _removals(session)
        session.expunge_all()
    made = [Card(row, *counted.get(row.id, (0, 0)), removals.get(row.id, {})) for row in rows]
    order = {"running": 0, "draft": 1, "closed": 2, "cancelled": 3}
    far = datetime.max.replace(tzinfo=UTC)
    return sorted(made, key=lambda c: (order.get(c.campaign.status, 9), c.campaign.due_at or far))


def schedules(house: House, actor: Actor) -> list[ReviewSchedule]:
    """Those that go on, the next to begin first."""
    _demand_all(actor)
    chosen = select(ReviewSchedule).where(col(ReviewSchedule.ended_at).is_(None))
    with house.store.read() as session:
        return list(session.exec(chosen.order_by(col(ReviewSchedule.next_at))))


def progress(house: House, actor: Actor, id: str) -> Progress:
    """How far one campaign is; DecisionError when there is none of that id."""
    _demand_all(actor)
    with house.store.read() as session:
        row = session.get(Campaign, id)
        if row is None:
            raise DecisionError(f"there is no campaign {id}")
        own = (ReviewItem.campaign == id, col(ReviewItem.control).is_(False))
        matrix = session.exec(
            select(ReviewItem.application, ReviewItem.decision, sa.func.count())
            .where(*own)
            .group_by(col(ReviewItem.application), col(ReviewItem.decision))
        ).all()
        waiting = session.exec(
            select(ReviewItem.reviewer, sa.func.count())
            .where(*own, col(ReviewItem.decision).is_(None))
            .group_by(col(ReviewItem.reviewer))
        ).all()
        signed = session.exec(select(ReviewSignature.reviewer).where(ReviewSignature.campaign == id)).all()
        packs = select(EvidencePack).where(EvidencePack.campaign == id).order_by(col(EvidencePack.id).desc())
        found = Progress(
            card=Card(row, *_counted(session, id).get(id, (0, 0)), _removals(session, id).get(id, {})),
            counts=_by_decision((word, n) for _, word, n in matrix),
            applications=_by_application(house, matrix),
            reviewers=quality(session, id),
            signed=frozenset(signed) - {reviewer for reviewer, _ in waiting},
            open_of={str(reviewer): int(n) for reviewer, n in waiting},
            burn_down=burn_down(session, row, col(ReviewItem.control).is_(False)),
            packs=list(session.exec(packs)),
            outcomes=_outcomes(session, id),
        )
        session.expunge_all()
    return found


def forecast(points: list[tuple[datetime, int]], now: datetime) -> datetime | None:
    """When everything is decided at the pace so far; None before anything was, and when it would take years."""
    if len(points) < 2 or points[-1][1] == 0:
        return None
    begun, given = points[0]
    passed, decided = now - begun, given - points[-1][1]
    if decided <= 0 or passed < timedelta(hours=1):
        return None
    needed = passed * (points[-1][1] / decided)
    return now + needed if needed < timedelta(days=1_000) else None


def _demand_all(actor: Actor) -> None:
    """Whoever may read everything: a campaign shows the access of everybody in it."""
    if not may(actor, Verb.READ, application="*", identity_id="*"):
        raise NotAllowed(
            f"{actor.email or 'a reader'} may not see whole campaigns; their own items are under My reviews"
        )


def _counted(session: Session, id: str | None = None) -> dict[str, tuple[int, int]]:
    query = select(ReviewItem.campaign, sa.func.count(), sa.func.count(col(ReviewItem.decision))).where(
        col(ReviewItem.control).is_(False)
    )
    if id is not None:
        query = query.where(ReviewItem.campaign == id)
    rows = session.exec(query.group_by(col(ReviewItem.campaign))).all()
    return {str(campaign): (int(items), int(decided)) for campaign, items, decided in rows}


def _removals(session: Session, id: str | None = None) -> dict[str, dict[str, int]]:
    query = sa.select(col(Remediation.campaign), col(Remediation.status), sa.func.count()).where(
        col(Remediation.campaign).is_not(None) if id is None else col(Remediation.campaign) == id
    )
    found: dict[str, dict[str, int]] = {}
    for campaign, status, n in session.execute(query.group_by(col(Remediation.campaign), col(Remediation.status))):
        found.setdefault(str(campaign), {})[str(status)] = int(n)
    return found


def _by_decision(rows: Any) -> dict[str, int]:
    found = dict.fromkeys((*WORDS, "open"), 0)
    for word, n in rows:
        found[word or "open"] = found.get(word or "open", 0) + int(n)
    return found


def _by_application(house: House, matrix: Any) -> dict[str, dict[str, int]]:
    titles = {a.name: a.label for a in house.settings.application}
    found: dict[str, list[tuple[str | None, int]]] = {}
    for application, word, n in matrix:
        found.setdefault(titles.get(application, application or UNKNOWN), []).append((word, n))
    made = {title: _by_decision(rows) for title, rows in found.items()}
    return dict(sorted(made.items(), key=lambda item: -sum(item[1].values())))


def _outcomes(session: Session, id: str) -> dict[str, int]:
    query = select(ReviewItem.outcome, sa.func.count()).where(
        ReviewItem.campaign == id, col(ReviewItem.outcome).is_not(None)
    )
    rows = session.exec(query.group_by(col(ReviewItem.outcome)).order_by(sa.func.count().desc()).limit(20)).all()
    return {str(outcome): int(n) for outcome, n in rows}
