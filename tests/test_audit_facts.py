"""Personal facts of the audit: they lie apart, can be erased, and a change of them is found."""

from __future__ import annotations

import pytest
from conftest import NOW
from sqlmodel import select
from test_audit import entries, record

from governance import audit
from governance.store import Store
from governance.store.chain import facts_digest
from governance.tables import AuditDetail


def test_personal_facts_lie_apart_salted(store: Store) -> None:
    facts = {"name": "Bo Berg", "ended_at": NOW, "groups": {"b", "a"}, "days": 19}
    with store.write() as session:
        same = [audit.append(session, now=NOW, actor="ana", verb="note", object="x", facts=facts) for _ in range(2)]
    assert same[0].facts_digest != same[1].facts_digest  # equal facts can't be told from the chain
    with store.read() as session:
        detail = session.get(AuditDetail, 1)
    assert detail is not None
    assert detail.facts == {
        "name": "Bo Berg",
        "ended_at": "2026-11-23T12:00:00.000000Z",
        "groups": ["a", "b"],
        "days": 19,
    }
    assert facts_digest(detail.salt, detail.facts) == same[0].facts_digest
    assert "Bo Berg" not in str(entries(store))


def test_erased_facts_leave_a_chain_that_holds(store: Store) -> None:
    record(store, 5, facts={"name": "Bo Berg"})
    with store.write() as session:
        assert audit.erase(session, [2, 3, 99], now=NOW, actor="dpo@example.com", reason="request 7") == 2
    with store.read() as session:
        assert sorted(session.exec(select(AuditDetail.seq)).all()) == [1, 4, 5]
    found = audit.verify(store)
    assert (found.ok, found.entries) == (True, 6)
    assert (entries(store)[-1]["verb"], entries(store)[-1]["reason"]) == ("audit.erase", "request 7")


@pytest.mark.parametrize("change", ['facts = \'{"name": "Other"}\'', "salt = 'other'"])
def test_changed_facts_are_found(store: Store, change: str) -> None:
    record(store, 5, facts={"name": "Bo Berg"})
    with store.write() as session:
        session.connection().exec_driver_sql(f"UPDATE auditdetail SET {change} WHERE seq = 4")
    found = audit.verify(store)
    assert (found.ok, found.first_bad) == (False, 4)
    assert "details of entry 4" in found.why
    assert audit.verify(store, since=4).ok
