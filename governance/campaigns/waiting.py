"""Who has what to decide in a campaign that runs, and the words it is told in: titles, numbers and days, no names."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from governance.campaigns.preparing import active_deputies
from governance.correlation import fold
from governance.notices import Occasion, one_line
from governance.tables import Campaign, ReviewItem


@dataclass(frozen=True)
class Tally:
    """The items of one review: all, those undecided and how many reviewers have them; and by person who may decide.

    A deputy has what they decide in somebody's place beside what is their own.
    """

    items: int
    undecided: int
    reviewers: int
    of: dict[str, int]  # person -> items
    open: dict[str, int]  # person -> those undecided


def tally(session: Session, campaign: str, now: datetime) -> Tally:
    """The items of this campaign as they are now."""
    item = ReviewItem
    by = sa.select(col(item.reviewer), sa.func.count(), sa.func.count(col(item.decision)))
    rows = session.execute(
        by.where(col(item.campaign) == campaign).group_by(col(item.reviewer)).order_by(col(item.reviewer))
    ).all()
    deputies = {fold(actor): deputy for actor, deputy in active_deputies(session, now).items()}
    of, pending = Counter[str](), Counter[str]()
    for reviewer, total, decided in rows:
        for person in (reviewer, deputies.get(fold(reviewer))):
            if person:
                of[person] += total
                pending[person] += total - decided
    return Tally(
        items=sum(total for _, total, _ in rows),
        undecided=sum(total - decided for _, total, decided in rows),
        reviewers=sum(total > decided for who, total, decided in rows if who),
        of=dict(of),
        open={person: number for person, number in pending.items() if number},
    )


def reminder(campaign: Campaign, reviewer: str, number: int, now: datetime, time: str) -> Occasion:
    """That so many items still wait for this reviewer; `time` says which reminder it is."""
    late = (campaign.due_at or now) <= now
    when = f", was due on {day_of(campaign)}" if late else until(campaign)
    body = f"{named(campaign)}: {items(number)} to decide{when}"
    return Occasion("review_reminder", campaign.id, body, own_items(campaign), (reviewer,), time)


def named(campaign: Campaign) -> str:
    """The title on one line."""
    return one_line(campaign.title) or "Access review"


def items(number: int) -> str:
    """So many items."""
    return "1 item" if number == 1 else f"{number:,} items"


def day_of(campaign: Campaign) -> str:
    """The day it is due."""
    due = campaign.due_at
    return f"{due.day} {due:%b %Y}" if due else ""


def until(campaign: Campaign) -> str:
    """When it is due, as the end of a sentence."""
    return f", due on {day_of(campaign)}" if campaign.due_at else ""


def own_items(campaign: Campaign) -> str:
    """Where a reviewer decides."""
    return f"my_reviews?campaign={campaign.id}"


def whole(campaign: Campaign) -> str:
    """Where security sees all of it."""
    return f"campaigns?campaign={campaign.id}"
