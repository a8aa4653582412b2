"""Stores for the tests of opening and restoring: whole ones, and files that are none of ours or damaged."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from conftest import NOW
from sqlmodel import select

from governance import audit
from governance.store import Store, open_store
from governance.tables import Pin

ONLY_SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def fill(store: Store, count: int = 3) -> None:
    with store.write() as session:
        for number in range(count):
            session.add(Pin(application="crm", account_id=str(number), identity_id="hr:1", at=NOW))
            audit.append(session, now=NOW, actor="ana", verb="pin", object=f"crm/{number}", facts={"name": "Bo"})


def accounts(store: Store) -> list[str]:
    with store.read() as session:
        return sorted(session.exec(select(Pin.account_id)).all())


# --- what is refused: nothing is written, and the message names the file and the reason
def foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("CREATE TABLE recipe (name TEXT)")


def ours(file: Path) -> None:
    store = open_store(f"sqlite:///{file}", file.parent, NOW)
    fill(store, 200)
    store.close()


def text(file: Path) -> None:
    file.write_text("employee_id,status\n" * 100)


def empty(file: Path) -> None:
    file.touch()


def truncated(file: Path) -> None:
    ours(file)
    os.truncate(file, file.stat().st_size // 2)


def beheaded(file: Path) -> None:
    ours(file)
    with file.open("r+b") as stream:
        stream.seek(100)
        stream.write(b"\x17" * 3_000)


def newer(file: Path) -> None:
    ours(file)
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '0999'")
