"""The overview: what must be done today, in four numbers, six rows and one map."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlmodel import col, select

from governance.declaration import LIFECYCLE
from governance.findings import Coverage, Headline, headline
from governance.house import House
from governance.tables import DetectRun, Finding
from governance.views import runs
from governance.views.applications import closable
from governance.views.closures import Closures, closures, coverage
from governance.views.coverage import Coverage as Judged
from governance.views.coverage import State
from governance.views.coverage import coverage as judged_places
from governance.views.findings import Filters, page
from governance.views.paging import Row
from governance.views.radar import Provisioned, WaysOut, provisioned, ways_out
from governance.views.tallies import Tally, tally
from governance.views.words import rule_names, rule_title

FIRST: Final = 14
HISTORY: Final = 30


@dataclass(frozen=True)
class Cell:
    """One application under one rule: how many open findings, or why that cannot be said."""

    application: int  # row
    rule: int  # column
    state: State  # whether it could be judged there, as coverage says it
    count: int | None  # None: nothing could be judged, and nothing is known from before
    reason: str | None  # why some or all could not be judged


@dataclass(frozen=True)
class Grid:
    """Open findings by application and rule, the application with most first; the ghost column is the first."""

    applications: list[str]
    rules: list[str]
    application_names: list[str]
    rule_names: list[str]
    cells: list[Cell]
    totals: list[int | None]  # of each application; None: nothing there could be judged

    def number(self, state: State) -> int:
        """How many places are in that state."""
        return sum(cell.state == state for cell in self.cells)


@dataclass(frozen=True)
class Overview:
    """Everything the overview shows. Trends are None when there is nothing to compare with."""

    run: runs.Run | None
    headline: Headline | None
    tally: Tally
    ghosts_open: int
    ghosts_in_remediation: int
    ghosts_excluded: int
    holders: int
    coverage: Coverage | None
    closures: Closures
    checks: int | None
    not_evaluable: int | None
    ghost_history: list[int]
    unjudged_history: list[float]
    coverage_history: list[float]  # in percent, of the last runs, oldest first
    judged: Judged  # what the last run could judge where
    first: list[Row]
    grid: Grid
    provisioned: list[Provisioned]  # how each application is filled and emptied
    ways_out: WaysOut  # of accounts that a sign-in made


def overview(house: House, now: datetime) -> Overview:
    """The overview as things stand now."""
    run, counted = runs.last_run(house), tally(house)
    with house.store.read() as session:
        key = ("headline", house.store.url, *runs.version(session), now.date())
        first_words = runs.remembered(key, lambda: headline(session, now, run.summary)) if run else None
        holders = select(Finding.identity_id).where(Finding.rule == "ghost", Finding.status == "open").distinct()
        version = ("holders", house.store.url, *runs.version(session))
        held_by = runs.remembered(version, lambda: len(session.exec(holders.limit(10_001)).all()))
    history, filled, judged = _history(house, run), provisioned(house), judged_places(house, now)
    return Overview(
        run=run,
        headline=first_words,
        tally=counted,
        ghosts_open=counted.of("open", rule="ghost"),
        ghosts_in_remediation=counted.of("in_remediation", rule="ghost"),
        ghosts_excluded=counted.of("excluded", rule="ghost"),
        holders=held_by,
        coverage=coverage(house),
        closures=closures(house, now),
        checks=run.number("checks") if run else None,
        not_evaluable=run.number("not_evaluable") if run else None,
        ghost_history=history.ghosts,
        unjudged_history=history.unjudged,
        coverage_history=history.covered,
        first=_first(page(house, Filters()).rows),
        judged=judged,
        grid=_grid(house, run, counted, judged),
        provisioned=list(filled.values()),
        ways_out=ways_out(filled.values(), closable(house)),
    )


def _first(rows: list[Row]) -> list[Row]:
    """The most severe findings, each account once: where two hold, the one about its life says more."""
    chosen: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row["application"], row["account_id"] or row["fingerprint"])
        before = chosen.get(key)
        if before is None or (row["rule"] in LIFECYCLE and before["rule"] not in LIFECYCLE):
            chosen[key] = row
    return list(chosen.values())[:FIRST]


@dataclass(frozen=True)
class _History:
    """Numbers of the last runs, oldest first; a run that cannot say is left out."""

    ghosts: list[int] = field(default_factory=list)
    unjudged: list[float] = field(default_factory=list)  # share of the checks that could not be judged, in percent
    covered: list[float] = field(default_factory=list)  # share of what leavers held that was closed, in percent


def _history(house: House, run: runs.Run | None) -> _History:
    if run is None:
        return _History()

    def load() -> _History:
        with house.store.read() as session:
            query = select(DetectRun.summary).order_by(col(DetectRun.id).desc()).limit(HISTORY)
            rows = [row or {} for row in reversed(session.exec(query).all())]
        held = [Coverage(**row["held_by_leavers"]) for row in rows if "held_by_leavers" in row]
        return _History(
            ghosts=[int(row["ghost_accounts"]) for row in rows if "ghost_accounts" in row],
            unjudged=[100 * row["not_evaluable"] / row["checks"] for row in rows if row.get("checks")],
            covered=[one.share for one in held if one.share is not None],
        )

    return runs.remembered(("history", house.store.url, run.id), load)


def _grid(house: House, run: runs.Run | None, counted: Tally, judged: Judged) -> Grid:
    """The map of places; a rule stands in it when it holds somewhere or could not be judged somewhere."""
    labels = {feed.name: feed.label for feed in (*house.settings.source, *house.settings.application)}
    found, unjudged = counted.grid("open"), run.not_evaluable if run else {}
    gaps = {key for key, place in judged.places.items() if place.state in ("partly", "not evaluable")}
    configured = {a.name for a in house.settings.application}
    names = configured | {application for application, _ in (*found, *gaps) if application}
    rules = [r for r in rule_names() if any((a, r) in found or (a, r) in gaps for a in names)]
    rules.sort(key=lambda r: r != "ghost")
    totals = {a: sum(found.get((a, r), 0) for r in rules) for a in names}
    order = sorted(names, key=lambda a: (-totals[a], labels.get(a, a)))
    never: State = "never read"
    cells = []
    for row, application in enumerate(order):
        for column, name in enumerate(rules):
            place = judged.places.get((application, name))
            state = place.state if place else never if run is None and application in configured else "nobody"
            reason = "has not been read yet" if state == never else unjudged.get(application, {}).get(name)
            count = found.get((application, name), 0)
            blind = state in (never, "not evaluable") and count == 0
            cells.append(Cell(row, column, state, None if blind else count, reason))
    blind_rows = [all(c.count is None for c in cells if c.application == row) for row in range(len(order))]
    return Grid(
        applications=[labels.get(a, a) for a in order],
        rules=[rule_title(r) for r in rules],
        application_names=order,
        rule_names=rules,
        cells=cells,
        totals=[None if blind else totals[a] for a, blind in zip(order, blind_rows, strict=True)],
    )
