"""When Python looks for garbage: seldom; records by the million live for one chunk and hold no circles.

And when what columns took is given back to the system: soon.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import os
from contextlib import suppress
from typing import Final

# For the allocator that Polars brings, read when Polars is imported: 50 MiB less at 200,000 accounts, at no more CPU.
# Source: https://jemalloc.net/jemalloc.3.html, opt.dirty_decay_ms; without it 500 ms, and another 1,000 until gone.
SOON: Final = "dirty_decay_ms:100,muzzy_decay_ms:0"
# Bytes from which on a block of memory lies apart: arrays that grow to many MiB then move no byte and leave no hole.
# By itself the C library of Linux soon lets blocks of up to 32 MiB lie among all others: 50 MiB more at a million
# accounts. Source: https://man7.org/linux/man-pages/man3/mallopt.3.html
APART: Final = 1024 * 1024
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them


def seldom() -> None:
    """Make this process look seldom, from its start on, and not once more through everything at its end.

    Memory is given back soon. What is imported stays: looking through it again and again took a quarter of the time of
    a short command.
    """
    os.environ.setdefault("_RJEM_MALLOC_CONF", SOON)
    with suppress(AttributeError, OSError, TypeError):  # other systems have no such setting
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, APART)
        mallopt(_TRIM_THRESHOLD, 2 * APART)
    gc.set_threshold(100_000, 20, 50)
    atexit.register(gc.freeze)


def settle() -> None:
    """The same for a process that has started: what it holds now is never looked through again."""
    gc.collect()
    gc.freeze()
    seldom()
