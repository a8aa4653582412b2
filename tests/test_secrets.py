"""Secrets at rest: sealed in the store, under a key that lies outside it."""

from __future__ import annotations

import base64
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW, MakeHouse

from governance import audit, secrets
from governance.access import Actor
from governance.errors import ConfigurationError, NotAllowed
from governance.house import House
from governance.tables import AuditEntry, StoredSecret

ADMIN = Actor("ada@example.com", "Ada", frozenset({"admin"}))
CANARY = "canary-token-Zoë-0123456789"
KEY = base64.b64encode(bytes(range(32))).decode()


def test_a_secret_comes_back_and_a_new_one_takes_its_place(house: House) -> None:
    secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    assert secrets.get(house.store, house.home, "wiki") == CANARY
    secrets.put(house, ADMIN, NOW, "wiki", "another")
    assert secrets.get(house.store, house.home, "wiki") == "another"


def test_postgresql_and_a_given_key_work_alike(make_house: MakeHouse, store_url: str, tmp_path: Path) -> None:
    house = dataclasses.replace(make_house(url=store_url), key=KEY)
    secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    assert secrets.get(house.store, tmp_path, "wiki", key=KEY) == CANARY
    assert not (tmp_path / "key").exists()


def test_no_file_of_the_house_holds_the_secret_and_the_audit_only_its_name(house: House) -> None:
    secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    for path in house.home.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes(), path
    with house.store.read() as session:
        entry = session.get(AuditEntry, 1)
    assert entry is not None
    assert (entry.actor, entry.verb, entry.object, entry.reason) == ("ada@example.com", "secrets.put", "wiki", "")
    assert audit.verify(house.store).ok
    assert KEY not in repr(dataclasses.replace(house, key=KEY))


def test_only_who_configures_may_put_a_secret(house: House) -> None:
    for role in ("security", "manager", "application_owner", "approver", "auditor"):
        with pytest.raises(NotAllowed):
            secrets.put(house, Actor("x@example.com", "X", frozenset({role})), NOW, "wiki", CANARY)
    with pytest.raises(ConfigurationError, match="no secret named 'wiki'"):
        secrets.get(house.store, house.home, "wiki")
    assert not (house.home / "key").exists()


@pytest.mark.parametrize(("name", "value"), [("", CANARY), ("  ", CANARY), ("wiki", "")])
def test_a_secret_needs_a_name_and_a_value(house: House, name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match="a name and a value"):
        secrets.put(house, ADMIN, NOW, name, value)


def test_another_key_opens_nothing(house: House) -> None:
    secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    with pytest.raises(ConfigurationError, match="'wiki' was sealed with another key") as caught:
        secrets.get(house.store, house.home, "wiki", key=KEY)
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "change", ["name = 'erp'", "sealed = x'00112233445566778899aabbccddeeff00'", "nonce = x'000000000000000000000000'"]
)
def test_a_sealed_secret_that_was_moved_or_changed_does_not_open(house: House, change: str) -> None:
    secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    with house.store.write() as session:
        session.connection().exec_driver_sql(f"UPDATE storedsecret SET {change}")
        name = session.connection().scalar(sa.select(StoredSecret.name))
    with pytest.raises(ConfigurationError, match="or was changed"):
        secrets.get(house.store, house.home, str(name))


def test_the_key_file_is_made_once_for_its_owner_only(house: House) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secrets.load_key(house.home, create=True), range(40)))
    assert len(keys) == 1
    assert (house.home / "key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in house.home.glob(".key*")] == []


def test_a_key_others_may_read_is_refused(house: House) -> None:
    secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    (house.home / "key").chmod(0o640)
    with pytest.raises(ConfigurationError, match=r"others may read this key \(mode 640\); run chmod 600"):
        secrets.get(house.store, house.home, "wiki")


def test_a_missing_key_file_is_named(house: House) -> None:
    secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    (house.home / "key").unlink()
    with pytest.raises(ConfigurationError, match=r"/key: the key of the stored secrets can't be read"):
        secrets.get(house.store, house.home, "wiki")


@pytest.mark.parametrize("text", ["", "short", "A" * 44, KEY[:-4], KEY + "AAAA", "ключ" * 11])
def test_a_key_of_another_form_is_refused_without_showing_it(house: House, text: str) -> None:
    (house.home / "key").write_text(text)
    (house.home / "key").chmod(0o600)
    with pytest.raises(ConfigurationError, match="key") as caught:
        secrets.put(house, ADMIN, NOW, "wiki", CANARY)
    assert not text or text not in str(caught.value)
    if text:
        with pytest.raises(ConfigurationError, match=r"LEAVERWATCH_KEY: expected 32 bytes in base64"):
            secrets.load_key(house.home, text)


def test_both_alphabets_of_base64_are_the_same_key(house: House) -> None:
    raw = b"\xfb\xff" * 16
    assert secrets.load_key(house.home, base64.b64encode(raw).decode()) == raw
    assert secrets.load_key(house.home, base64.urlsafe_b64encode(raw).decode()) == raw
