"""Leases for long work: whoever takes one gets a number, and whoever had a lower one writes nothing any more.

A lock dies with its process or connection, which is not always when the work ends: a server drops the one connection
that held the lock, a process is stopped and goes on later, a machine vanishes and its connection stays open. So who
works is said by a committed row, `Lease`; the lock only tells others whether that holder is alive.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlmodel import select

from governance.errors import StoreError
from governance.store.failures import explained
from governance.store.leases import Fence, LeaseLost
from governance.store.rows import table_of, upsert_rows
from governance.store.transactions import Store, lease_key
from governance.tables import Lease

_LEASES: Final = table_of(Lease)
UNBLOCKED_S: Final = 1.0  # who waited longer for the write lock does not know whether the holder waited too
ATTENTIVE_S: Final = 10.0  # who looked away longer has not seen that nothing moved


class Contender:
    """One who wants a lease for long: takes it when its holder died, or gave no sign of life for `silent_s`.

    Who is passed over because it is silent loses the other leases it may hold too, but not those in `left`: what they
    guard is outside the store, where no fence reaches.
    """

    def __init__(self, store: Store, name: str, silent_s: float, left: Sequence[str] = ()) -> None:
        self.store = store
        self.name = name
        self.silent_s = silent_s
        self.left = left
        self._seen: tuple[int, int] = (-1, -1)
        self._since = self._looked = float("-inf")

    @contextmanager
    def take(self, now: datetime) -> Iterator[Fence | None]:
        """The fence behind which to work, as `store.fenced(fence)`; None while another holds the lease."""
        token, beat = self._last()
        with ExitStack() as kept:
            with self.store.lease(self._lock(token)) as dead:
                fence = self._succeed(token, beat, dead, now, kept) if dead or self._silent(token, beat) else None
                if fence is not None:
                    self._forget_locks(fence.token, all=not dead)
            yield fence

    def beat(self, fence: Fence) -> None:
        """Give a sign of life; LeaseLost when another took over, or could because the lock is gone."""
        with self.store.lease(self._lock(fence.token)) as free:
            if free:
                raise LeaseLost(f"{self.store.name}: the lock of lease {self.name} (token {fence.token}) is gone")
        with self._lively() as connection:
            fence.check(connection)
            connection.execute(sa.update(_LEASES).where(_LEASES.c.name == self.name).values(beat=_LEASES.c.beat + 1))

    @contextmanager
    def _lively(self) -> Iterator[sa.Connection]:
        """A transaction for a sign of life: on PostgreSQL it waits for no other writer, however long that one takes."""
        if self.store.file is not None:
            with self.store.write() as session:
                yield session.connection()
        else:
            with explained(self.store.name), self.store.engine.begin() as connection:
                yield connection

    def _last(self) -> tuple[int, int]:
        with self.store.read() as session:
            row = session.exec(select(Lease.token, Lease.beat).where(Lease.name == self.name)).first()
        return (row[0], row[1]) if row else (0, 0)

    def _silent(self, token: int, beat: int) -> bool:
        """Whether the holder has not moved for so long, while this process watched all the time."""
        looked, self._looked = self._looked, time.monotonic()
        if (token, beat) != self._seen or self._looked - looked > ATTENTIVE_S:
            self._seen, self._since = (token, beat), self._looked
        return self._looked - self._since > self.silent_s

    def _succeed(self, token: int, beat: int, dead: bool, now: datetime, kept: ExitStack) -> Fence | None:
        """Become the holder unless another was faster. The new lock comes first: who sees the row finds it held."""
        if not kept.enter_context(self.store.lease(self._lock(token + 1))):
            return None
        fence = Fence(self.name, token + 1, self.store.called)
        if not dead:
            self._cut_off(token)
        asked = time.monotonic()
        with self._explained(dead), self.store.write() as session:
            if not dead and time.monotonic() - asked > UNBLOCKED_S:
                self._looked = float("-inf")
                return None
            row = session.get(Lease, self.name)
            if row is not None and (row.token != token or not (dead or row.beat == beat)):
                return None
            taken = {"name": self.name, "token": fence.token, "beat": 0, "holder": fence.holder, "taken_at": now}
            upsert_rows(session, Lease, [taken])
        return fence

    @contextmanager
    def _explained(self, dead: bool) -> Iterator[None]:
        """Name the silent holder when the store can't be written to: with SQLite it may stand in a write for good."""
        try:
            yield
        except StoreError as error:
            if dead:
                raise
            with self.store.read() as session:
                holder = session.exec(select(Lease.holder).where(Lease.name == self.name)).first()
            why = (
                f"{holder} (host, process) holds lease {self.name} and gives no sign of life: end it if it stands still"
            )
            raise StoreError(f"{error}; {why}") from error

    def _lock(self, token: int) -> str:
        return f"{self.name}.{token}"

    def _cut_off(self, token: int) -> None:
        """End the connections of the silent holder, and with them its leases. (With SQLite its lock files go, below.)

        First of all: it may stand in the middle of a write, for which everybody else would wait.
        """
        if self.store.file is not None:
            return
        key: sa.ColumnElement[int] = sa.literal_column("(classid::bigint << 32 | objid::bigint)", sa.BigInteger)
        locks = sa.table("pg_locks", sa.column("pid"), sa.column("locktype"))
        left = sa.select(locks.c.pid).where(
            locks.c.locktype == "advisory", key.in_([lease_key(name) for name in self.left])
        )
        those = sa.table("pg_stat_activity", sa.column("pid"), sa.column("application_name"))
        silent = (_LEASES.c.name == self.name, _LEASES.c.token == token)
        holder = sa.select(_LEASES.c.holder).where(*silent).scalar_subquery()
        with explained(self.store.name), self.store.engine.begin() as connection:
            connection.execute(
                sa.select(sa.func.pg_terminate_backend(those.c.pid)).where(
                    those.c.application_name == sa.literal("leaverwatch ").concat(holder), those.c.pid.not_in(left)
                )
            )

    def _forget_locks(self, token: int, *, all: bool) -> None:
        """Remove the lock files of earlier holders, which do not matter any more; after a silent one all but a few.

        A command that pulls at that moment loses its lease with them, and the feed may be read twice at a time.
        """
        if self.store.file is None:
            return
        kept = {"migrate", *self.left}
        for file in self.store.file.parent.glob(f"{self.store.file.name}.*.lock"):
            name = file.name[len(self.store.file.name) + 1 : -len(".lock")]
            lease, _, number = name.rpartition(".")
            own = lease == self.name and number.isdecimal()
            if int(number) < token if own else all and name not in kept:
                with suppress(OSError):
                    file.unlink()
