"""My reviews: the items a reviewer must decide, page by page, with everything a decision needs in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.access import Actor
from governance.campaigns import decides_for
from governance.errors import DecisionError
from governance.house import House
from governance.provisioning.telling import came_to_be
from governance.tables import Campaign, ReviewDecision, ReviewItem, ReviewSignature
from governance.views.words import STATES, UNKNOWN, day, share, span

SIZE: Final = 100  # rows of one page of the grid
EARLIER: Final = 5  # decisions of earlier campaigns shown in a row
FILTERS: Final = {
    "all": "All",
    "to_decide": "To decide",
    "remove": "Recommended remove",
    "privileged": "Privileged",
    "changed": "Changed since start",
    "decided": "Decided",
}
VIEWS: Final = {"identity": "By identity", "application": "By application", "recommendation": "By recommendation"}
SINCE_LAST: Final = {
    "new": "New since the last review",
    "changed": "Position or privilege changed since the last review",
    "unused": "Not used since the last review",
    "unchanged": "Unchanged since the last review",
}
HOW: Final = {"direct": "Given directly", "group": "Through a group"}
WORDS: Final = {"keep": "Kept", "remove": "Removed", "change": "Changed", "not_mine": "Handed on"}


@dataclass(frozen=True)
class Assigned:
    """One running campaign in which this actor decides something."""

    campaign: Campaign
    given: int
    counts: dict[str, int]  # keep, remove, change -> items
    handed_on: int
    passed_on: int  # kept by this actor, and with the reviewer of the next level since
    signed: bool  # everything that is given to them now, whoever else's they decide

    @property
    def decided(self) -> int:
        """Items of theirs that are decided."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Board:
    """One page of the grid: its rows in words, how many there are under each filter, and the way of the open ones."""

    assigned: Assigned
    rows: list[dict[str, Any]]
    total: int
    pages: int
    filters: dict[str, int]
    refreshed: tuple[int, datetime | None]
    burn_down: list[tuple[datetime, int]]  # after this instant so many were open


def mine(house: House, actor: Actor, now: datetime) -> list[Assigned]:
    """The running campaigns with items for this actor, the next due first."""
    who = sorted(decides_for(house, actor, now))
    with house.store.read() as session:
        query = (
            select(ReviewItem.campaign)
            .join(Campaign, col(Campaign.id) == col(ReviewItem.campaign))
            .where(col(ReviewItem.reviewer).in_(who), Campaign.status == "running")
        )
        ids = session.exec(query.distinct()).all()
        running = [session.get_one(Campaign, id) for id in ids]
        found = [_assigned(session, actor, who, row) for row in running]
        session.expunge_all()
    return sorted(found, key=lambda one: (one.campaign.due_at or now, one.campaign.id))


def board(
    house: House, actor: Actor, now: datetime, campaign: str, wanted: str, view: str, number: int, search: str = ""
) -> Board:
    """One page of what this actor decides in a campaign; DecisionError when there is no such campaign."""
    who = sorted(decides_for(house, actor, now))
    titles = {a.name: a.label for a in house.settings.application}
    with house.store.read() as session:
        row = session.get(Campaign, campaign)
        if row is None:
            raise DecisionError(f"there is no campaign {campaign}")
        own = (col(ReviewItem.campaign) == campaign, col(ReviewItem.reviewer).in_(who))
        chosen = (*own, *_FILTERS.get(wanted, ()), *_search(search))
        filters = _counts(session, own)
        total = filters[wanted] if not search and wanted in filters else _count(session, chosen)
        pages = max(1, -(-total // SIZE))
        place = min(max(1, number), pages)
        query = select(ReviewItem).where(*chosen).order_by(*_ORDERS.get(view, _ORDERS["identity"]))
        items = list(session.exec(query.limit(SIZE).offset((place - 1) * SIZE)))
        earlier = decided_before(session, items, now)
        made = Board(
            assigned=_assigned(session, actor, who, row),
            rows=[in_words(titles, item, earlier, now) for item in items],
            total=total,
            pages=pages,
            filters=filters,
            refreshed=_refreshed(session, own),
            burn_down=burn_down(session, row, col(ReviewItem.reviewer).in_(who)),
        )
        session.expunge_all()
    return made


_FILTERS: Final[dict[str, tuple[Any, ...]]] = {
    "all": (),
    "to_decide": (col(ReviewItem.decision).is_(None),),
    "remove": (col(ReviewItem.recommendation) == "remove",),
    "privileged": (col(ReviewItem.privileged).is_(True),),
    "changed": (col(ReviewItem.recommended_at).is_not(None),),
    "decided": (col(ReviewItem.decision).is_not(None),),
}
_ORDERS: Final[dict[str, tuple[Any, ...]]] = {
    "identity": (col(ReviewItem.number),),
    "application": (col(ReviewItem.application), col(ReviewItem.entitlement), col(ReviewItem.number)),
    "recommendation": (col(ReviewItem.recommendation).desc(), col(ReviewItem.number)),
}
_NUMBERS: Final = sa.func.count(sa.distinct(col(ReviewDecision.number)))  # an item is decided more than once


def _assigned(session: Session, actor: Actor, who: list[str], row: Campaign) -> Assigned:
    own = (ReviewItem.campaign == row.id, col(ReviewItem.reviewer).in_(who))
    by = (col(ReviewItem.reviewer), col(ReviewItem.decision))
    rows = session.exec(select(*by, sa.func.count()).where(*own).group_by(*by)).all()
    counted = Counter[str | None]()
    for _, word, n in rows:
        counted[word] += n
    left = any(word is None and reviewer in actor.written for reviewer, word, _ in rows)
    away = select(_NUMBERS).where(*_decided_by(actor, row), ReviewDecision.decision == "not_mine")
    return Assigned(
        campaign=row,
        given=counted.total(),
        counts={word: counted[word] for word in ("keep", "remove", "change")},
        handed_on=int(session.exec(away).one()),
        passed_on=_passed_on(session, actor, who, row),
        signed=not left and any(session.get(ReviewSignature, (row.id, email)) is not None for email in actor.written),
    )


def _passed_on(session: Session, actor: Actor, who: list[str], row: Campaign) -> int:
    """Where a review has several levels: what this actor kept and somebody else looks at again now."""
    if len((row.plan or {}).get("levels") or ()) < 2:
        return 0
    kept = (*_decided_by(actor, row), ReviewDecision.decision == "keep")
    elsewhere = (col(ReviewItem.level) > col(ReviewDecision.level), col(ReviewItem.reviewer).not_in(who))
    same = sa.and_(col(ReviewItem.campaign) == ReviewDecision.campaign, col(ReviewItem.number) == ReviewDecision.number)
    return int(session.exec(select(_NUMBERS).join(ReviewItem, same).where(*kept, *elsewhere)).one())


def _decided_by(actor: Actor, row: Campaign) -> tuple[Any, ...]:
    return ReviewDecision.campaign == row.id, col(ReviewDecision.by).in_(actor.written)


def _search(text: str) -> tuple[Any, ...]:
    columns = (
        *(ReviewItem.identity_name, ReviewItem.username, ReviewItem.entitlement, ReviewItem.application),
        *(ReviewItem.position,),
    )
    found = []
    for word in text.split()[:5]:
        like = f"%{word.replace('%', '').replace('_', '').lower()}%"
        found.append(sa.or_(*(sa.func.lower(col(column)).like(like) for column in columns)))
    return tuple(found)


def _counts(session: Session, own: tuple[Any, ...]) -> dict[str, int]:
    """How many of these items each filter takes, in one look."""
    columns = [
        sa.func.coalesce(sa.func.sum(sa.case((sa.and_(*tests), 1), else_=0)), 0) if tests else sa.func.count()
        for tests in _FILTERS.values()
    ]
    return dict(
        zip(_FILTERS, (int(n) for n in session.execute(sa.select(*columns).select_from(ReviewItem).where(*own)).one()),
            strict=True)
    )  # fmt: skip


def _refreshed(session: Session, own: tuple[Any, ...]) -> tuple[int, datetime | None]:
    """How many of these have another recommendation than at the start, and when the last one changed."""
    changed = col(ReviewItem.recommended_at)
    number, last = session.exec(select(sa.func.count(changed), sa.func.max(changed)).where(*own)).one()
    return int(number), last


def _count(session: Session, chosen: tuple[Any, ...]) -> int:
    return int(session.exec(select(sa.func.count()).select_from(ReviewItem).where(*chosen)).one())


def decided_before(
    session: Session, items: list[ReviewItem], now: datetime
) -> dict[tuple[str, str, str | None], list[str]]:
    """The last decisions about the same access in closed campaigns, the newest first."""
    ids = sorted({item.account_id for item in items})
    found: dict[tuple[str, str, str | None], list[str]] = {}
    for start in range(0, len(ids), 500):
        query = (
            select(ReviewItem, Campaign.closed_at)
            .join(Campaign, col(Campaign.id) == col(ReviewItem.campaign))
            .where(col(ReviewItem.account_id).in_(ids[start : start + 500]), Campaign.status == "closed")
            .where(col(ReviewItem.decision).is_not(None), col(ReviewItem.control).is_(False))
            .order_by(col(Campaign.closed_at).desc())
        )
        for item, closed_at in session.exec(query):
            told = found.setdefault((item.application, item.account_id, item.entitlement_id), [])
            if len(told) < EARLIER:
                word = WORDS.get(item.decision or "", item.decision or "")
                told.append(f"{word} {day(closed_at, now)} by {item.decided_by}")
    return found


def in_words(
    titles: Mapping[str, str], item: ReviewItem, earlier: dict[tuple[str, str, str | None], list[str]], now: datetime
) -> dict[str, Any]:
    """One row as the grid draws it."""
    facts = item.facts or {}
    changed = item.recommendation != item.first_recommendation
    return {
        "number": item.number,
        "who": item.identity_name or item.username or item.account_id,
        "who_below": item.position or ("No owner is known" if item.identity_id is None and not item.control else ""),
        "identity": item.identity_id or f"{item.application}/{item.account_id}",
        "employment": _employment(item.employment, facts, now),
        "application": titles.get(item.application, item.application),
        "account": item.username or item.account_id,
        "entitlement": item.entitlement or "The account itself",
        "privileged": item.privileged,
        "critical": item.critical,
        "how": _how(facts, now),
        "came": _came(facts, titles),
        "last_use": last_use(facts, now),
        "peers": share(facts["holders"], facts["peers"]) if facts.get("holders") and facts.get("peers") else UNKNOWN,
        "recommendation": item.recommendation,
        "because": item.because,
        "earlier_recommendation": item.first_recommendation if changed else "",
        "earlier_because": item.first_because if changed else "",
        "changed": SINCE_LAST.get(facts.get("since_last") or "", ""),
        "earlier_decisions": earlier.get((item.application, item.account_id, item.entitlement_id), []),
        "decision": item.decision,
        "reason": item.reason or "",
        "decided_by": item.decided_by or "",
        "level": item.level,
        "via": item.via,
    }


def _employment(state: str, facts: dict[str, Any], now: datetime) -> str:
    if not state:
        return ""
    ended = facts.get("ended_at")
    said = STATES.get(state, state)
    return f"{said} since {day(datetime.fromisoformat(ended), now)}" if state == "ended" and ended else said


def _how(facts: dict[str, Any], now: datetime) -> str:
    told = HOW.get(facts.get("how") or "", "")
    born = facts.get("provenance")
    if born and born != "unknown":
        told = f"{told}; account by {born}" if told else f"Account by {born}"
    since = facts.get("since")
    if since:
        told = f"{told or 'Held'} since {day(datetime.fromisoformat(since), now)}"
    return told


def _came(facts: dict[str, Any], titles: Mapping[str, str]) -> str:
    """How the account came to be and what says so; empty for an item of a version that did not keep it."""
    if not facts.get("provenance_because"):
        return ""
    made = facts.get("created_at")
    seconds = int(datetime.fromisoformat(made).timestamp()) if made else None
    return came_to_be({**facts, "created_at_s": seconds}, titles)


def last_use(facts: dict[str, Any], now: datetime) -> str:
    """`2 d`, `today`, `never` or `unknown`."""
    if not facts.get("used_known"):
        return "unknown"
    if facts.get("used_at_s") is None:
        return "never"
    ago = now - datetime.fromtimestamp(facts["used_at_s"], UTC)
    return "today" if ago < timedelta(days=1) else span(timedelta(days=ago.days))


def burn_down(session: Session, row: Campaign, narrowed: Any) -> list[tuple[datetime, int]]:
    """How many of these items of a campaign were open after each day: what is decided now, by when it was."""
    if row.launched_at is None:
        return []
    own = (ReviewItem.campaign == row.id, narrowed)
    given = _count(session, own)
    decided = sa.func.date(col(ReviewItem.decided_at))
    query = select(decided, sa.func.count()).where(*own, col(ReviewItem.decision).is_not(None)).group_by(decided)
    points, left = [(row.launched_at, given)], given
    for on, number in sorted((str(on), int(number)) for on, number in session.exec(query)):
        left -= number
        end = datetime.fromisoformat(on).replace(tzinfo=UTC) + timedelta(days=1)
        points.append((max(end, row.launched_at), left))
    return points
