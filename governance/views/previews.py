"""A review before it begins: the list of one of its reviewers, page by page, in the words they would read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlmodel import select

from governance import campaigns
from governance.access import Actor, Verb, demand
from governance.house import House
from governance.tables import Campaign
from governance.views import runs
from governance.views.reviews import SIZE, decided_before, in_words

_KEPT: Final = 2  # who chooses a scope looks at one after another, and 100,000 items take their room
_looked_at: dict[tuple[Any, ...], campaigns.Foreseen] = {}


@dataclass(frozen=True)
class ForeseenPage:
    """One page of what a reviewer would be given: `rows` as the grid draws them, and the place of the page, from 1."""

    rows: list[dict[str, Any]]
    total: int
    pages: int
    at: int


def foreseen(
    house: House, actor: Actor, now: datetime, scope: Mapping[str, Any], plan: Mapping[str, Any]
) -> campaigns.Foreseen:
    """What a launch now would begin. Made once for a scope, a plan and who stands in for whom, until the next run."""
    demand(actor, Verb.CAMPAIGN)
    run = runs.last_run(house)
    with house.store.read() as session:
        deputies = campaigns.active_deputies(session, now)
        running = session.exec(select(Campaign.id).where(Campaign.status == "running").order_by(Campaign.id)).all()
    key = (
        house.store.url,
        run.id if run else None,
        repr(scope),
        repr(plan),
        repr(sorted(deputies.items())),
        tuple(running),
        now.date(),
    )
    known = _looked_at.get(key)
    if known is None:
        known = campaigns.foresee(house, actor, now, scope, plan)
        for old in list(_looked_at)[: 1 - _KEPT]:
            _looked_at.pop(old, None)
        _looked_at[key] = known
    return known


def as_reviewer(
    house: House,
    actor: Actor,
    now: datetime,
    scope: Mapping[str, Any],
    plan: Mapping[str, Any],
    reviewer: str,
    number: int,
) -> ForeseenPage:
    """Page `number` of the list that a launch now would give to this reviewer; a page beyond the last is the last."""
    seen = foreseen(house, actor, now, scope, plan)
    total = seen.numbers.reviewers.get(reviewer, 0)
    pages = max(1, -(-total // SIZE))
    at = min(max(1, number), pages)
    own = campaigns.preview_as(house, actor, now, seen, reviewer, slice((at - 1) * SIZE, at * SIZE))
    titles = {a.name: a.label for a in house.settings.application}
    with house.store.read() as session:
        earlier = decided_before(session, own, now)
    return ForeseenPage([in_words(titles, item, earlier, now) for item in own], total, pages, at)
