"""`leaverwatch bench --sandbox`: a full pull of the invented company, every feed with its events, side by side.

The company answers from a process of its own, as real vendors would.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from governance.errors import LeaverwatchError
from jobs import garbage, home, work
from jobs.bench import Figure, Meter

SPAWN: Final = multiprocessing.get_context("spawn")


def run(folder: Path) -> Iterator[Figure]:
    """The first pull of everything, and the second, which reads what is new of the events."""
    here, there = SPAWN.Pipe()
    company = SPAWN.Process(target=_company, args=(folder, there), daemon=True)
    company.start()
    try:
        here.recv()
        garbage.settle()
        house = home.open_house(folder, os.environ, home.clock())
        meter = Meter(folder)
        names = work.feed_names(house)
        for name in ("first", "again"):
            figure, results = meter.step(
                f"pull the sandbox, {name}",
                lambda: work.pull(house, names, "bench"),
                lambda results: (
                    f"{len(results)} feeds, {sum(r.kept for r in results):,} identities and accounts,"
                    f" {sum(r.rows_read for r in results):,} rows"
                ),
            )
            failed = [f"{r.feed}: {r.error}" for r in results if r.status != "published"]
            if failed:
                raise LeaverwatchError("; ".join(failed))
            yield figure
        house.store.close()
    finally:
        company.terminate()
        company.join()


def _company(folder: Path, pipe: Connection) -> None:
    from connectors.sandbox.running import Running

    running = Running.build(folder, home.clock)
    running.come_to_now()
    running.serve(0)
    pipe.send("ready")
    pipe.recv()  # until the other side ends
