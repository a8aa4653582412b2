"""The store."""

from __future__ import annotations

from governance.house import House
from governance.store import Store
from governance.tables import Pin
from conftest import NOW


def test_a_committed_row_is_read(store: Store) -> None:
    with store.write() as session:
        session.add(Pin(application="crm", account_id="1", identity_id="hr:1", at=NOW))
    with store.read() as session:
        pin = session.get(Pin, ("crm", "1"))
        assert pin is not None
        assert pin.at == NOW


def test_house(house: House) -> None:
    assert house.store.dialect == "sqlite"
