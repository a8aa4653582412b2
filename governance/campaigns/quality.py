"""How carefully a campaign was reviewed: pace, bulk, agreement with facts, and the control rows that were missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import median
from typing import Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.tables import Remediation, ReviewDecision, ReviewItem

FEW: Final = 20  # fewer decisions say nothing about a pace
FAST_S: Final = 1.0  # median between two decisions: nobody reads a row in less
BULK: Final = 0.8  # more of the decisions than this were made in bulk


@dataclass(frozen=True)
class Quality:
    """One reviewer in one campaign. None: there is nothing to tell it by."""

    reviewer: str
    given: int  # items with them now, or decided by them
    decided: int
    removed: int
    seconds: float | None  # median between one decision and the next
    bulk_share: float | None
    agreement: float | None  # decided as was recommended, of what was recommended
    overtaken: int  # kept, and the access was removed by other means afterwards
    controls: int  # announced control rows decided
    controls_missed: int  # of those, kept
    flags: tuple[str, ...]  # what a campaign's owner should look at


def quality(session: Session, campaign: str) -> list[Quality]:
    """Every reviewer of a campaign, those with flags first."""
    found = [_of(session, campaign, reviewer) for reviewer in _reviewers(session, campaign)]
    return sorted(found, key=lambda q: (not q.flags, -q.given, q.reviewer))


def _reviewers(session: Session, campaign: str) -> list[str]:
    given = session.exec(select(ReviewItem.reviewer).where(ReviewItem.campaign == campaign).distinct())
    by = session.exec(select(ReviewDecision.by).where(ReviewDecision.campaign == campaign).distinct())
    return sorted({one for one in (*given, *by) if one})


def _of(session: Session, campaign: str, reviewer: str) -> Quality:
    log = session.exec(
        select(ReviewDecision.at, ReviewDecision.seconds, ReviewDecision.bulk)
        .where(ReviewDecision.campaign == campaign, ReviewDecision.by == reviewer, ReviewDecision.decision != "undo")
        .where(ReviewDecision.level > 0)
        .order_by(col(ReviewDecision.at), col(ReviewDecision.id))
    ).all()
    single = [(at, seconds) for at, seconds, bulk in log if not bulk]
    pace = [seconds for _, seconds in single if seconds is not None] or _gaps([at for at, _ in single])
    own = select(ReviewItem.decision, ReviewItem.recommendation, ReviewItem.control, sa.func.count()).where(
        ReviewItem.campaign == campaign, ReviewItem.decided_by == reviewer, col(ReviewItem.decision).is_not(None)
    )
    rows = session.exec(
        own.group_by(*(col(c) for c in (ReviewItem.decision, ReviewItem.recommendation, ReviewItem.control)))
    ).all()
    real = [(word, advice, n) for word, advice, control, n in rows if not control]
    advised = sum(n for _, advice, n in real if advice != "judge")
    agreed = sum(n for word, advice, n in real if word == advice)
    controls = sum(n for _, _, control, n in rows if control)
    missed = sum(n for word, _, control, n in rows if control and word == "keep")
    seconds = median(pace) if len(pace) >= FEW else None
    bulk = sum(b for _, _, b in log) / len(log) if log else None
    return Quality(
        reviewer=reviewer,
        given=_given(session, campaign, reviewer),
        decided=sum(n for _, _, n in real),
        removed=sum(n for word, _, n in real if word == "remove"),
        seconds=None if seconds is None else round(seconds, 1),
        bulk_share=None if bulk is None else round(bulk, 3),
        agreement=round(agreed / advised, 3) if advised else None,
        overtaken=_overtaken(session, campaign, reviewer),
        controls=controls,
        controls_missed=missed,
        flags=_flags(len(log), seconds, bulk, missed),
    )


def _flags(decided: int, seconds: float | None, bulk: float | None, missed: int) -> tuple[str, ...]:
    flags = []
    if seconds is not None and seconds < FAST_S:
        flags.append(f"{decided:,} decisions, {seconds:.1f} s each")
    if bulk is not None and decided >= FEW and bulk > BULK:
        flags.append(f"{bulk:.0%} decided in bulk")
    if missed:
        flags.append(f"{missed} control {'row' if missed == 1 else 'rows'} kept")
    return tuple(flags)


def _gaps(instants: list[datetime]) -> list[float]:
    """Seconds between one decision and the next, where the browser told none; those of one call have none."""
    return [(after - before).total_seconds() for before, after in pairwise(instants)]


def _given(session: Session, campaign: str, reviewer: str) -> int:
    chosen = select(sa.func.count()).where(
        ReviewItem.campaign == campaign,
        col(ReviewItem.control).is_(False),
        sa.or_(col(ReviewItem.reviewer) == reviewer, col(ReviewItem.decided_by) == reviewer),
    )
    return int(session.exec(chosen).one())


def _overtaken(session: Session, campaign: str, reviewer: str) -> int:
    """Kept by this reviewer, and closed by other means afterwards: the fact spoke against the decision."""
    chosen = (
        select(sa.func.count(sa.distinct(col(ReviewItem.number))))
        .join(
            Remediation,
            sa.and_(
                col(Remediation.application) == col(ReviewItem.application),
                col(Remediation.account_id) == col(ReviewItem.account_id),
            ),
        )
        .where(
            ReviewItem.campaign == campaign,
            ReviewItem.decided_by == reviewer,
            ReviewItem.decision == "keep",
            Remediation.status == "verified",
            col(Remediation.proposed_at) > col(ReviewItem.decided_at),
        )
    )
    return int(session.exec(chosen).one())
