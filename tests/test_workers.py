# ruff: noqa: T201 - the hour of the soak says how far it is
"""Several workers on one store (FAULTS E1): one works, whatever happens to it another takes over, and no run is done twice."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from crews import Crew

TAKEOVER_S = 60
HASTY_S = 10.0  # a machine with much to do keeps a worker waiting for four seconds, which are no sign of anything
SOAK_S = float(os.environ.get("LEAVERWATCH_SOAK_SECONDS", "120"))


@pytest.fixture
def crew(store_url: str, tmp_path: Path) -> Iterator[Crew]:
    """Four workers; the first run is done. Who is busy is not taken for silent here."""
    with at_work(Crew(tmp_path, store_url)) as crew:
        yield crew


@pytest.fixture
def hasty_crew(store_url: str, tmp_path: Path) -> Iterator[Crew]:
    """The same, but nobody waits for half a minute before one that is silent is passed over."""
    with at_work(Crew(tmp_path, store_url, HASTY_S)) as crew:
        yield crew


@contextmanager
def at_work(crew: Crew) -> Iterator[Crew]:
    try:
        for worker in range(4):
            crew.start(worker)
        pulled(crew, 1)
        yield crew
    finally:
        crew.end()
        crew.store.close()


def pulled(crew: Crew, more: int, seconds: float = 60.0) -> None:
    """Wait for so many pulls more."""
    wanted, until = len(crew.pulls()) + more, time.monotonic() + seconds
    while len(crew.pulls()) < wanted:
        assert time.monotonic() < until, [crew.said(worker) for worker in crew.running]
        time.sleep(0.1)


def holder(crew: Crew) -> int:
    found = crew.holder()
    assert found is not None
    return found


def stopped_between_writes(crew: Crew, worker: int) -> None:
    """Stop the process; with SQLite where it holds no write lock, which nobody could take from it."""
    for _ in range(50):
        crew.tell(worker, signal.SIGSTOP)
        time.sleep(0.05)  # until every thread stands
        if free_to_write(crew):
            return
        crew.tell(worker, signal.SIGCONT)
        time.sleep(0.05)
    raise AssertionError("the worker writes all the time")


def free_to_write(crew: Crew) -> bool:
    """Whether nobody holds the write lock of a SQLite file just now."""
    if crew.store.file is None:
        return True
    with closing(sqlite3.connect(crew.store.file, timeout=0.2, isolation_level=None)) as raw:
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        raw.execute("ROLLBACK")
    return True


def test_of_four_one_works_and_after_a_kill_another(crew: Crew) -> None:
    pulled(crew, 3)
    first = crew.reigns()
    assert len(first) == 1
    crew.tell(first[0].worker, signal.SIGKILL)
    assert crew.succeeded(first[0].token) < 10
    pulled(crew, 3)
    crew.end()
    assert crew.check()["takeovers"] == 1


def test_who_lost_only_its_lock_says_so_and_starts_nothing_more(crew: Crew) -> None:
    token = crew.reigns()[-1].token
    for _ in range(3):
        before = holder(crew)
        crew.drop_lock()
        assert crew.succeeded(token) < 10
        token = crew.reigns()[-1].token
        pulled(crew, 2)
        assert "stops working and waits its turn" in crew.said(before)
    crew.end()
    assert crew.check()["takeovers"] == 3


def test_a_stopped_worker_is_passed_over_and_starts_nothing_when_it_goes_on(hasty_crew: Crew) -> None:
    crew = hasty_crew
    before, token = holder(crew), crew.reigns()[-1].token
    stopped_between_writes(crew, before)
    assert HASTY_S - 2.5 < crew.succeeded(token) < HASTY_S + 10
    pulled(crew, 2)
    crew.tell(before, signal.SIGCONT)
    pulled(crew, 4)
    assert "stops working and waits its turn" in crew.said(before)
    assert holder(crew) != before
    crew.end()
    assert crew.check()["takeovers"] == 1


def test_a_worker_that_is_alone_takes_its_lease_again(crew: Crew) -> None:
    first = crew.reigns()[-1]
    for worker in {*crew.running} - {first.worker}:
        crew.tell(worker, signal.SIGTERM)
    crew.drop_lock()
    crew.succeeded(first.token)
    assert crew.reigns()[-1].pid == first.pid
    pulled(crew, 2)
    crew.end()
    assert crew.check()["takeovers"] == 1


@pytest.mark.soak
def test_four_workers_killed_stopped_and_cut_off_for_long(store_url: str, tmp_path: Path) -> None:
    """`LEAVERWATCH_SOAK_SECONDS=3600` runs it for an hour."""
    crew, chance = Crew(tmp_path, store_url), random.Random(1)
    happened: dict[str, list[float]] = {"kill": [], "stop": [], "cut off": [], "end": [], "kill of a waiting one": []}
    until = time.monotonic() + SOAK_S
    try:
        for worker in range(4):
            crew.start(worker)
        pulled(crew, 1)
        plan = ["kill", "stop", "cut off"]
        while time.monotonic() < until:
            time.sleep(chance.uniform(3, 20))
            event = (
                plan.pop(0)
                if plan
                else chance.choice(["kill", "kill", "stop", "cut off", "end", "kill of a waiting one"])
            )
            happened[event].append(struck(crew, event, chance))
            figures = {what: len(times) for what, times in happened.items()}
            print(f"{until - time.monotonic():.0f} s left, {len(crew.pulls())} pulls, {figures}", flush=True)
        pulled(crew, 2)
    finally:
        crew.end()
    figures = crew.check() | {
        f"slowest takeover after {what}": round(max(times), 2) for what, times in happened.items() if times
    }
    print(json.dumps({"engine": crew.store.dialect, "seconds": SOAK_S, **figures}), flush=True)
    assert max(max(times, default=0.0) for times in happened.values()) <= TAKEOVER_S
    assert figures["longest_gap_s"] <= TAKEOVER_S
    crew.store.close()


def struck(crew: Crew, event: str, chance: random.Random) -> float:
    """Let this happen to the crew; says how long nobody worked."""
    while (worker := crew.holder()) is None:
        time.sleep(0.1)
    token = crew.reigns()[-1].token
    if event == "kill of a waiting one":
        worker = chance.choice([w for w in crew.running if w != worker])
        crew.tell(worker, signal.SIGKILL)
        crew.start(worker)
        return 0.0
    if event == "stop":
        stopped_between_writes(crew, worker)
        took = crew.succeeded(token)
        time.sleep(chance.uniform(0, 5))
        crew.tell(worker, signal.SIGCONT)
        return took
    if event == "cut off":
        crew.drop_lock()
        return crew.succeeded(token)
    crew.tell(worker, signal.SIGKILL if event == "kill" else signal.SIGTERM)
    took = crew.succeeded(token)
    time.sleep(chance.uniform(0, 3))
    crew.start(worker)
    return took
