"""Leases: one process at a time does a piece of work, and its death frees it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from governance.errors import StoreError
from governance.store.rows import table_of
from governance.tables import Lease

_LEASES: Final = table_of(Lease)
_held: Final[set[int]] = set()


class LeaseLost(StoreError):
    """Somebody else does this work now; whoever did it before can write nothing."""


@dataclass(frozen=True, slots=True)
class Fence:
    """Which time a lease was taken, and by whom: two holders never have the same."""

    name: str
    token: int
    holder: str

    def check(self, connection: sa.Connection) -> None:
        """LeaseLost unless nobody took the lease since; asked inside the write transaction it guards."""
        row = connection.execute(
            sa.select(_LEASES.c.token, _LEASES.c.holder).where(_LEASES.c.name == self.name)
        ).first()
        if row is None or tuple(row) != (self.token, self.holder):
            by = f"{row[1]} took it (token {row[0]})" if row else "its row is gone"
            raise LeaseLost(f"lease {self.name} (token {self.token}) is lost: {by}; nothing was written")


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
