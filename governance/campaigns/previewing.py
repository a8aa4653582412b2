"""A campaign before it begins: in numbers, and as one of its reviewers would see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col, select

from governance.access import Actor, Verb, demand
from governance.campaigns.assigning import Found
from governance.campaigns.launching import rows_of
from governance.campaigns.preparing import Prepared, prepare
from governance.campaigns.recommending import advise
from governance.campaigns.scope import plan_of, scope_of
from governance.house import House
from governance.tables import Campaign, ReviewItem

_ITEM: Final = ["application", "account_id", "entitlement_id"]


@dataclass(frozen=True)
class Asked:
    """A running review that asks about items another would ask about again."""

    campaign: str  # id
    title: str
    due_at: datetime | None
    items: int  # those both ask about

    @property
    def what(self) -> str:
        """How many items it asks about already, in a sentence."""
        verb = "is" if self.items == 1 else "are"
        return f"{self.items:,} of these items {verb} under review already: “{self.title}”"

    @property
    def said(self) -> str:
        """The same with the day it is due."""
        return f"{self.what}, due {self.due_at:%Y-%m-%d}" if self.due_at else self.what


@dataclass(frozen=True)
class Preview:
    """What a launch would begin, in numbers, and everything nobody could decide."""

    items: int
    accounts: int
    people: int
    applications: dict[str, int]
    privileged: int
    recommendations: dict[str, int]
    reviewers: dict[str, int]  # e-mail -> items of the first level, the most first
    fallbacks: dict[str, int]  # why the fallback decides -> items
    unresolved: list[dict[str, Any]]  # number, application, username, why: nobody may decide these
    unknown: tuple[str, ...]  # reviewers without a role in the settings who manage nobody
    left_out: list[dict[str, Any]]  # application, username, entitlement, why
    as_of: datetime
    asked: tuple[Asked, ...] = ()  # running reviews that ask about some of the same items, the most first


@dataclass(frozen=True)
class Foreseen:
    """What a launch would begin, kept while somebody looks at it: as columns, a tenth of what its rows would take."""

    numbers: Preview
    found: Sequence[Sequence[Found]]  # a reviewer for each level, of every item
    items: pl.DataFrame  # see `population`, without what is left out; the same order
    places: dict[str, list[int]]  # e-mail of a reviewer of the first level -> places in `found` and `items`


def foresee(house: House, actor: Actor, now: datetime, scope: Mapping[str, Any], plan: Mapping[str, Any]) -> Foreseen:
    """What a campaign of this scope and plan would review now; stores nothing."""
    demand(actor, Verb.CAMPAIGN)
    made = prepare(house, now, scope_of(dict(scope)), plan_of(dict(plan)))
    places: dict[str, list[int]] = {}
    for place, levels in enumerate(made.found):
        if levels[0].reviewer:
            places.setdefault(levels[0].reviewer, []).append(place)
    return Foreseen(
        replace(_numbers(house, made, places), asked=_asked(house, made.reviewed)), made.found, made.reviewed, places
    )


def preview(house: House, actor: Actor, now: datetime, scope: Mapping[str, Any], plan: Mapping[str, Any]) -> Preview:
    """The numbers of what a campaign of this scope and plan would review now; stores nothing."""
    return foresee(house, actor, now, scope, plan).numbers


def preview_as(
    house: House, actor: Actor, now: datetime, seen: Foreseen, reviewer: str, chosen: slice
) -> list[ReviewItem]:
    """Of the items a launch would give to this reviewer, of the first level, those chosen; stores nothing.

    The same rows as at the launch but for the announced control rows, which are made there and known to nobody before.
    """
    demand(actor, Verb.CAMPAIGN)
    places = seen.places.get(reviewer, [])[chosen]
    items = seen.items.select(pl.all().gather(places)).to_dicts() if places else []
    advice = list(advise(items, house.settings.policy, now))
    rows = rows_of("", items, advice, [seen.found[place] for place in places])
    return [ReviewItem(number=item["number"], **row) for item, row in zip(items, rows, strict=True)]


def _numbers(house: House, made: Prepared, places: Mapping[str, Sequence[int]]) -> Preview:
    first = Counter({email: len(own) for email, own in places.items()})
    known = {entry.email.casefold() for entry in house.settings.actor} | _managing(made)
    unresolved = [
        {
            "number": item["number"],
            "application": item["application"],
            "username": item["username"],
            "entitlement": item["entitlement"],
            "why": next(one.via for one in levels if one.reviewer is None),
        }
        for item, levels in zip(made.items, made.found, strict=True)
        if any(one.reviewer is None for one in levels)
    ]
    why = Counter(
        one.via.removeprefix("fallback: ") for levels in made.found for one in levels if one.via.startswith("fallback")
    )
    return Preview(
        items=len(made.items),
        accounts=len({(i["application"], i["account_id"]) for i in made.items}),
        people=len({i["identity_id"] for i in made.items} - {None}),
        applications=dict(Counter(i["application"] for i in made.items).most_common()),
        privileged=sum(i["privileged"] for i in made.items),
        recommendations=dict(Counter(one.recommendation for one in made.advice)),
        reviewers=dict(first.most_common()),
        fallbacks=dict(why.most_common()),
        unresolved=unresolved,
        unknown=tuple(sorted(email for email in first if email.casefold() not in known)),
        left_out=made.left_out,
        as_of=made.run.as_of,
    )


def asked_besides(house: House, id: str) -> tuple[Asked, ...]:
    """The other running reviews that ask about items of this one."""
    with house.store.read() as session:
        own = _asked_about(session, [id])
    return _asked(house, own, but=id)


def _asked_about(session: Session, campaigns: Sequence[str]) -> pl.DataFrame:
    """What these campaigns ask about: campaign and the keys of an item, without announced control rows."""
    query = sa.select(col(ReviewItem.campaign), *(col(getattr(ReviewItem, key)) for key in _ITEM))
    asked = query.where(col(ReviewItem.campaign).in_(campaigns), col(ReviewItem.control).is_(False))
    rows = [tuple(row) for row in session.execute(asked)]
    return pl.DataFrame(rows, schema=dict.fromkeys(("campaign", *_ITEM), pl.String), orient="row")


def _asked(house: House, reviewed: pl.DataFrame, but: str = "") -> tuple[Asked, ...]:
    """Which running reviews, but that one, ask about the same accounts and grants."""
    others = select(Campaign).where(Campaign.status == "running", Campaign.id != but)
    with house.store.read() as session:
        running = {row.id: row for row in session.exec(others)}
        if not running or not reviewed.height:
            return ()
        asked = _asked_about(session, sorted(running))
    both = asked.join(reviewed.select(_ITEM), on=_ITEM, how="semi", nulls_equal=True)
    told = both.group_by("campaign").len("n").sort(["n", "campaign"], descending=[True, False]).iter_rows()
    return tuple(Asked(id, running[id].title, running[id].due_at, n) for id, n in told)


def _managing(made: Prepared) -> set[str]:
    """Reviewers who were found as somebody's manager: that makes them an actor."""
    return {
        one.reviewer.casefold()
        for levels in made.found
        for one in levels
        if one.reviewer and one.via.startswith("manager")
    }
