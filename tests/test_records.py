"""Records are facts: quickly made, then unchangeable, and themselves after every way of copying them."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime

import pytest
from msgspec.structs import fields, replace

from governance.records import Account, Entitlement, Event, Grant, Identity

NOW = datetime(2026, 11, 23, 8, 12, tzinfo=UTC)
ONE_OF_EACH = (
    Identity("hr", "1", aliases=("a@nwl.example",), ended_at=NOW),
    Account("slack", "U1", email="ada@nwl.example", active=False),
    Entitlement("slack", "S1", name="Admins", privileged=True),
    Grant("slack", "U1", "S1", how="group"),
    Event("slack", "e1", NOW, "sign_in", success=True),
)


@pytest.mark.parametrize("record", ONE_OF_EACH, ids=lambda record: type(record).__name__)
class TestARecord:
    def test_is_of_its_own_kind_and_holds_no_more_than_its_fields(self, record):
        assert type(record).__module__ == "governance.records"
        assert not hasattr(record, "__dict__")

    def test_cannot_be_changed(self, record):
        for field in fields(record):
            with pytest.raises(AttributeError, match="immutable type"):
                setattr(record, field.name, "changed")
            with pytest.raises(AttributeError, match="immutable type"):
                delattr(record, field.name)

    def test_is_the_same_by_whatever_way_it_is_copied(self, record):
        others = (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record)), replace(record))
        for other in (*others, type(record)(**{f.name: getattr(record, f.name) for f in fields(record)})):
            assert other == record
            assert hash(other) == hash(record)
            assert type(other) is type(record)
            with pytest.raises(AttributeError, match="immutable type"):
                setattr(other, fields(record)[0].name, "another")


def test_a_record_needs_what_it_cannot_be_without():
    with pytest.raises(TypeError, match="employee_id"):
        Identity("hr")
    with pytest.raises(TypeError, match="shoe_size"):
        Identity("hr", "1", shoe_size=42)
    assert Account("slack", "U1") == Account(application="slack", account_id="U1", last_seen_known=False)
    assert Grant("slack", "U1", "S1").how == "unknown"
