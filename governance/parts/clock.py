"""The shell's clock for what runs between two runs of the shell: a fragment that looks again by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

_clocks: list[Callable[[], datetime]] = []


def set_clock(clock: Callable[[], datetime]) -> None:
    """The shell lends its clock; nothing else on the pages reads the time."""
    _clocks[:] = [clock]


def read_clock() -> datetime:
    """What time it is now."""
    return _clocks[0]()
