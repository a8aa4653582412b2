"""Backups."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from governance.store.transactions import Store


def backup(store: Store, folder: Path, now: datetime) -> Path:
    raise NotImplementedError


def restore(file: Path, url: str, home: Path, now: datetime) -> None:
    raise NotImplementedError
