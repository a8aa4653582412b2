"""Access reviews: their beginning, reminders to those with open items, what is overdue, and their end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from governance.campaigns.waiting import Tally, day_of, items, named, own_items, reminder, tally, until, whole
from governance.house import House
from governance.notices import Occasion
from governance.notices.reminders import escalations, reminders
from governance.tables import Campaign, Notice, ReviewItem
from jobs.occasions.people import People

KINDS: Final = frozenset({"review_opened", "review_reminder", "review_escalated", "review_closed"})
WHY: Final = "nothing was open any more before anybody was told"
LATELY: Final = timedelta(days=3)  # a review closed longer ago is no news


def gather(house: House, people: People, now: datetime) -> Iterator[Occasion]:
    """Everything about the reviews that run, and about those closed lately."""
    for campaign in _campaigns(house, now):
        if campaign.status == "closed":
            yield _closed(house, campaign)
        elif campaign.launched_at is not None:
            seen = _seen(house, campaign.id, now)
            told = _told(house, campaign)
            yield from _begun(campaign, seen, told)
            if campaign.due_at is not None:
                yield from _reminded(campaign, seen, told, now)
                yield from _escalated(campaign, seen, now)


def moot(house: House, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    """Notices about reviews that have ended, or in which this one has nothing left to decide."""
    running = {campaign.id for campaign in _campaigns(house, now) if campaign.status == "running"}
    tallies = {id: _seen(house, id, now) for id in {notice.about for notice in notices} & running}
    for notice in notices:
        if notice.kind == "review_closed":
            continue
        tally = tallies.get(notice.about)
        own = notice.kind != "review_escalated" and "@" in notice.to
        if tally is None or not (tally.open.get(notice.to) if own else tally.undecided):
            yield notice.id


def _begun(campaign: Campaign, tally: Tally, told: Mapping[str, tuple[datetime, int]]) -> Iterator[Occasion]:
    """To everybody with open items, and once more to who was given further ones; a room is told once."""
    for reviewer, number in tally.open.items():
        given = tally.of[reviewer]
        if reviewer not in told or given > told[reviewer][1]:
            body = f"{named(campaign)}: {items(number)} to decide{until(campaign)}"
            link = own_items(campaign)
            yield Occasion("review_opened", campaign.id, body, link, (reviewer,), str(given), in_rooms=False)
    body = f"{named(campaign)}: {items(tally.items)} to decide{until(campaign)}"
    yield Occasion("review_opened", campaign.id, body, whole(campaign), time="room")


def _reminded(
    campaign: Campaign, tally: Tally, told: Mapping[str, tuple[datetime, int]], now: datetime
) -> Iterator[Occasion]:
    """The newest reminder whose time came after somebody was told what they were given."""
    passed = reminders(campaign.launched_at or now, campaign.due_at or now, now)
    for reviewer, number in tally.open.items():
        told_at, of = told.get(reviewer, (now, 0))
        came = [name for name, at in passed if at > told_at and tally.of[reviewer] <= of]
        if came:
            yield reminder(campaign, reviewer, number, now, came[-1])


def _escalated(campaign: Campaign, tally: Tally, now: datetime) -> Iterator[Occasion]:
    """Numbers alone, to who began the review after a day, and to who stands in for absent reviewers after three."""
    if not tally.undecided:
        return
    who = tally.reviewers
    body = (
        f"{named(campaign)}: {tally.undecided:,} of {items(tally.items)} undecided, with"
        f" {who} reviewer{'' if who == 1 else 's'}, was due on {day_of(campaign)}"
    )
    fallback = str((campaign.plan or {}).get("fallback") or "")
    for days in escalations(campaign.due_at or now, now):
        to = campaign.created_by if days == 1 else fallback or campaign.created_by
        yield Occasion("review_escalated", campaign.id, body, whole(campaign), _addresses(to), f"+{days}")


def _closed(house: House, campaign: Campaign) -> Occasion:
    item = ReviewItem
    of = sa.select(col(item.reviewer), sa.func.count(), sa.func.count(col(item.decision)))
    with house.store.read() as session:
        rows = session.execute(of.where(col(item.campaign) == campaign.id).group_by(col(item.reviewer))).all()
    total, decided = sum(n for _, n, _ in rows), sum(n for _, _, n in rows)
    to = _addresses(campaign.created_by, campaign.launched_by, *sorted(str(who) for who, _, _ in rows if who))
    body = f"{named(campaign)}: {items(total)}, {decided:,} decided"
    return Occasion("review_closed", campaign.id, body, whole(campaign), to)


def _campaigns(house: House, now: datetime) -> list[Campaign]:
    lately = sa.and_(col(Campaign.status) == "closed", col(Campaign.closed_at) > now - LATELY)
    wanted = select(Campaign).where(sa.or_(col(Campaign.status) == "running", lately))
    with house.store.read() as session:
        return list(session.exec(wanted.order_by(col(Campaign.id))).all())


def _seen(house: House, campaign: str, now: datetime) -> Tally:
    with house.store.read() as session:
        return tally(session, campaign, now)


def _told(house: House, campaign: Campaign) -> dict[str, tuple[datetime, int]]:
    """When each reviewer was told last what they were given, and of how many items that was."""
    opened = select(Notice.to, Notice.made_at, Notice.key).where(
        Notice.kind == "review_opened", Notice.about == campaign.id
    )
    with house.store.read() as session:
        rows = session.exec(opened.order_by(col(Notice.made_at))).all()
    return {to: (at, int(key.split(" ")[2])) for to, at, key in rows if "@" in to}


def _addresses(*emails: str | None) -> tuple[str, ...]:
    """Persons only: what a schedule began was begun by nobody."""
    return tuple(dict.fromkeys(email for email in emails if email and "@" in email))
