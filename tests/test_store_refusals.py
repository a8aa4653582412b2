"""No room, no server, a damaged page: the transaction is refused, nothing half-done stays, and it goes on by itself."""

from __future__ import annotations

import random
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW
from pins import pin, pins, start
from sqlmodel import func, select

from governance import audit
from governance.errors import StoreError
from governance.store import Store, open_store, put_rows
from governance.tables import AuditEntry, Pin

# --- no room, no server: the transaction is refused, nothing half-done stays, and it goes on by itself afterwards


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """As a full disk: this process can't make any file longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def act(store: Store, number: int) -> None:
    with store.write() as session:
        audit.append(session, now=NOW, actor="ana@example.com", verb="pin", object=f"crm/{number}", reason="x" * 20_000)
        session.add(pin(number))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_full_disk_refuses_the_action_and_its_record_together(store: Store) -> None:
    act(store, 1)
    assert store.file is not None
    with no_file_larger_than(store.file.with_name(f"{store.file.name}-wal").stat().st_size + 4_096):
        with pytest.raises(StoreError, match=r"leaverwatch\.db.*nothing was written"):
            act(store, 2)
        assert pins(store) == 1  # reading goes on
    assert audit.verify(store).entries == 1
    act(store, 3)
    assert (pins(store), audit.verify(store).entries) == (2, 2)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_store_at_its_limit_commits_nothing_of_a_verb_that_went_on_after_the_error(store: Store) -> None:
    act(store, 1)
    with store.write() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StoreError), store.write() as session:  # noqa: PT012
        with suppress(sa.exc.DBAPIError):
            audit.append(session, now=NOW, actor="ana", verb="pin", object="crm/2", reason="x" * 50_000)
        session.add(pin(2))
    assert (pins(store), audit.verify(store).entries) == (1, 1)
    store.close()  # more room
    act(store, 3)
    assert (pins(store), audit.verify(store).entries) == (2, 2)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_damaged_page_is_named_and_not_written_over(store: Store, tmp_path: Path, store_url: str) -> None:
    with store.write() as session:
        put_rows(session, Pin, [pin(number).model_dump() for number in range(2_000)])
        root = (
            session.connection().exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'pin'").scalar_one()
        )
    store.close()
    assert store.file is not None
    with store.file.open("r+b") as stream:
        stream.seek((root - 1) * 4096)
        stream.write(b"\xff" * 4096)
    again = open_store(store_url, tmp_path, NOW)
    with (
        pytest.raises(StoreError, match=r"leaverwatch\.db: database disk image is malformed"),
        again.write() as session,
    ):
        session.exec(select(Pin.reason)).all()
    again.close()


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.needs_postgres)], indirect=True)
def test_a_lost_server_connection_is_a_store_error_and_the_next_write_works(store: Store) -> None:
    with pytest.raises(StoreError, match="nothing was written"), store.write() as session:  # noqa: PT012
        own = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with store.engine.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({own})")
        session.add(pin())
    with store.write() as session:
        session.add(pin())
    assert pins(store) == 1


# --- append-only, by the database itself


@pytest.mark.parametrize("statement", ["UPDATE auditentry SET reason = 'no'", "DELETE FROM auditentry"])
def test_the_database_refuses_to_change_the_audit(store: Store, statement: str) -> None:
    act(store, 1)
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), store.write() as session:
        session.connection().exec_driver_sql(statement)
    with store.read() as session:
        assert session.exec(select(func.count()).select_from(AuditEntry)).one() == 1


WRITER = """
import sys
from pathlib import Path
from conftest import NOW
from governance import audit
from governance.store import open_store
from governance.tables import Pin
store, number = open_store(sys.argv[1], Path(sys.argv[2]), NOW), int(sys.argv[3])
print("ready", flush=True)
while True:
    number += 1
    with store.write() as session:
        audit.append(session, now=NOW, actor="job", verb="pin", object=str(number), reason="x" * 5_000)
        session.add(Pin(application="crm", account_id=str(number), identity_id="hr:1", at=NOW))
"""


@pytest.mark.soak
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_two_hundred_kills_leave_a_whole_store_and_as_many_records_as_actions(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    chance = random.Random(1)
    for _ in range(200):
        writer = start(WRITER, store_url, tmp_path, pins(store))
        assert writer.stdout is not None
        writer.stdout.readline()
        threading.Event().wait(chance.random() / 5)
        writer.kill()
        writer.communicate()
        with store.read() as session:
            assert session.connection().exec_driver_sql("PRAGMA quick_check").scalar_one() == "ok"
        assert audit.verify(store).entries == pins(store)
    assert pins(store) > 200
