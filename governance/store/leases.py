"""Leases: one process at a time does a piece of work, and its death frees it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from governance.errors import StoreError

_held: Final[set[int]] = set()


@contextmanager
def file_lease(path: Path) -> Iterator[bool]:
    """A lock on a file beside the store; the kernel frees it when the process ends, however it ends."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}; the lease was not taken") from error
    _held.add(handle)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        # The file stays: who removed it while another waits for it would hand out two leases.
        _held.discard(handle)
        os.close(handle)


def _let_go_in_child() -> None:
    # A forked child would keep its parent's lease alive after the parent's death.
    for handle in _held:
        with suppress(OSError):
            os.close(handle)
    _held.clear()


os.register_at_fork(after_in_child=_let_go_in_child)


@contextmanager
def advisory_lease(engine: sa.Engine, key: int) -> Iterator[bool]:
    """A lock in PostgreSQL on a connection of its own; the server frees it when the connection ends."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        held = bool(connection.scalar(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}))
        try:
            yield held
        finally:
            if held:
                try:
                    connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": key})
                except sa.exc.DBAPIError:
                    connection.invalidate()  # the server has ended the session, and with it the lock
