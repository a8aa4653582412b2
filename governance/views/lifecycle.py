"""The life of one identity's accounts as lanes: from when to when each could be used, and its use after leaving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from governance.provisioning.telling import came_to_be
from governance.views.identities import Whole

BEFORE_UNKNOWN: Final = timedelta(days=365)  # how far a lane reaches back when nobody says when it began


@dataclass(frozen=True)
class Lane:
    """One account: a bar, what stands at its end, and its last use."""

    label: str
    begin: datetime
    begin_known: bool
    end: datetime
    open: bool  # can still sign in
    closed_at: datetime | None
    closed_how: str
    last_use: datetime | None
    last_use_known: bool
    came: str = ""  # how it came to be, in a sentence


@dataclass(frozen=True)
class Lifecycle:
    """The lanes of one identity between hiring and now; `left` is when the engagement ended, once it has."""

    lanes: list[Lane]
    hired: datetime | None
    moved: datetime | None
    left: datetime | None
    now: datetime
    begin: datetime


def lifecycle(whole: Whole, titles: dict[str, str], now: datetime) -> Lifecycle:
    """Lanes for every account, those that can still sign in first."""
    facts = whole.facts
    left = facts["ended_at"] if facts["state"] == "ended" else None
    known = [at for at in (facts["hire_at"], *(a["created_at"] for a in whole.accounts)) if at is not None]
    begin = min(known, default=(left or now) - BEFORE_UNKNOWN)
    lanes = [_lane(whole, account, titles, begin, now) for account in whole.accounts]
    lanes.sort(key=lambda lane: (not lane.open, lane.label))
    return Lifecycle(lanes, facts["hire_at"], facts["moved_at"], left, now, begin)


def _lane(whole: Whole, account: dict[str, Any], titles: dict[str, str], begin: datetime, now: datetime) -> Lane:
    proof = whole.closed(account)
    is_open = bool(account["present"]) and account["active"] is not False and proof is None
    closed_at = (proof.verified_at if proof else None) or (None if account["present"] else account["last_present_at"])
    how = "closed and verified" if proof else "gone" if not account["present"] else "inactive"
    stopped = closed_at or account["last_seen_at"] or whole.facts["ended_at"] or now
    born = account["created_at"]
    return Lane(
        label=titles.get(account["application"], account["application"]),
        begin=born or begin,
        begin_known=born is not None,
        end=now if is_open else max(stopped, born or begin),
        open=is_open,
        closed_at=closed_at,
        closed_how="" if is_open else how,
        last_use=account["last_seen_at"],
        last_use_known=bool(account["last_seen_known"]) or account["last_seen_at"] is not None,
        came=came_to_be(account, titles),
    )
