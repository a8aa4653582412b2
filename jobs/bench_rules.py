"""`leaverwatch bench --rules`: the whole rulebook in its steady state, and the same rules written three other ways.

Each measured in a fresh process on the same snapshots: the first run, a run after one account in a hundred changed, and
eight rules beside a script in Polars, one in pandas and a query in PostgreSQL. The findings must be equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from governance.house import House
from governance.settings import Settings
from governance.store import open_store
from jobs import bench_peers
from jobs.bench import Figure
from jobs.bench_reading import Measured, measured
from jobs.seeded_columns import Columns


def run(folder: Path, accounts: int, now: datetime, database: str | None) -> Iterator[Figure]:
    """The figures, as they come; RuntimeError where another way finds something else."""
    house = _house(folder, accounts, now)
    Columns(accounts, now).store(house)
    house.store.close()
    yield _figure("every rule, first run", measured(_prepared, folder, accounts, now, 0))
    house = _house(folder, accounts, now)
    Columns(accounts, now, turn=1).store(house)
    house.store.close()
    yield _figure("every rule, one in a hundred changed", measured(_prepared, folder, accounts, now, 1))
    ours = measured(_eight, folder, accounts, now)
    yield _figure("eight rules, the rulebook", ours)
    for name in bench_peers.PEERS:
        if name == "PostgreSQL" and database is None:
            continue
        theirs = measured(_peer, folder, accounts, now, name, database)
        if theirs.seen != ours.seen:
            raise RuntimeError(f"{name} finds something else than the rulebook")
        note = f"{theirs.seconds / ours.seconds:.2f} times ours, {theirs.cpu / ours.cpu:.2f} times its CPU"
        yield _figure(f"eight rules, {name}", theirs, note)


def _figure(step: str, took: Measured, note: str = "") -> Figure:
    said = f"{took.cpu:.2f} s of CPU{f'; {note}' if note else ''}"
    return Figure(step, took.seconds, took.peak_mib, 0.0, said)


def _house(folder: Path, accounts: int, now: datetime, settings: Settings | None = None) -> House:
    store = open_store("sqlite:///leaverwatch.db", folder, now)
    return House(folder, settings or Columns(accounts, now).settings(), store, folder / "snapshots", {})


def _prepared(folder: Path, accounts: int, now: datetime, turn: int) -> Callable[[], int]:
    """One whole run: correlation, every rule, the difference to what was known, and its rows."""
    from governance.findings import evaluated, record

    at = Columns(accounts, now, turn).at
    house = _house(folder, accounts, now)

    def work() -> int:
        with evaluated(house, at) as evaluation:
            stored = record(house, evaluation, at, at)
        house.store.close()
        return sum((stored.counts or {}).values())

    return work


def _eight(folder: Path, accounts: int, now: datetime) -> Callable[[], int]:
    from governance.findings.evaluation import picture
    from governance.rulebook import all_rules
    from governance.rulebook import run as judged
    from governance.snapshots import PolarsEngine

    own = Columns(accounts, now, turn=1)
    house = _house(folder, accounts, now, own.settings())
    # Not by rules_off: where privilege_creep is off, over_privileged speaks for it, and nobody else wrote that.
    eight = {name: rule for name, rule in all_rules().items() if name in bench_peers.RULES}

    def work() -> int:
        place = house.snapshots / "estates" / "eight"
        place.mkdir(parents=True)
        _, estate = picture(house, own.at, place, PolarsEngine(), house.settings)
        verdict = judged(estate, house.settings.policy, own.at, eight)
        house.store.close()
        return _number(verdict.bare.select("rule", "application", "account_id").rows())

    return work


def _peer(folder: Path, accounts: int, now: datetime, name: str, database: str | None) -> Callable[[], int]:
    own = Columns(accounts, now, turn=1)
    mapping = [
        (line.application, line.when["department"], given)
        for line in own.settings().role_mapping
        for given in line.gives
    ]
    more: tuple[Any, ...] = (database,) if name == "PostgreSQL" else ()
    return lambda: _number(bench_peers.PEERS[name](folder / "snapshots", mapping, own.at, *more))


def _number(rows: list[tuple[Any, ...]]) -> int:
    """The set of findings as one number: equal sets, equal numbers."""
    return int(bench_peers.digest([(str(a), str(b), str(c)) for a, b, c in rows])[:15], 16)
