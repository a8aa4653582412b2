"""`leaverwatch bench`: time, peak memory and growth on disk of each step, on a seeded estate."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from governance.house import House
from governance.records import Reading
from governance.store import open_store
from jobs.seeded import APPLICATIONS, Seeded

STATUS: Final = Path("/proc/self/status")
WARM: Final = 9
ELEVEN: Final = (
    "ghost", "contract_expired", "login_after_leaving", "missing_from_source", "contradictory_source", "orphaned",
    "ambiguous_owner", "stale", "never_used", "over_privileged", "admin_without_mfa",
)  # fmt: skip
MEASURE_ANEW: Final = Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Figure:
    """What one step took."""

    step: str
    seconds: float
    peak_mib: float | None  # of this process while the step ran; None where the system does not tell
    growth_mib: float  # of store and snapshots on disk
    note: str = ""


class Meter:
    """Measures steps that work on one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def step(self, name: str, do: Callable[[], Any], note: Callable[[Any], str] = lambda _: "") -> tuple[Figure, Any]:
        """One step, done once."""
        before = _size(self.folder)
        if MEASURE_ANEW.exists():
            MEASURE_ANEW.write_text("5")  # the peak is counted from here
        started = time.perf_counter()
        result = do()
        seconds = time.perf_counter() - started
        return Figure(name, seconds, _peak(), _size(self.folder) - before, note(result)), result


def _peak() -> float | None:
    if not STATUS.exists():
        return None
    lines = STATUS.read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)


def _size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


def run(folder: Path, accounts: int, now: datetime) -> Iterator[Figure]:
    """Every step in its order: write snapshots, correlate and judge, remember findings twice, read the pages."""
    from governance.findings import evaluated, record

    estate, store = Seeded(accounts, now), open_store("sqlite:///leaverwatch.db", folder, now)
    house = House(folder, estate.settings(), store, folder / "snapshots", {})
    house.snapshots.mkdir()
    meter = Meter(folder)
    figure, _ = meter.step("write snapshots", lambda: write(house, estate, now), _written)
    yield figure
    yield meter.step("correlate and judge, eleven rules", partial(_eleven, house, now), "{:,} findings".format)[0]
    for when in ("first run", "again, nothing changed"):
        with ExitStack() as stack:
            entered = evaluated(house, now)
            figure, evaluation = meter.step(
                f"correlate and judge, {when}",
                partial(stack.enter_context, entered),
                lambda evaluation: (
                    f"{evaluation.verdict.bare.height:,} findings of {evaluation.verdict.checks:,} checks"
                ),
            )
            yield figure
            figure, _ = meter.step(
                f"remember findings, {when}",
                partial(record, house, evaluation, now, now),
                lambda stored: (
                    ", ".join(f"{n:,} {word}" for word, n in (stored.changed or {}).items() if n) or "no row"
                ),
            )
            yield figure
    yield from _pages(house, now)
    store.close()


def write(house: House, estate: Seeded, now: datetime) -> list[Any]:
    """Stage, guard and publish every feed, as a pull does."""
    from governance import guards
    from governance.snapshots import stage

    feeds: list[tuple[Any, Any]] = [(house.settings.source[0], estate.identities())]
    feeds += [(house.settings.application[n], estate.application(n)) for n in range(APPLICATIONS)]
    staged = (stage(house, feed, records, Reading(source="bench"), now, now) for feed, records in feeds)
    return [guards.believe(house, snapshot, now, "bench") for snapshot in staged]


def _eleven(house: House, now: datetime) -> int:
    """The rules most companies begin with, and nothing summed up for the pages."""
    from governance.findings.evaluation import picture
    from governance.rulebook import all_rules
    from governance.rulebook import run as judged
    from governance.snapshots import PolarsEngine

    place = house.snapshots / "estates" / "eleven"
    place.mkdir(parents=True)
    _, estate = picture(house, now, place, PolarsEngine(), house.settings)
    found = judged(estate, house.settings.policy, now, {name: all_rules()[name] for name in ELEVEN}).bare.height
    shutil.rmtree(place)
    return found


def _written(snapshots: list[Any]) -> str:
    total = {table: sum(s.rows.get(table, 0) for s in snapshots) for table in ("identities", "accounts", "grants")}
    return ", ".join(f"{count:,} {table}" for table, count in total.items())


def _pages(house: House, now: datetime) -> Iterator[Figure]:
    """The read model of each page: the first time, as it is after every change, and from page to page."""
    from governance.views import accounts, applications, findings, identities, jobs, overview, population, runs, trail

    pages: dict[str, Callable[[], Any]] = {
        "overview": lambda: overview.overview(house, now),
        "findings": lambda: findings.page(house, findings.Filters()),
        "findings, text": lambda: findings.page(house, findings.Filters(text="p1234")),
        "accounts": lambda: accounts.page(house, accounts.Filters(), now),
        "findings, short text": lambda: findings.page(house, findings.Filters(text="q1")),
        "accounts, text": lambda: accounts.page(house, accounts.Filters(text="p1234"), now),
        "accounts, leavers": lambda: accounts.page(house, accounts.Filters(scope="leavers"), now),
        "identities": lambda: identities.page(house, identities.Filters()),
        "identities, text": lambda: identities.page(house, identities.Filters(text="p1234")),
        "identity": lambda: identities.one(house, "hr:12"),
        "applications": lambda: applications.cards(house, now),
        "population": lambda: population.population(house, now),
        "jobs": lambda: jobs.page(house),
        "audit": lambda: trail.page(house, trail.Filters()),
    }
    for name, read in pages.items():
        first = _timed(read)
        changed = []
        for _ in range(WARM):
            runs.forget()
            changed.append(_timed(read))
        warm = statistics.median(_timed(read) for _ in range(WARM))
        note = f"after a change {statistics.median(changed) * 1000:,.0f} ms, the first time {first * 1000:,.0f} ms"
        yield Figure(f"page: {name}", warm, _peak(), 0.0, note)


def _timed(do: Callable[[], Any]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
