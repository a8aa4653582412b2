"""The store: transactions, bulk rows and leases, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW
from sqlmodel import func, select

from governance import audit
from governance.errors import StoreError
from governance.store import Store, open_store, put_rows, update_rows, upsert_rows
from governance.tables import AuditEntry, Finding, JobRun, Pin


def pin(number: int = 1, identity: str = "hr:1") -> Pin:
    return Pin(application="crm", account_id=str(number), identity_id=identity, at=NOW)


def pins(store: Store) -> int:
    with store.read() as session:
        return session.exec(select(func.count()).select_from(Pin)).one()


# --- transactions


def test_a_committed_row_is_read_by_others(store: Store, store_url: str, tmp_path: Path) -> None:
    with store.write() as session:
        session.add(pin())
    other = open_store(store_url, tmp_path, NOW)
    with other.read() as session:
        found = session.get(Pin, ("crm", "1"))
    other.close()
    assert found is not None
    assert found.at == NOW


def test_an_error_undoes_the_whole_transaction(store: Store) -> None:
    with pytest.raises(KeyError), store.write() as session:  # noqa: PT012
        session.add(pin())
        session.flush()
        audit.append(session, now=NOW, actor="ana@example.com", verb="pin", object="crm/1")
        raise KeyError("on purpose")
    assert pins(store) == 0
    assert audit.verify(store).entries == 0


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises((StoreError, sa.exc.DBAPIError)), store.read() as session:  # noqa: PT012
        session.add(pin())
        session.flush()
    with store.write() as session:  # and the connection it used can write again
        session.add(pin())
    assert pins(store) == 1


def test_a_reader_sees_one_picture_while_another_writes(store: Store) -> None:
    with store.read() as session:
        before = session.exec(select(func.count()).select_from(Pin)).one()
        with store.write() as writer:
            writer.add(pin())
        after = session.exec(select(func.count()).select_from(Pin)).one()
    assert (before, after, pins(store)) == (0, 0, 1)


def test_a_write_inside_a_write_is_named_at_once(store: Store) -> None:
    with pytest.raises(RuntimeError, match=r"store\.write\(\) inside store\.write\(\)"), store.write(), store.write():
        pass
    with store.write(durable=True) as session:
        session.add(pin())
    assert pins(store) == 1


def test_instants_come_back_in_utc_and_naive_ones_are_refused(store: Store) -> None:
    there = datetime(2026, 3, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=13)))
    with store.write() as session:
        session.add(Pin(application="crm", account_id="1", identity_id="hr:1", at=there))
    with store.read() as session:
        found = session.exec(select(Pin.at)).one()
    assert found == there
    assert found.utcoffset() == timedelta(0)
    with pytest.raises(sa.exc.StatementError, match="naive"), store.write() as session:
        session.add(Pin(application="crm", account_id="2", identity_id="hr:1", at=datetime(2026, 1, 1)))


def test_errors_do_not_carry_peoples_data(store: Store) -> None:
    with store.write() as session:
        session.add(pin(identity="hr:canary-person"))
    with pytest.raises(sa.exc.IntegrityError) as caught, store.write() as session:
        put_rows(session, Pin, [pin(identity="hr:canary-person").model_dump()])
    assert "canary-person" not in str(caught.value)


def test_threads_share_a_store(store: Store) -> None:
    def work(number: int) -> None:
        for step in range(20):
            with store.write() as session:
                session.add(pin(number * 100 + step))
            with store.read() as session:
                assert session.get(Pin, ("crm", str(number * 100 + step)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pins(store) == 160


WORKER = """
import sys, time, json
from pathlib import Path
from sqlmodel import select
from conftest import NOW
from governance import audit
from governance.store import open_store, update_rows
from governance.tables import Pin
url, home, steps = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
store, waits = open_store(url, home, NOW), []
for step in range(steps):
    start = time.perf_counter()
    with store.write() as session:
        waits.append(time.perf_counter() - start)
        found = int(session.exec(select(Pin.identity_id)).one())
        update_rows(session, Pin, "account_id", [{"account_id": "1", "identity_id": str(found + 1)}])
        audit.append(session, now=NOW, actor="job", verb="count", object=str(found + 1))
store.close()
print(json.dumps(sorted(waits)))
"""


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)


def test_eight_processes_read_then_write_and_nothing_is_lost(store: Store, store_url: str, tmp_path: Path) -> None:
    with store.write() as session:
        session.add(pin(identity="0"))
    steps = 400 if store.dialect == "sqlite" else 100
    workers = [start(WORKER, store_url, tmp_path, steps) for _ in range(8)]
    answers = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 8
    with store.read() as session:
        assert session.exec(select(Pin.identity_id)).one() == str(8 * steps)
    found = audit.verify(store)
    assert (found.ok, found.entries) == (True, 8 * steps)
    waits = sorted(wait for answer in answers for wait in json.loads(answer))
    assert waits[int(len(waits) * 0.99)] <= 1.0


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


# --- bulk rows


def findings(count: int) -> list[dict[str, object]]:
    return [
        {"fingerprint": f"{number:016x}", "rule": "ghost", "severity": "critical", "score": 90, "status": "open"}
        | {"first_seen": NOW, "opened_at": NOW, "evidence": {"state": "ended", "days": number}, "application": "crm"}
        for number in range(count)
    ]


def test_rows_are_put_changed_and_put_or_changed_in_bulk(store: Store) -> None:
    rows = findings(12_000)
    with store.write() as session:
        assert put_rows(session, Finding, rows) == 12_000
        assert update_rows(session, Finding, "fingerprint", [{"fingerprint": f"{7:016x}", "status": "resolved"}]) == 1
        assert upsert_rows(session, Finding, [{**rows[8], "score": 10}, {**rows[9], "fingerprint": "new"}]) == 2
        assert put_rows(session, Finding, []) == update_rows(session, Finding, "fingerprint", []) == 0
        assert upsert_rows(session, Finding, []) == 0
    with store.read() as session:
        assert session.exec(select(func.count()).select_from(Finding)).one() == 12_001
        statuses = session.exec(select(Finding.status, func.count()).group_by(Finding.status)).all()
        assert dict(statuses) == {"open": 12_000, "resolved": 1}
        changed = session.get(Finding, f"{8:016x}")
        assert changed is not None
        assert (changed.score, changed.evidence["days"], changed.reopened) == (10, 8, 0)


def test_a_column_only_some_rows_name_takes_its_default_in_the_others(store: Store) -> None:
    run = {"job": "pull", "started_at": NOW}
    with store.write() as session:
        put_rows(session, JobRun, [{**run, "id": "1"}, {**run, "id": "2", "by": "ana", "counts": {"rows": 1}}])
        upsert_rows(session, JobRun, [{**run, "id": "3"}, {**run, "id": "4", "by": "ben"}])
    with store.read() as session:
        found = {one.id: (one.by, one.counts) for one in session.exec(select(JobRun)).all()}
    scheduler = ("scheduler", None)
    assert found == {"1": scheduler, "2": ("ana", {"rows": 1}), "3": scheduler, "4": ("ben", None)}


# --- append-only, by the database itself


@pytest.mark.parametrize("statement", ["UPDATE auditentry SET reason = 'no'", "DELETE FROM auditentry"])
def test_the_database_refuses_to_change_the_audit(store: Store, statement: str) -> None:
    act(store, 1)
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), store.write() as session:
        session.connection().exec_driver_sql(statement)
    with store.read() as session:
        assert session.exec(select(func.count()).select_from(AuditEntry)).one() == 1


# --- leases


HOLDER = """
import sys
from pathlib import Path
from conftest import NOW
from governance.store import open_store
with open_store(sys.argv[1], Path(sys.argv[2]), NOW).lease("worker") as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def soon_free(store: Store) -> bool:
    """Within five seconds: a server or a child needs a moment to notice."""
    for _ in range(100):
        with store.lease("worker") as held:
            if held:
                return True
        threading.Event().wait(0.05)
    return False


def test_one_process_holds_a_lease_and_kill_9_frees_it(store: Store, store_url: str, tmp_path: Path) -> None:
    holder = start(HOLDER, store_url, tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    with store.lease("worker") as held, store.lease("another") as free:
        assert (held, free) == (False, True)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert soon_free(store)


def test_a_lease_is_given_back_and_excludes_threads_too(store: Store) -> None:
    with store.lease("worker") as first, store.lease("worker") as second:
        assert (first, second) == (True, False)
    with pytest.raises(KeyError), store.lease("worker"):
        raise KeyError("on purpose")
    with store.lease("worker") as third:
        assert third


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_forked_child_does_not_keep_its_parents_lease(store: Store) -> None:
    with store.lease("worker"):
        child = os.fork()
        if child == 0:
            threading.Event().wait(30)
            os._exit(0)
    try:
        assert soon_free(store)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


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
