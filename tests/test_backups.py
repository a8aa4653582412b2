"""Backing up and restoring a store."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import NOW
from sqlmodel import select
from store_files import ONLY_SQLITE, accounts, beheaded, empty, fill, foreign, newer, text, truncated

from governance import audit
from governance.errors import StoreError
from governance.store import Store, backup, open_store, restore
from governance.tables import Pin

# --- backup and restore


def test_a_restored_backup_brings_everything_back_and_keeps_what_was_there(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    fill(store)
    tip = audit.verify(store).tip
    copy = backup(store, tmp_path / "safe", NOW)
    assert copy.name == "leaverwatch-20261123T120000Z.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    with store.write() as session:
        for found in session.exec(select(Pin)).all():
            session.delete(found)
    kept = restore(copy, store_url, tmp_path, NOW)
    assert accounts(store) == ["0", "1", "2"]  # seen by a process that had it open all the time
    found = audit.verify(store, tip=audit.parse_tip(tip))
    assert (found.ok, found.entries) == (True, 4)  # the three, and that it was restored
    assert kept is not None
    before = open_store(f"sqlite:///{kept}", tmp_path, NOW)
    assert accounts(before) == []
    before.close()


def test_two_backups_in_one_second_are_two_files(store: Store, tmp_path: Path) -> None:
    assert backup(store, tmp_path / "safe", NOW) != backup(store, tmp_path / "safe", NOW)
    assert len(list((tmp_path / "safe").iterdir())) == 2


@ONLY_SQLITE
@pytest.mark.parametrize("damage", [truncated, beheaded, text, empty], ids=lambda make: make.__name__)
def test_a_damaged_store_is_moved_aside_by_a_restore(
    store: Store, store_url: str, tmp_path: Path, damage: object
) -> None:
    fill(store)
    copy = backup(store, tmp_path / "safe", NOW)
    store.close()
    assert store.file is not None
    store.file.unlink()
    damage(store.file)  # type: ignore[operator]
    wreck = store.file.read_bytes()
    kept = restore(copy, store_url, tmp_path, NOW)
    assert kept is not None
    assert kept.read_bytes() == wreck
    again = open_store(store_url, tmp_path, NOW)
    assert accounts(again) == ["0", "1", "2"]
    again.close()


@pytest.mark.parametrize("damage", [truncated, beheaded, text, empty, foreign, newer], ids=lambda make: make.__name__)
def test_a_bad_backup_changes_nothing(store: Store, store_url: str, tmp_path: Path, damage: object) -> None:
    fill(store)
    bad = tmp_path / "elsewhere" / "bad.db"
    bad.parent.mkdir()
    damage(bad)  # type: ignore[operator]
    with pytest.raises(StoreError, match=r"bad\.db"):
        restore(bad, store_url, tmp_path, NOW)
    assert accounts(store) == ["0", "1", "2"]
    assert not (tmp_path / "backups").exists()


@pytest.mark.needs_postgres
def test_a_store_moves_from_one_engine_to_the_other(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    small = open_store("sqlite:///small.db", tmp_path, NOW)
    fill(small)
    server = request.getfixturevalue("postgres")
    url = server.url(server.fresh())
    restore(backup(small, tmp_path / "safe", NOW), url, tmp_path, NOW)
    large = open_store(url, tmp_path, NOW)
    assert accounts(large) == accounts(small)
    assert audit.verify(large).ok
    small.close()
    large.close()


def test_a_restore_without_a_store_creates_one(tmp_path: Path) -> None:
    first = open_store("sqlite:///first.db", tmp_path, NOW)
    fill(first)
    copy = backup(first, tmp_path, NOW)
    first.close()
    assert restore(copy, "sqlite:///second.db", tmp_path, NOW) is None
    second = open_store("sqlite:///second.db", tmp_path, NOW)
    assert accounts(second) == ["0", "1", "2"]
    second.close()
