"""Rows and actions the tests of the store write, and processes that do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conftest import NOW
from sqlmodel import func, select

from governance.store import Store
from governance.tables import Pin


def pin(number: int = 1, identity: str = "hr:1") -> Pin:
    return Pin(application="crm", account_id=str(number), identity_id=identity, at=NOW)


def pins(store: Store) -> int:
    with store.read() as session:
        return session.exec(select(func.count()).select_from(Pin)).one()


def start(code: str, *arguments: object) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
