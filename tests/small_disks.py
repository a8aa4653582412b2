"""A disk of its own for a test: a small tmpfs, really full when it is full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

MIB = 2**20


@contextmanager
def small_disk(place: Path, size: int = 20 * MIB) -> Iterator[Path]:
    """A file system of `size` bytes mounted at `place`; the test is skipped where mounting is not permitted."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip() or done.returncode}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(place: Path, leave: int = 0) -> Path:
    """Take all room of the disk but `leave` bytes, by one file; removing it makes room again."""
    ballast = place / "ballast"
    with ballast.open("ab") as stream:
        while (wanted := _free(place) - leave) > 0:
            with suppress(OSError):  # somebody took room in between: all or nothing is given
                os.posix_fallocate(stream.fileno(), ballast.stat().st_size, wanted)
    return ballast


def _free(place: Path) -> int:
    room = os.statvfs(place)
    return room.f_bavail * room.f_frsize
