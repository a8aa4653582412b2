"""A review before it begins: the list of one of its reviewers, page by page, in the words they would read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance import campaigns
from governance.access import Actor, Verb, demand
from governance.house import House
from governance.views import runs
from governance.views.reviews import SIZE, decided_before, in_words


@dataclass(frozen=True)
class Foreseen:
    """One page of what a reviewer would be given: `rows` as the grid draws them, and the place of the page, from 1."""

    rows: list[dict[str, Any]]
    total: int
    pages: int
    at: int


def as_reviewer(
    house: House,
    actor: Actor,
    now: datetime,
    scope: Mapping[str, Any],
    plan: Mapping[str, Any],
    reviewer: str,
    number: int,
) -> Foreseen:
    """Page `number` of the list that a launch now would give to this reviewer; a page beyond the last is the last."""
    demand(actor, Verb.CAMPAIGN)
    run = runs.last_run(house)
    key = ("as reviewer", house.store.url, run.id if run else None, reviewer, repr(scope), repr(plan), now.date())
    items = runs.remembered(key, lambda: campaigns.preview_as(house, actor, now, scope, plan, reviewer))
    pages = max(1, -(-len(items) // SIZE))
    at = min(max(1, number), pages)
    own = items[(at - 1) * SIZE : at * SIZE]
    titles = {a.name: a.label for a in house.settings.application}
    with house.store.read() as session:
        earlier = decided_before(session, own, now)
    return Foreseen([in_words(titles, item, earlier, now) for item in own], len(items), pages, at)
