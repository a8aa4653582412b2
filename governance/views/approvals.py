"""What waits for a decision, what is under way, and what was closed lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.access import Actor, Verb, may, reach
from governance.house import House
from governance.remediation import CAN_BE_UNDONE, RUNNABLE
from governance.tables import Campaign, Finding, Remediation
from governance.views import runs
from governance.views.applications import Closing, closing
from governance.views.evidence import Fact, deciders, facts, read_back
from governance.views.freshness import freshness
from governance.views.tallies import LIVE, within
from governance.views.words import rule_title

APPROVED: Final = ("approved", "scheduled", "executing", "executed")  # and not proved yet
ENDED: Final = ("verified", "rejected", "expired", "failed", "cancelled", "undone")
SHOWN: Final = 20
PATIENCE: Final = timedelta(seconds=60)  # after that what was approved should have begun


@dataclass(frozen=True)
class Waiting:
    """One proposal as the approver sees it."""

    remediation: Remediation
    severity: str
    why: str
    facts: list[Fact]
    closing: Closing | None
    bar: Literal["own proposal", "own approval", "own account", "no right"] | None  # why this actor may not decide
    others: list[str]  # who may

    @property
    def what(self) -> str:
        """What a reviewer decided, where a review did: remove or change; empty otherwise."""
        return str(((self.remediation.evidence or {}).get("review") or {}).get("decision", ""))

    @property
    def manual(self) -> bool:
        """Whether a person, not a call, carries it out."""
        return self.remediation.action == "manual"


def waiting(house: House, actor: Actor, now: datetime) -> list[Waiting]:
    """Proposals this actor may decide about or has made: those to decide first, the most severe first."""
    with house.store.read() as session:
        query = select(Remediation).where(Remediation.status == "proposed", *_readable(actor))
        rows = list(session.exec(query.order_by(col(Remediation.id)).limit(200)))
        feeds, run = freshness(house, now), runs.last_run(house)
        back = read_back(session, feeds, [r.application for r in rows], now)
        shared = _addresses_of_several(session, rows)
    found = []
    for r in rows:
        said = (r.evidence or {}).get("finding", {})
        bar = _bar(actor, r)
        if bar == "no right" and not may(actor, Verb.READ, application=r.application, identity_id=r.identity_id):
            continue
        found.append(
            Waiting(
                remediation=r,
                severity=str(said.get("severity") or "high"),
                why=str(said.get("reason") or ""),
                facts=[
                    *facts(said.get("facts") or {}, feeds, run, now, back.get((r.application, r.account_id))),
                    *shared.get((r.application, r.account_id), ()),
                ],
                closing=closing(house, r.application, by_hand=r.action == "manual"),
                bar=bar,
                others=deciders(house, actor, r.application, r.identity_id) if bar else [],
            )
        )
    order = {"critical": 0, "high": 1, "medium": 2, "low": 3}
    return sorted(found, key=lambda w: (w.bar is not None, order.get(w.severity, 9), w.remediation.id))


def _addresses_of_several(session: Session, rows: list[Remediation]) -> dict[tuple[str, str], list[Fact]]:
    """Whose address somebody else has, too: a leaver who was hired again under another number would be locked out."""
    found = select(Finding).where(
        Finding.rule == "recycled_identifier",
        col(Finding.status).in_(LIVE),
        col(Finding.account_id).in_({r.account_id for r in rows}),
    )
    return {
        (str(one.application), str(one.account_id)): [Fact(one.reason, "Correlation", "")]
        for one in (session.exec(found) if rows else ())
    }


@dataclass(frozen=True)
class Together:
    """Proposals that one reason can be right for: of one review, or of one rule. Nothing critical is among them."""

    key: str
    title: str
    cards: list[Waiting]


def together(house: House, cards: list[Waiting]) -> tuple[list[Together], list[Waiting]]:
    """What may be approved at once, by review and by rule in the order of the cards, and what is decided by itself."""
    groups: dict[str, list[Waiting]] = {}
    for card in cards:
        if card.severity != "critical":
            groups.setdefault(card.remediation.campaign or card.remediation.rule, []).append(card)
    several = {key: group for key, group in groups.items() if len(group) > 1}
    with house.store.read() as session:
        known = sa.select(col(Campaign.id), col(Campaign.title)).where(col(Campaign.id).in_(several))
        titles = {str(id): str(title) for id, title in session.execute(known)} if several else {}
    taken = {card.remediation.id for group in several.values() for card in group}
    found = [Together(key, titles.get(key) or rule_title(key), group) for key, group in several.items()]
    return found, [card for card in cards if card.remediation.id not in taken]


def _bar(actor: Actor, r: Remediation) -> Literal["own proposal", "own approval", "own account", "no right"] | None:
    if actor.is_same(r.proposed_by):
        return "own proposal"
    if actor.is_same(r.approved_by):
        return "own approval"
    if actor.identity_id is not None and actor.identity_id == r.identity_id:
        return "own account"
    return None if may(actor, Verb.APPROVE, application=r.application, identity_id=r.identity_id) else "no right"


def under_way(house: House, actor: Actor) -> list[Remediation]:
    """What was approved and is not proved yet, the newest first: as far as this actor may read."""
    return _of(house, actor, APPROVED)


def ended(house: House, actor: Actor) -> list[Remediation]:
    """What came to an end lately, the newest first: as far as this actor may read."""
    return _of(house, actor, ENDED)


def decided(house: House, actor: Actor, id: str) -> Remediation | None:
    """What was proposed under this id and waits no more; None while it waits, or where this actor may not read it."""
    with house.store.read() as session:
        gone = col(Remediation.status).in_((*APPROVED, *ENDED))
        return session.exec(select(Remediation).where(Remediation.id == id, gone, *_readable(actor))).first()


def _of(house: House, actor: Actor, statuses: tuple[str, ...]) -> list[Remediation]:
    with house.store.read() as session:
        query = select(Remediation).where(col(Remediation.status).in_(statuses), *_readable(actor))
        return list(session.exec(query.order_by(col(Remediation.id).desc()).limit(SHOWN)))


def _readable(actor: Actor) -> list[Any]:
    """What this actor may read, and what they proposed themselves."""
    bounds = within(reach(actor), col, Remediation)
    return [sa.or_(*bounds, col(Remediation.proposed_by).in_(actor.written))] if bounds else []


def moving(remediations: list[Remediation], now: datetime) -> bool:
    """Whether the worker is expected to change any of these within seconds: only then is looking again worth it."""
    lately = now - timedelta(minutes=10)
    return any(
        r.action == "deactivate"
        and r.status in APPROVED
        and (r.executed_at or r.executing_at or r.approved_at or now) > lately
        for r in remediations
    )


def overdue(r: Remediation, now: datetime) -> bool:
    """Whether what was approved should have begun: the worker looks every two seconds."""
    begins = r.status in RUNNABLE and r.action != "manual" and r.approved_at is not None
    return begins and now - (r.approved_at or now) > PATIENCE


def can_undo(r: Remediation, now: datetime) -> bool:
    """Whether a closure was carried out from here and is recent enough to be undone."""
    carried_out = r.action != "manual" and r.attempts > 0 and r.executing_at is not None
    return r.status in ("executed", "verified") and carried_out and now - (r.executing_at or now) <= CAN_BE_UNDONE


def undo_asked(r: Remediation) -> bool:
    """Whether somebody has asked to switch the account on again, and nothing has come of it yet."""
    asked = (r.evidence or {}).get("undo")
    return r.status == "verified" and asked is not None and "answer" not in asked


def claimed(r: Remediation) -> str | None:
    """Who says that a manual task is done, while the next file has not proved it."""
    return ((r.evidence or {}).get("claimed") or {}).get("by") if r.status == "executing" else None


def steps(r: Remediation) -> list[tuple[str, datetime | None]]:
    """The way of a remediation, step by step, with the time of each step taken."""
    way = [("Proposed", r.proposed_at), ("Approved", r.approved_at)]
    if r.action == "manual":
        return [*way, ("With its owner", r.executing_at), ("Verified", r.verified_at)]
    return [*way, ("Executing", r.executing_at), ("Executed", r.executed_at), ("Verified", r.verified_at)]
