"""One reader, measured in a fresh process of its own, so that neither the server nor what ran before is counted."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final

from jobs import garbage

SPAWN: Final = multiprocessing.get_context("spawn")


@dataclass(frozen=True)
class Measured:
    """What one reader took and how many accounts or people it saw."""

    seconds: float
    cpu: float
    peak_mib: float
    seen: int


def measured(prepare: Callable[..., Callable[[], int]], *given: Any) -> Measured:
    """What reading takes; what `prepare(*given)` does first is not counted. RuntimeError when it ends too early."""
    here, there = SPAWN.Pipe()
    process = SPAWN.Process(target=_child, args=(prepare, given, there))
    process.start()
    there.close()
    try:
        told: Measured = here.recv()
    except EOFError:
        raise RuntimeError(f"{prepare.__name__}{given[:1]} ended before it had read everything") from None
    finally:
        process.join()
    return told


def _child(prepare: Callable[..., Callable[[], int]], given: tuple[Any, ...], pipe: Connection) -> None:
    read = prepare(*given)
    garbage.settle()
    before, started = _cpu(), time.perf_counter()
    seen = read()
    seconds, cpu = time.perf_counter() - started, _cpu() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    pipe.send(Measured(seconds, cpu, peak, seen))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
