"""When Python looks for garbage: seldom. Records by the million live for one chunk and hold no circles."""

from __future__ import annotations

import atexit
import gc


def seldom() -> None:
    """Make this process look seldom, from its start on, and not once more through everything at its end.

    What is imported stays: looking through it again and again took a quarter of the time of a short command.
    """
    gc.set_threshold(100_000, 20, 50)
    atexit.register(gc.freeze)


def settle() -> None:
    """The same for a process that has started: what it holds now is never looked through again."""
    gc.collect()
    gc.freeze()
    seldom()
