"""The statement of a population: what was looked at, on both sides, what could not be judged, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from governance.house import House
from governance.snapshots import Rows, believed, readings
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
    rows: dict[str, Rows]  # kind -> rows of the newest pulls that read a feed whole
    changes: Rows  # rows of the pulls after them that read only what changed
    changing: tuple[str, ...]  # titles of the feeds that were read like that
    feeds: list[Feed]
    disconnected: dict[str, int]  # feeds that are configured no longer -> findings that nothing will be read to end

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
    def left_behind(self) -> str:
        """Findings of what is not connected any more, and what to do about it; empty where there are none."""
        if not self.disconnected:
            return ""
        number, where = sum(self.disconnected.values()), _listed(tuple(sorted(self.disconnected)))
        are, them = ("is", "it") if number == 1 else ("are", "them")
        return (
            f"{count(number, 'finding', 'findings')} {are} about {where}, no longer connected: nothing new is known of"
            f" {them} until {'it is' if len(self.disconnected) == 1 else 'they are'} connected again"
        )

    @property
    def doubts(self) -> tuple[str, ...]:
        """Whose absence does not count, and why: without it nobody who is missing can be called gone or a leaver."""
        return tuple(feed.doubt.says for feed in self.feeds if feed.doubt)

    @property
    def read(self) -> str:
        """Rows read on both sides and of what changed since, duplicates, rejects, and what found no owner."""
        sides = []
        for kind, words in (("source", "about people"), ("application", "about accounts")):
            if kind in self.rows:
                sides.append(_said(self.rows[kind], f" {words}"))
        since = ""
        if self.changing:
            feeds = _listed(self.changing) if len(self.changing) <= 3 else f"{len(self.changing)} feeds"
            since = f"; since then only what changed in {feeds}: {_said(self.changes)}"
        found = [f"{number:,} {word}" for number, word in self._owners if number is not None]
        owners = "; " + ", ".join(found) if found else ""
        return f"Read: {' and '.join(sides) or 'nothing yet'}{since}{owners}; {self.age}"

    @property
    def _owners(self) -> tuple[tuple[int | None, str], ...]:
        return (self.unmatched, "unmatched"), (self.ambiguous, "ambiguous")

    @property
    def age(self) -> str:
        """How old the oldest facts are."""
        if any(feed.age is None for feed in self.feeds):
            return "not every feed has been read"
        if ahead := next((feed for feed in self.feeds if feed.ahead), None):
            return f"{ahead.title} was read with a clock that was ahead, as of {ahead.at:%Y-%m-%d %H:%M}Z"
        oldest = max(self.feeds, key=lambda feed: feed.age.total_seconds() if feed.age else 0.0, default=None)
        return "no feed is configured" if oldest is None else f"data up to {oldest.age_text} old"


def population(house: House, now: datetime) -> Population:
    """The population every list of the last detect run is drawn from."""
    run = runs.last_run(house)
    feeds = freshness(house, now)
    titles = {feed.name: feed.title for feed in feeds}
    whole, changes, changing = _rows(house, feeds)
    return Population(
        accounts=run.number("accounts") if run else None,
        identities=run.number("identities") if run else None,
        applications=len(house.settings.application),
        unmatched=run.number("unmatched") if run else None,
        ambiguous=run.number("ambiguous") if run else None,
        checks=run.number("checks") if run else None,
        not_evaluable=run.number("not_evaluable") if run else None,
        worst=tuple(titles.get(name, name) for name in _worst(run)) if run else (),
        rows=whole,
        changes=changes,
        changing=changing,
        feeds=feeds,
        disconnected=run.summary.get("disconnected", {}) if run else {},
    )


def _worst(run: runs.Run) -> list[str]:
    counts = {name: sum(map(_leading, rules.values())) for name, rules in run.not_evaluable.items()}
    return sorted((name for name, n in counts.items() if n), key=lambda name: (-counts[name], name))[:3]


def _leading(text: str) -> int:
    """The count a reason begins with: `12 accounts: the application does not tell the last use`."""
    digits = text.partition(" ")[0].replace(",", "")
    return int(digits) if digits.isdecimal() else 0


def _rows(house: House, feeds: list[Feed]) -> tuple[dict[str, Rows], Rows, tuple[str, ...]]:
    """Rows of whole readings by kind of feed, rows of what changed since, and which feeds were read like that."""
    with house.store.read() as session:
        newest = [found for feed in feeds if (found := believed(session, feed.name)) is not None]
        told = readings(session, newest)
    whole: dict[str, Rows] = {}
    changes, changing = Rows(), []
    for feed in feeds:
        read = told.get(feed.name)
        if read is None:
            continue
        if read.whole is not None:
            whole[feed.kind] = whole.get(feed.kind, Rows()) + read.whole
        if read.changes is not None:
            changes += read.changes
            changing.append(feed.title)
    return whole, changes, tuple(changing)


def _said(rows: Rows, about: str = "") -> str:
    return f"{count(rows.read, 'row', 'rows')}{about} ({rows.duplicates:,} duplicate, {rows.rejected:,} rejected)"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
