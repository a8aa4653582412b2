"""Transactions: one consistent picture to read, one writer at a time, and leases that die with their process."""

from __future__ import annotations

import copy
import hashlib
import os
import secrets
import socket
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from governance.errors import StoreError
from governance.store.disks import amount, described, free
from governance.store.failures import explained, is_busy
from governance.store.leases import Fence, advisory_lease, file_lease
from governance.tables import as_json

BUSY_SECONDS: Final = 10.0  # one wait of SQLite's own
ROOM_TO_ACT: Final = 4_000_000  # bytes: the records of some thousand actions
PATIENCE_SECONDS: Final = 60.0  # all waits for the write lock together
STOPPED_SECONDS: Final = 300.0  # PostgreSQL ends the transaction of a writer that stands still so long
VANISHED: Final = {"tcp_keepalives_idle": 20, "tcp_keepalives_interval": 5, "tcp_keepalives_count": 4}  # seconds, tries
_READ: Final = "leaverwatch_read"
_DURABLE: Final = "leaverwatch_durable"


class Store:
    """Where decisions are kept. Many may read, one writes; a failed write leaves nothing behind."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url.render_as_string(hide_password=False)
        self.dialect = url.get_backend_name()
        self.file = Path(url.database) if self.dialect == "sqlite" and url.database else None
        self.name = str(self.file or url.render_as_string(hide_password=True))
        self.called = (
            f"{socket.gethostname()[:30]} {os.getpid()} {secrets.token_hex(4)}"  # who opened it: one of a kind
        )
        self.engine = _sqlite(url) if self.file else _postgresql(url, self.called)
        readers: dict[str, Any] = {_READ: True}
        if self.file is None:
            readers |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._readers = self.engine.execution_options(**readers)
        self._durable = self.engine.execution_options(**{_DURABLE: True})
        self._here = threading.local()
        self._fences: tuple[Fence, ...] = ()
        # Also at the end of a process, where nobody looks for garbage: SQLite's log goes into the file, nothing stays.
        weakref.finalize(self, self.engine.dispose)

    def __repr__(self) -> str:
        return f"Store({self.name})"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one consistent picture and cannot write."""
        with explained(self.name), Session(self._readers, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        """One write transaction: alone from its first statement on, committed at the end, undone by any error.

        `durable` waits until SQLite's log is on the disk, so that not even a power cut takes the commit back: for the
        intent that precedes a call to the outside. A process that dies loses nothing either way.
        """
        if getattr(self._here, "writing", False):
            raise RuntimeError("store.write() inside store.write(): pass the session on instead")
        with explained(self.name):
            session = self._begun(durable)
            self._here.writing = True
            try:
                for fence in self._fences:
                    fence.check(session.connection())
                yield session
                session.commit()
            finally:
                self._here.writing = False
                session.close()  # undoes what was not committed

    def _begun(self, durable: bool) -> Session:
        """A session that holds the write lock."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            session = Session(self._durable if durable else self.engine, expire_on_commit=False)
            session.info["writes"] = True
            try:
                connection = session.connection()
                if self.file is None:
                    connection.exec_driver_sql(
                        f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS:.0f}s';"
                        f"SET LOCAL idle_in_transaction_session_timeout = '{STOPPED_SECONDS:.0f}s';"
                        f"SELECT pg_advisory_xact_lock({_WRITERS})"
                    )
            except OperationalError as error:
                session.close()
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
            except BaseException:
                session.close()
                raise
            else:
                return session

    @contextmanager
    def lease(self, name: str) -> Iterator[bool]:
        """True when this process may do the named work alone; never waits; freed when the process dies."""
        if self.file is not None:
            with file_lease(self.file.with_name(f"{self.file.name}.{name}.lock")) as held:
                yield held
        else:
            with explained(self.name), advisory_lease(self.engine, lease_key(name)) as held:
                yield held

    def fenced(self, fence: Fence) -> Store:
        """The same store for whoever holds this lease: every write is refused with LeaseLost once another took it."""
        guarded = copy.copy(self)
        guarded._fences = (*self._fences, fence)
        return guarded

    def require_room(self) -> None:
        """StoreError when the disk of a SQLite store is nearly full: actions stop first, while records still fit."""
        if self.file is not None and free(self.file) < ROOM_TO_ACT:
            raise StoreError(
                f"{self.name}: {described(self.file)}; below {amount(ROOM_TO_ACT)} no action is started, make room"
            )

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()


def _key(text: str) -> int:
    return int.from_bytes(hashlib.sha256(f"leaverwatch {text}".encode()).digest()[:8], "big", signed=True)


def lease_key(name: str) -> int:
    """The number under which PostgreSQL knows the lock of this lease."""
    return _key(f"lease {name}")


_WRITERS: Final = _key("writers")


def connect_sqlite(file: Path) -> sa.URL:
    """The URL of a SQLite file."""
    return sa.URL.create("sqlite", database=str(file))


def _sqlite(url: sa.URL) -> sa.Engine:
    # Overflow without limit: readers must never wait for each other, and a connection costs 0.2 ms.
    # Parameters stay out of errors and logs: they are people's data.
    engine = sa.create_engine(
        url,
        max_overflow=-1,
        hide_parameters=True,
        json_serializer=as_json,
        connect_args={"timeout": BUSY_SECONDS},
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    sa.event.listen(engine, "handle_error", _give_up_lost_transaction)
    sa.event.listen(engine, "checkin", _end_transaction)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin by itself: see _begin_sqlite
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "temp_store=MEMORY", "journal_size_limit=67108864"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: sa.Connection) -> None:
    options = connection.get_execution_options()
    reads = _READ in options
    raw: Any = connection.connection.dbapi_connection
    raw.execute(f"PRAGMA query_only={int(reads)}").close()
    if not reads:
        raw.execute(f"PRAGMA synchronous={'FULL' if _DURABLE in options else 'NORMAL'}").close()
    # A transaction that reads before it writes can't wait for the lock unless it takes it first: a plain BEGIN lost
    # 88 % of contended transactions in a trial.
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _give_up_lost_transaction(context: Any) -> None:
    # SQLite ends a transaction by itself when the disk is full or fails. What followed would be committed statement by
    # statement, so the connection is given up and every further statement of the transaction is refused.
    held = getattr(context.connection, "connection", None) if context.connection is not None else None
    raw = getattr(held, "dbapi_connection", None)
    if isinstance(context.original_exception, sqlite3.Error) and raw is not None and not raw.in_transaction:
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _end_transaction(connection: sqlite3.Connection | None, record: ConnectionPoolEntry) -> None:
    # A COMMIT that SQLite refuses leaves the transaction open, and SQLAlchemy takes it for ended.
    if connection is not None and connection.in_transaction:
        try:
            connection.rollback()
        except sqlite3.Error:
            record.invalidate()


def _postgresql(url: sa.URL, called: str) -> sa.Engine:
    options = {"connect_timeout": 10, "keepalives_idle": 30, "application_name": f"leaverwatch {called}"}
    url = url.set(drivername="postgresql+psycopg")
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        max_overflow=15,
        hide_parameters=True,
        json_serializer=as_json,
        connect_args=options,
    )
    sa.event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # By default a server notices only after two hours that a machine is gone, and keeps its locks till then.
    connection.autocommit = True
    for name, value in VANISHED.items():
        connection.execute(f"SET {name} = {value}")
    connection.autocommit = False
