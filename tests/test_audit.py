"""The audit: complete, in order, and no change to it stays unseen."""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from conftest import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlmodel import func, select

from governance import audit
from governance.errors import ConfigurationError, StoreError
from governance.store import Store
from governance.store.chain import ENTRIES, entry_hash, instant
from governance.tables import AuditDetail, AuditEntry, Pin

PAYLOADS = [
    "line\r\n2026-11-23T12:00:00Z root audit.erase everything",
    "\x00 NUL, \x1b[31m escape, \u202e override, \u2028 separator",
    "=cmd|' /C calc'!A0",
    '"}, {"seq": 99, "verb": "approve',
    "'); DROP TABLE auditentry; --",
    "\ud800 half a character",
    "Zoë 王小明 🦉",
    "",
]


def record(store: Store, count: int = 1, **more: Any) -> audit.Verified:
    lines = [
        audit.Line(NOW + timedelta(seconds=n), "ana@example.com", "approve", f"remediation/{n}", f"reason {n}", **more)
        for n in range(count)
    ]
    with store.write() as session:
        assert audit.append_many(session, lines) == count
    return audit.verify(store)


def entries(store: Store) -> list[dict[str, Any]]:
    with store.read() as session:
        return [
            dict(row) for row in session.connection().execute(sa.select(ENTRIES).order_by(ENTRIES.c.seq)).mappings()
        ]


# --- recording


def test_an_entry_says_who_what_on_what_why_and_when(store: Store) -> None:
    with store.write() as session:
        first = audit.append(
            session, now=NOW, actor="ana@example.com", verb="approve", object="remediation/1", reason="left"
        )
        second = audit.append(session, now=NOW, actor="ben@example.com", verb="reject", object="remediation/2")
    assert (first.seq, first.previous, second.seq, second.previous) == (1, "", 2, first.hash)
    assert [one["hash"] for one in entries(store)] == [first.hash, second.hash]
    assert entries(store)[0]["at"] == NOW
    found = audit.verify(store)
    assert found == audit.Verified(True, 2, tip=f"2:{second.hash}")
    with store.read() as session:
        assert audit.tip(session) == found.tip


def test_an_empty_audit_holds(store: Store) -> None:
    assert audit.verify(store) == audit.Verified(True, 0)
    with store.read() as session:
        assert audit.tip(session) == ""


@given(
    texts=st.lists(st.text(), min_size=6, max_size=6),
    seq=st.integers(1, 10**12),
    at=st.datetimes(timezones=st.just(UTC)),
)
@settings(max_examples=1_000, deadline=None)
def test_the_hash_is_that_of_canonical_json(texts: list[str], seq: int, at: datetime) -> None:
    actor, verb, of, reason, _, _ = texts
    told = {"seq": seq, "at": instant(at), "actor": actor, "verb": verb, "object": of, "reason": reason}
    told |= {"facts_digest": "ab", "previous": "cd"}
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expected = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
    assert entry_hash(seq, instant(at), actor, verb, of, reason, "ab", "cd") == expected


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_a_hostile_text_is_one_entry_and_nothing_else(store: Store, payload: str) -> None:
    with store.write() as session:
        audit.append(
            session, now=NOW, actor=payload, verb="note", object=payload, reason=payload, facts={payload: payload}
        )
        audit.append(session, now=NOW, actor="ana", verb="note", object="after")
    assert audit.verify(store).ok
    found = entries(store)
    assert [one["seq"] for one in found] == [1, 2]
    kept = payload.replace("\x00", "\\x00").replace("\ud800", "\\ud800")
    assert (found[0]["actor"], found[0]["object"], found[0]["reason"]) == (kept, kept, kept)


def test_a_clock_that_goes_back_keeps_the_order_of_what_happened(store: Store) -> None:
    with store.write() as session:
        for hours in (0, -5, 3):
            audit.append(session, now=NOW + timedelta(hours=hours), actor="ana", verb="note", object=str(hours))
    assert [one["object"] for one in entries(store)] == ["0", "-5", "3"]
    assert audit.verify(store).ok


def test_a_naive_instant_is_not_recorded(store: Store) -> None:
    with pytest.raises(ValueError, match="aware"), store.write() as session:
        audit.append(session, now=datetime(2026, 1, 1), actor="ana", verb="note", object="x")


def test_an_entry_outside_a_write_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match=r"belongs into store\.write"), store.read() as session:
        audit.append(session, now=NOW, actor="ana", verb="note", object="x")


def test_no_record_no_action_wherever_recording_fails(store: Store) -> None:
    """Fails before and after the first, second … statement: never is one kept without the other."""

    def approve(number: int) -> None:
        with store.write() as session:
            audit.append(session, now=NOW, actor="ana", verb="pin", object=str(number), facts={"name": "Bo"})
            session.add(Pin(application="crm", account_id=str(number), identity_id="hr:1", at=NOW))

    def kept() -> tuple[int, int, int]:
        with store.read() as session:
            return tuple(
                session.exec(select(func.count()).select_from(t)).one() for t in (Pin, AuditEntry, AuditDetail)
            )  # type: ignore[return-value]

    left = 0

    def fail(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError("no room")

    for event in ("before_cursor_execute", "after_cursor_execute"):
        for point in range(1, 20):
            left = point
            sa.event.listen(store.engine, event, fail)
            try:
                approve(0)
            except OSError:
                assert kept() == (0, 0, 0)
            else:
                break  # there are fewer points than this
            finally:
                sa.event.remove(store.engine, event, fail)
        assert point > 1
        assert kept() == (1, 1, 1)
        with store.write() as session:
            session.delete(session.get(Pin, ("crm", "0")))
        with store.write() as session:
            connection = session.connection()
            unlock(connection)
            connection.exec_driver_sql("DELETE FROM auditentry")
            connection.exec_driver_sql("DELETE FROM auditdetail")


REFUSE_COMMIT = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON auditentry DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION refuse()
"""


def test_no_record_no_action_when_the_commit_itself_fails(store: Store) -> None:
    with store.write() as session:
        raw: Any = session.connection().connection.dbapi_connection
        if store.dialect == "postgresql":
            raw.execute(REFUSE_COMMIT)
        else:
            allowed = {"BEGIN": sqlite3.SQLITE_OK, "ROLLBACK": sqlite3.SQLITE_OK, None: sqlite3.SQLITE_OK}
            raw.set_authorizer(
                lambda action, name, *_: allowed.get(name if action == 22 else None, sqlite3.SQLITE_DENY)
            )
            session.rollback()
    with pytest.raises(StoreError, match="nothing was written"), store.write() as session:  # noqa: PT012
        audit.append(session, now=NOW, actor="ana", verb="pin", object="x")
        session.add(Pin(application="crm", account_id="1", identity_id="hr:1", at=NOW))
    with store.read() as session:
        assert [session.exec(select(func.count()).select_from(table)).one() for table in (Pin, AuditEntry)] == [0, 0]


# --- proving


def unlock(connection: sa.Connection) -> None:
    """What somebody with the file or a database administrator can do."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS auditentry_update")
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS auditentry_delete")
    else:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS auditentry_refuse ON auditentry")


def replace(store: Store, rows: list[dict[str, Any]]) -> None:
    with store.write() as session:
        connection = session.connection()
        unlock(connection)
        connection.execute(sa.delete(ENTRIES))
        if rows:
            connection.execute(sa.insert(ENTRIES), rows)


def chained(rows: list[dict[str, Any]], start: int) -> list[dict[str, Any]]:
    """The rows from `start` on with numbers and hashes that fit, as a careful forger would leave them."""
    result = rows[:start]
    for row in rows[start:]:
        seq, previous = len(result) + 1, result[-1]["hash"] if result else ""
        told = (row["actor"], row["verb"], row["object"], row["reason"], row["facts_digest"])
        own = entry_hash(seq, instant(row["at"]), *told, previous)  # type: ignore[arg-type]
        result.append({**row, "seq": seq, "previous": previous, "hash": own})
    return result


Rows = list[dict[str, Any]]


def edited(rows: Rows, at: int, chance: random.Random) -> tuple[Rows, int]:
    field = chance.choice(["at", "actor", "verb", "object", "reason", "facts_digest", "previous", "hash"])
    value = NOW - timedelta(days=1) if field == "at" else "0" * 64
    return [*rows[:at], {**rows[at], field: value}, *rows[at + 1 :]], at + 1


def deleted(rows: Rows, at: int, chance: random.Random) -> tuple[Rows, int]:
    return [*rows[:at], *rows[at + 1 :]], at + 1


def inserted(rows: Rows, at: int, chance: random.Random) -> tuple[Rows, int]:
    forged = {**rows[at], "actor": "mallory@example.com", "seq": at + 1}
    return [*rows[:at], forged, *({**row, "seq": row["seq"] + 1} for row in rows[at:])], at + 1


def reordered(rows: Rows, at: int, chance: random.Random) -> tuple[Rows, int]:
    at = min(at, len(rows) - 2)
    first, second = {**rows[at + 1], "seq": at + 1}, {**rows[at], "seq": at + 2}
    return [*rows[:at], first, second, *rows[at + 2 :]], at + 1


def tail_cut(rows: Rows, at: int, chance: random.Random) -> tuple[Rows, int]:
    return rows[:at], at + 1


def all_replaced(rows: Rows, at: int, chance: random.Random) -> tuple[Rows, int]:
    """A chain that fits in itself, forged from `at` on: only the noted tip shows it."""
    return chained([*rows[:at], {**rows[at], "reason": "forged"}, *rows[at + 1 :]], at), len(rows)


MUTATIONS = [edited, deleted, inserted, reordered, tail_cut, all_replaced]


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda one: one.__name__)
def test_every_change_is_found_and_the_first_bad_entry_named(
    store: Store, mutate: Callable[[Rows, int, random.Random], tuple[Rows, int]]
) -> None:
    tip = audit.parse_tip(record(store, 60).tip)
    rows, chance = entries(store), random.Random(7)
    for _ in range(200 if store.dialect == "sqlite" else 20):
        forged, first_bad = mutate(rows, chance.randrange(len(rows)), chance)
        replace(store, forged)
        found = audit.verify(store, tip=tip)
        assert (found.ok, found.first_bad) == (False, first_bad), found
        assert str(first_bad) in found.why
    replace(store, rows)
    assert audit.verify(store, tip=tip).ok


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("change", ["reason = NULL", "reason = x'00ff'", "at = 'yesterday'", "seq = 'three'"])
def test_a_field_that_is_no_text_any_more_is_a_change(store: Store, change: str) -> None:
    record(store, 5)
    with store.write() as session:
        unlock(session.connection())
        session.connection().exec_driver_sql(f"UPDATE auditentry SET {change} WHERE seq = 3")
    found = audit.verify(store)
    assert (found.ok, found.first_bad) == (False, 3)


def test_verifying_goes_on_from_an_entry_already_proved(store: Store) -> None:
    record(store, 10)
    rows = entries(store)
    assert audit.verify(store, since=7) == audit.Verified(True, 3, tip=f"10:{rows[-1]['hash']}")
    assert audit.verify(store, since=10, tip=(10, rows[-1]["hash"])).ok
    assert audit.verify(store, since=10, tip=(10, "0" * 64)).first_bad == 10
    replace(store, [{**rows[0], "reason": "forged"}, *rows[1:]])
    assert audit.verify(store, since=7).ok  # what lies before was proved before
    gone = audit.verify(store, since=11)
    assert (gone.ok, gone.first_bad) == (False, 11)


@pytest.mark.parametrize("text", ["", "7", "x:" + "0" * 64, "7:" + "0" * 63, "-1:" + "0" * 64])
def test_a_tip_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="NUMBER:SHA256"):
        audit.parse_tip(text)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_hundred_thousand_entries_a_second_are_proved(store: Store) -> None:
    record(store, 50_000)
    best = 0.0  # by processor time: other tests run beside this one
    for _ in range(10):  # one of them is undisturbed
        start = time.process_time()
        assert audit.verify(store).entries == 50_000
        best = max(best, 50_000 / (time.process_time() - start))
    assert best >= 100_000
