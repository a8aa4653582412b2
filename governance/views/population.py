"""The statement of a population: what was looked at, on both sides, what could not be judged, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import col

from governance.house import House
from governance.tables import Pull
from governance.views import runs
from governance.views.freshness import Feed, freshness
from governance.views.words import count, share


@dataclass(frozen=True)
class Population:
    """What a list is drawn from. `None` is not known."""

    accounts: int | None
    identities: int | None
    applications: int
    unmatched: int | None
    ambiguous: int | None
    checks: int | None
    not_evaluable: int | None
    worst: tuple[str, ...]  # titles of the applications with most checks that could not be judged
    rows: dict[str, tuple[int, int, int]]  # kind -> rows read, duplicates, rejected of the newest good pulls
    feeds: list[Feed]

    @property
    def looked_at(self) -> str:
        """How many accounts and people, in how many applications."""
        if self.accounts is None or self.identities is None:
            return "nothing has been judged yet"
        people = count(self.identities, "identity", "identities")
        where = count(self.applications, "application", "applications")
        return f"{count(self.accounts, 'account', 'accounts')} and {people} in {where}"

    @property
    def unjudged(self) -> str:
        """How many checks could not be judged, and where most of them are."""
        if self.checks is None or self.not_evaluable is None:
            return "how many checks could not be judged is unknown"
        mostly = f", most of them in {_listed(self.worst)}" if self.not_evaluable and self.worst else ""
        of = f"{self.not_evaluable:,} of {self.checks:,} checks ({share(self.not_evaluable, self.checks)})"
        return f"{of} could not be judged{mostly}"

    @property
    def read(self) -> str:
        """Rows read on both sides, duplicates, rejects, and what found no owner."""
        sides = []
        for kind, words in (("source", "rows about people"), ("application", "rows about accounts")):
            if kind in self.rows:
                read, duplicates, rejected = self.rows[kind]
                sides.append(f"{read:,} {words} ({duplicates:,} duplicate, {rejected:,} rejected)")
        found = [f"{number:,} {word}" for number, word in self._owners if number is not None]
        return f"Read: {' and '.join(sides) or 'nothing yet'}{'; ' + ', '.join(found) if found else ''}; {self.age}"

    @property
    def _owners(self) -> tuple[tuple[int | None, str], ...]:
        return (self.unmatched, "unmatched"), (self.ambiguous, "ambiguous")

    @property
    def age(self) -> str:
        """How old the oldest facts are."""
        if any(feed.age is None for feed in self.feeds):
            return "not every feed has been read"
        oldest = max(self.feeds, key=lambda feed: feed.age.total_seconds() if feed.age else 0.0, default=None)
        return "no feed is configured" if oldest is None else f"data up to {oldest.age_text} old"


def population(house: House, now: datetime) -> Population:
    """The population every list of the last detect run is drawn from."""
    run = runs.last_run(house)
    feeds = freshness(house, now)
    titles = {feed.name: feed.title for feed in feeds}
    return Population(
        accounts=run.number("accounts") if run else None,
        identities=run.number("identities") if run else None,
        applications=len(house.settings.application),
        unmatched=run.number("unmatched") if run else None,
        ambiguous=run.number("ambiguous") if run else None,
        checks=run.number("checks") if run else None,
        not_evaluable=run.number("not_evaluable") if run else None,
        worst=tuple(titles.get(name, name) for name in _worst(run)) if run else (),
        rows=_rows(house, {feed.name: feed.kind for feed in feeds}),
        feeds=feeds,
    )


def _worst(run: runs.Run) -> list[str]:
    counts = {name: sum(map(_leading, rules.values())) for name, rules in run.not_evaluable.items()}
    return sorted((name for name, n in counts.items() if n), key=lambda name: (-counts[name], name))[:3]


def _leading(text: str) -> int:
    """The count a reason begins with: `12 accounts: the application does not tell the last use`."""
    digits = text.partition(" ")[0].replace(",", "")
    return int(digits) if digits.isdecimal() else 0


def _rows(house: House, kinds: dict[str, str]) -> dict[str, tuple[int, int, int]]:
    good = sa.select(sa.func.max(col(Pull.id))).where(col(Pull.status) == "ok").group_by(col(Pull.feed))
    columns = (col(Pull.feed), col(Pull.rows_read), col(Pull.duplicates), col(Pull.rejected))
    with house.store.read() as session:
        found = session.execute(sa.select(*columns).where(col(Pull.id).in_(good))).all()
    sums: dict[str, tuple[int, int, int]] = {}
    for feed, read, duplicates, rejected in found:
        kind = kinds.get(feed)
        if kind is not None:
            before = sums.get(kind, (0, 0, 0))
            sums[kind] = (before[0] + read, before[1] + duplicates, before[2] + rejected)
    return sums


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
