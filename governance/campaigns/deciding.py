"""Deciding review items: each decision by who must make it, kept for ever, and the one in force on the item."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select
from ulid import ULID

from governance import audit
from governance.access import Actor, Verb, demand
from governance.campaigns.preparing import active_deputies
from governance.correlation import fold
from governance.errors import CampaignClosed, DecisionError, FourEyesRequired, NotAllowed
from governance.findings.headline import count
from governance.house import House
from governance.store import put_rows
from governance.store.rows import table_of
from governance.tables import Campaign, ReviewDecision, ReviewItem, ReviewSignature

DECISIONS: Final = ("keep", "remove", "change", "not_mine", "undo")
MOST: Final = 2_000  # in one call
LONGEST_REASON: Final = 500


@dataclass(frozen=True)
class Decision:
    """What a reviewer decides about one item. `nonce` names this one press: told twice it counts once."""

    number: int
    decision: str  # keep | remove | change | not_mine | undo
    reason: str = ""
    seconds: float | None = None  # how long they looked at it
    bulk: bool = False
    nonce: str | None = None


def decide(
    house: House, actor: Actor, now: datetime, campaign: str, decisions: Sequence[Decision]
) -> list[ReviewDecision]:
    """Note these decisions, all or none; the last about an item counts until the campaign is closed.

    Only the item's reviewer or their deputy decides, never about their own access. Many at once (`bulk`) must belong to
    one recommendation, have a reason, and touch nothing critical. `change` says what it should be instead. `not_mine`
    hands the item to the fallback; `undo` makes it undecided again. What was told before (the same nonce) is passed
    over. Raises CampaignClosed, NotAllowed, FourEyesRequired and DecisionError.
    """
    if not decisions:
        return []
    if len(decisions) > MOST:
        raise DecisionError(f"at most {MOST:,} decisions at once, not {len(decisions):,}")
    with house.store.write() as session:
        row = session.get(Campaign, campaign)
        if row is None:
            raise DecisionError(f"there is no campaign {campaign}")
        if row.status != "running":
            raise CampaignClosed(f"campaign “{row.title}” is {row.status}: it takes no decisions")
        fresh = _fresh(session, decisions)
        items = _items(session, campaign, [one.number for one in fresh])
        _take_back(session, actor, campaign, items)
        instead = {fold(who) for who, deputy in active_deputies(session, now).items() if actor.is_named(deputy)}
        for one in fresh:
            _check(actor, items.get(one.number), one, instead)
        _check_bulk([(one, items[one.number]) for one in fresh if one.bulk])
        if not fresh:
            return []
        made = [_noted(actor, now, campaign, one, items[one.number]) for one in fresh]
        put_rows(session, ReviewDecision, made)
        _apply(session, actor, now, row, fresh, items)
        _void(session, campaign, actor.written | {item.reviewer for item in items.values() if item.reviewer})
        audit.append_many(session, [_line(now, actor, row, fresh)])
    return [ReviewDecision(**one) for one in made]


def sign(house: House, actor: Actor, now: datetime, campaign: str) -> ReviewSignature:
    """The reviewer's word that they have decided everything given to them; DecisionError while something is open."""
    demand(actor, Verb.READ)
    with house.store.write() as session:
        row = session.get(Campaign, campaign)
        if row is None or row.status != "running":
            raise CampaignClosed(f"campaign {campaign} is {row.status if row else 'not there'}")
        mine = select(ReviewItem.reviewer, sa.func.count(), sa.func.count(col(ReviewItem.decision))).where(
            col(ReviewItem.campaign) == campaign, col(ReviewItem.reviewer).in_(actor.written)
        )
        rows = session.exec(mine.group_by(col(ReviewItem.reviewer))).all()
        given, decided = sum(n for _, n, _ in rows), sum(n for _, _, n in rows)
        if not given:
            raise NotAllowed(f"{actor.email} reviews nothing in “{row.title}”")
        if decided < given:
            raise DecisionError(f"{given - decided:,} of {count(given, 'item is', 'items are')} not decided yet")
        for reviewer, *_ in rows:  # under the address the items are given to, as the list of reviewers names them
            session.merge(ReviewSignature(campaign=campaign, reviewer=str(reviewer), at=now))
        facts = {"items": given}
        audit.append(
            session, now=now, actor=actor.email, verb="campaign.sign", object=f"campaign/{campaign}", facts=facts
        )
        return ReviewSignature(campaign=campaign, reviewer=actor.email, at=now)


def _void(session: Session, campaign: str, reviewers: Collection[str]) -> None:
    """What these have signed was about other decisions."""
    signed = col(ReviewSignature.campaign) == campaign, col(ReviewSignature.reviewer).in_(reviewers)
    session.exec(delete(ReviewSignature).where(*signed))


def _fresh(session: Session, decisions: Sequence[Decision]) -> list[Decision]:
    """Those that were not told before; the nonce is the decision's id."""
    nonces = [one.nonce for one in decisions if one.nonce]
    known: set[str] = set()
    for start in range(0, len(nonces), 500):
        part = nonces[start : start + 500]
        known |= set(session.exec(select(ReviewDecision.id).where(col(ReviewDecision.id).in_(part))))
    seen: set[str] = set()
    fresh = []
    for one in decisions:
        if one.nonce is not None and (one.nonce in known or one.nonce in seen):
            continue
        seen.add(one.nonce or "")
        fresh.append(one)
    return fresh


def _items(session: Session, campaign: str, numbers: Sequence[int]) -> dict[int, ReviewItem]:
    found: dict[int, ReviewItem] = {}
    wanted = sorted(set(numbers))
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
        chosen = select(ReviewItem).where(col(ReviewItem.campaign) == campaign, col(ReviewItem.number).in_(part))
        found |= {item.number: item for item in session.exec(chosen)}
    return found


def _take_back(session: Session, actor: Actor, campaign: str, items: dict[int, ReviewItem]) -> None:
    """What this actor handed on (kept for the next level, or not theirs) is theirs again while nobody went on."""
    away = [item.number for item in items.values() if item.decision is None and not actor.is_named(item.reviewer)]
    for start in range(0, len(away), 500):
        part = away[start : start + 500]
        log = select(ReviewDecision).where(
            col(ReviewDecision.campaign) == campaign, col(ReviewDecision.number).in_(part)
        )
        last = {one.number: one for one in session.exec(log.order_by(col(ReviewDecision.at), col(ReviewDecision.id)))}
        for number, one in last.items():
            if not actor.is_named(one.by) or one.decision not in ("keep", "not_mine"):
                continue
            item = items[number]
            if one.decision == "keep":
                item.later = [[item.reviewer or "", item.via], *(item.later or [])]
            item.reviewer, item.via, item.level = actor.email, "taken back", one.level
            session.add(item)


def _check(actor: Actor, item: ReviewItem | None, one: Decision, instead: set[str | None]) -> None:
    """Every reason why this actor may not decide this about this item."""
    if item is None:
        raise DecisionError(f"there is no item {one.number} in this campaign")
    if actor.left:
        raise NotAllowed(f"{actor.email} has left and may not act any more")
    demand(actor, Verb.READ)
    if not actor.is_named(item.reviewer) and fold(item.reviewer) not in instead:
        raise NotAllowed(f"item {one.number} is reviewed by {item.reviewer}, not by {actor.email}")
    if actor.identity_id is not None and actor.identity_id == item.identity_id:
        raise FourEyesRequired(f"item {one.number} is {actor.email}'s own access: somebody else must review it")
    if one.decision not in DECISIONS:
        raise DecisionError(f"{one.decision!r}: expected one of {', '.join(DECISIONS)}")
    if len(one.reason) > LONGEST_REASON:
        raise DecisionError(f"a reason has at most {LONGEST_REASON} characters")
    if one.decision == "change" and not one.reason.strip():
        raise DecisionError(f"item {one.number}: say what it should be instead")


def _check_bulk(chosen: Sequence[tuple[Decision, ReviewItem]]) -> None:
    if not chosen:
        return
    if critical := sum(item.critical for _, item in chosen):
        raise DecisionError(f"{critical:,} of these are critical: each is decided by itself")
    if len({item.recommendation for _, item in chosen}) > 1:
        raise DecisionError("only items with the same recommendation are decided together")
    if not all(one.reason.strip() for one, _ in chosen):
        raise DecisionError("deciding many at once needs a reason")


def _noted(actor: Actor, now: datetime, campaign: str, one: Decision, item: ReviewItem) -> dict[str, Any]:
    seconds = None if one.seconds is None else min(max(float(one.seconds), 0.0), 3_600.0)
    return {
        "id": one.nonce or str(ULID.from_datetime(now)),
        "campaign": campaign,
        "number": one.number,
        "at": now,
        "by": actor.email,
        "decision": one.decision,
        "reason": one.reason.strip(),
        "recommendation": item.recommendation,
        "level": item.level,
        "seconds": seconds,
        "bulk": one.bulk,
    }


def _apply(
    session: Session, actor: Actor, now: datetime, campaign: Campaign, fresh: Sequence[Decision], items: dict[int, Any]
) -> None:
    """Write what is in force onto the items, all in one statement."""
    last = {one.number: one for one in fresh}
    rows = [_state(actor, now, campaign, one, items[number]) for number, one in last.items()]
    if not rows:
        return
    own = table_of(ReviewItem)
    changed = [name for name in rows[0] if name != "key_number"]
    statement = (
        sa.update(own)
        .where(own.c.campaign == campaign.id, own.c.number == sa.bindparam("key_number"))
        .values({name: sa.bindparam(name) for name in changed})
    )
    session.connection().execute(statement, rows)


def _state(actor: Actor, now: datetime, campaign: Campaign, one: Decision, item: ReviewItem) -> dict[str, Any]:
    """What the item says after this decision: with further levels, what is kept goes on to the next one."""
    state = {
        "key_number": item.number,
        "decision": one.decision,
        "reason": one.reason.strip(),
        "decided_by": actor.email,
        "decided_at": now,
        "seconds": one.seconds,
        "bulk": one.bulk,
        "reviewer": item.reviewer,
        "via": item.via,
        "level": item.level,
        "later": item.later or [],
    }
    open_again = {"decision": None, "decided_by": None, "decided_at": None, "seconds": None, "bulk": False}
    if one.decision == "undo":
        return {**state, **open_again, "reason": ""}
    if one.decision == "not_mine":
        fallback = str((campaign.plan or {}).get("fallback", ""))
        if fold(item.reviewer) == fold(fallback):
            raise DecisionError(f"item {item.number} is with the fallback reviewer already: decide it or hand it on")
        handed = {"reviewer": fallback, "via": f"not {actor.email}'s: {one.reason.strip() or 'no reason given'}"}
        return {**state, **open_again, **handed}
    if one.decision == "keep" and item.later:
        reviewer, via = item.later[0]
        ahead = {"reviewer": reviewer, "via": via, "level": item.level + 1, "later": item.later[1:]}
        return {**state, **open_again, **ahead}
    return state


def _line(now: datetime, actor: Actor, campaign: Campaign, fresh: Sequence[Decision]) -> audit.Line:
    """One entry for what was decided in one go: how many of which, and every single one in its facts."""
    counts = {word: sum(one.decision == word for one in fresh) for word in DECISIONS}
    said = ", ".join(f"{n:,} {word.replace('_', ' ')}" for word, n in counts.items() if n)
    reasons = sorted({one.reason.strip() for one in fresh if one.bulk})
    facts = {"decisions": [[one.number, one.decision, one.reason.strip()] for one in fresh]}
    return audit.Line(
        now,
        actor.email,
        "campaign.decide",
        f"campaign/{campaign.id}",
        "; ".join([said, *reasons]),
        facts,
    )
