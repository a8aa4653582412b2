"""The file evidence is handed over in: a ZIP archive of which every byte follows from its members.

Members are stored, not compressed, with one fixed date and no attributes, so that a changed byte anywhere, in a name, a
header or a member, shows when the archive is written once more and compared.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FIXED: Final = (1980, 1, 1, 0, 0, 0)
CHUNK: Final = 1 << 20


def write(path: Path, members: Mapping[str, Path]) -> None:
    """Write the archive, the members in the order of their names."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in sorted(members):
            _add(archive, name, members[name])


def _add(archive: zipfile.ZipFile, name: str, file: Path) -> None:
    info = zipfile.ZipInfo(name, FIXED)
    info.compress_type = zipfile.ZIP_STORED
    info.create_system = 3
    info.file_size = file.stat().st_size
    with archive.open(info, "w") as into, file.open("rb") as source:
        while portion := source.read(CHUNK):
            into.write(portion)


def first_difference(one: Path, other: Path) -> int | None:
    """Where two files begin to differ, counted from 0; None when they are equal."""
    with one.open("rb") as left, other.open("rb") as right:
        at = 0
        while True:
            a, b = left.read(CHUNK), right.read(CHUNK)
            if a != b:
                same = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
                return at + same
            if not a:
                return None
            at += len(a)
