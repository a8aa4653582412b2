"""What there is to tell: states of the store that concern somebody, found by looking, so that no verb must say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from governance.house import House
from governance.notices import Occasion
from governance.tables import Notice
from jobs.occasions import approvals, feeds, held, mappings, reviews, tasks
from jobs.occasions.people import People

_ALL = (held, approvals, mappings, tasks, reviews, feeds)


def gather(house: House, now: datetime) -> list[Occasion]:
    """Everything that is so now and that somebody may have to be told; told before or not."""
    people = People(house)
    return [occasion for part in _ALL for occasion in part.gather(house, people, now)]


def no_longer_true(house: House, notices: Sequence[Notice], now: datetime) -> dict[str, str]:
    """Those of these notices that nobody needs any more, by id, and why."""
    newest = {(n.to, n.kind, n.about): n.id for n in sorted(notices, key=lambda n: (n.made_at, n.id))}
    older = {n.id: "a later one says more" for n in notices if newest[n.to, n.kind, n.about] != n.id}
    return older | dict(_moot(house, notices, now)) if notices else {}


def _moot(house: House, notices: Sequence[Notice], now: datetime) -> Iterator[tuple[str, str]]:
    for part in _ALL:
        own = [notice for notice in notices if notice.kind in part.KINDS]
        if own:
            yield from ((id, part.WHY) for id in part.moot(house, own, now))
