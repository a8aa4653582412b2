"""The store: transactions and bulk rows, on SQLite and on PostgreSQL."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW
from pins import pin, pins, start
from sqlmodel import func, select

from governance import audit
from governance.errors import StoreError
from governance.store import Store, open_store, put_rows, update_rows, upsert_rows
from governance.tables import Finding, JobRun, Pin, Written

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


@pytest.mark.alone
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


def test_a_document_that_is_written_already_is_stored_as_it_is_and_reads_as_what_it_says(store: Store) -> None:
    text = '{"facts":["Zoë “left” on 4 Nov 2026\\n"],"values":{"days":19,"told":null}}'
    first, second, third = findings(3)
    with store.write() as session:
        put_rows(session, Finding, [first | {"evidence": Written(text)}, second])
        update_rows(
            session, Finding, "fingerprint", [{"fingerprint": second["fingerprint"], "evidence": Written(text)}]
        )
        put_rows(session, Finding, [third | {"evidence": text}])  # a text that is no document by itself
    with store.read() as session:
        read = [session.get_one(Finding, row["fingerprint"]).evidence for row in (first, second, third)]
        stored = session.connection().execute(sa.text("SELECT CAST(evidence AS TEXT) FROM finding")).scalars().all()
    assert read == [json.loads(text), json.loads(text), text]
    assert sorted(stored) == sorted([text, text, json.dumps(text)])
