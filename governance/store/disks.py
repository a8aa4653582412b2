"""The disk under a file: which one it is and how much room it has left."""

from __future__ import annotations

import os
from pathlib import Path


def free(place: Path) -> int:
    """How many bytes may still be written there."""
    found = os.statvfs(_existing(place))
    return found.f_bavail * found.f_frsize


def described(place: Path) -> str:
    """The disk of this file in words: where it is mounted and what room is left; empty when it can't be asked."""
    try:
        mount = _existing(place).resolve()
        while not mount.is_mount():
            mount = mount.parent
        return f"disk {mount}: {amount(free(place))} free"
    except OSError:
        return ""


def amount(size: int) -> str:
    """Bytes as a person reads them."""
    return (
        f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"
    )


def _existing(place: Path) -> Path:
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
