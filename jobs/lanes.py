"""Lanes: work side by side in threads, one piece at a time in each lane; none waits for another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from governance.errors import LeaverwatchError, StoreError
from governance.store import LeaseLost

log = logging.getLogger("leaverwatch.worker")


class Lanes:
    """What a worker does at the moment, and what came of it that concerns the worker."""

    def __init__(self) -> None:
        self.lost: LeaseLost | None = None  # another worker took over
        self.untidy = False  # the store refused a write: a job run may be left open
        self._shut = False
        self._starting = threading.Lock()
        self._threads: dict[str, tuple[threading.Thread, float]] = {}

    def start(self, lane: str, do: Callable[[], object]) -> bool:
        """Do this in a thread of its own unless the lane is busy. A thread that hangs can't keep the process alive."""
        with self._starting:
            if self._shut or lane in self.busy():
                return False
            thread = threading.Thread(target=self._guarded, args=(lane, do), name=lane, daemon=True)
            self._threads[lane] = (thread, time.monotonic())
            thread.start()
            return True

    def busy(self) -> dict[str, float]:
        """The lanes in which something runs, but for the one that asks, and since when."""
        here = threading.current_thread()
        found = list(self._threads.items())
        return {lane: since for lane, (thread, since) in found if thread is not here and thread.is_alive()}

    def while_idle(self, do: Callable[[], object], but: str) -> bool:
        """Do this now, unless something runs in any lane but this one; nothing starts meanwhile. Says whether done."""
        with self._starting:
            if self.busy().keys() - {but}:
                return False
            do()
            return True

    def shut(self) -> None:
        """Let nothing start any more: it would be cut off with the process."""
        with self._starting:
            self._shut = True

    def join(self, lane: str, seconds: float) -> None:
        """Wait for what runs in this lane, but no longer."""
        self._threads[lane][0].join(max(0.0, seconds))

    def _guarded(self, lane: str, do: Callable[[], object]) -> None:
        try:
            do()
        except LeaseLost as lost:
            self.lost = lost
        except LeaverwatchError as error:  # it stands in the job run; the worker goes on
            log.warning("%s: %s", lane, error)
            self.untidy = self.untidy or isinstance(error, StoreError)
        except Exception:  # a fault in one job must not end the others; it stands in the job run too
            log.exception("%s failed", lane)
