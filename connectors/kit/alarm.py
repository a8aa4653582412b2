"""What is to happen when a time is over: one thread for many times, because starting one costs as much as a request."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

IDLE_S: Final = 1.0  # the thread ends when nothing was awaited for so long


class Alarm:
    """Calls `ring`, in a thread of its own, when a time is over before what was to be done in it."""

    def __init__(self, ring: Callable[[], None], idle_s: float = IDLE_S) -> None:
        self._ring = ring
        self._idle_s = idle_s
        self._changed = threading.Condition()
        self._due: float | None = None
        self._looks_at = 0.0  # when the thread looks at the clock again
        self._times = 0  # how many were awaited so far
        self._thread: threading.Thread | None = None

    @contextmanager
    def after(self, seconds: float) -> Iterator[None]:
        """Ring after so many seconds, unless this ends before."""
        with self._changed:
            self._due = monotonic() + max(seconds, 0.0)
            self._times += 1
            if self._thread is None or not self._thread.is_alive():  # a fork leaves the thread behind
                self._looks_at = self._due
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
            elif self._due < self._looks_at:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._due = None

    def _watch(self) -> None:
        with self._changed:
            before = -1
            while self._due is not None or self._times != before:
                before, now = self._times, monotonic()
                if self._due is not None and self._due <= now:
                    self._due = None
                    self._ring()
                wait = self._idle_s if self._due is None else min(self._due - now, self._idle_s)
                self._looks_at = now + wait
                self._changed.wait(wait)
            self._thread = None
