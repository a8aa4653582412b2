"""The body of an answer: in memory, and where one body holds everybody, from a size on in a temporary file."""

from __future__ import annotations

import hashlib
import tempfile
import weakref
from typing import Final

MOST_HELD: Final = 32 * 1024 * 1024


class Stored:
    """A body in a temporary file without a name, read by slices. It is gone when nobody holds it any more."""

    def __init__(self) -> None:
        """OSError where there is no place for one."""
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lasts as long as the body
        weakref.finalize(self, self._file.close)
        self._size = 0
        self._digest = hashlib.sha256()

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        """The bytes of that part, which has no steps."""
        begin, end, _ = part.indices(self._size)
        self._file.seek(begin)
        return self._file.read(max(end - begin, 0))

    @property
    def sha256(self) -> str:
        """The digest of all of it."""
        return self._digest.hexdigest()

    def add(self, piece: bytearray) -> None:
        """The next piece; OSError where there is no room for it, and then nothing of it is there."""
        self._file.seek(self._size)
        with memoryview(piece) as view:
            written = 0
            while written < len(view):
                written += self._file.write(view[written:])
        self._digest.update(piece)
        self._size += len(piece)


class Body:
    """A body that is still coming."""

    def __init__(self, most_held: int | None = None) -> None:
        """With more than `most_held` bytes it goes into a file; None: never."""
        self._most_held = most_held
        self._held = bytearray()
        self._stored: Stored | None = None

    def __len__(self) -> int:
        return len(self._held) + (0 if self._stored is None else len(self._stored))

    def __getitem__(self, part: slice) -> bytes:
        """The bytes of that part, which has no steps, of what has come."""
        begin, end, _ = part.indices(len(self))
        away = 0 if self._stored is None else len(self._stored)
        held = bytes(self._held[max(begin - away, 0) : max(end - away, 0)])
        return held if self._stored is None or begin >= away else self._stored[begin : min(end, away)] + held

    def add(self, piece: bytes) -> None:
        """The next piece."""
        self._held += piece
        if self._most_held is not None and len(self._held) > self._most_held:
            self._put_away()

    def whole(self) -> bytearray | Stored:
        """All of it, once it has ended."""
        if self._stored is not None:
            self._put_away()
        return self._held if self._stored is None else self._stored

    def _put_away(self) -> None:
        """Move what is held into the file; where there is no room for it, memory has to do."""
        try:
            if self._stored is None:
                self._stored = Stored()
            self._stored.add(self._held)
            self._held = bytearray()
        except OSError:
            if self._stored is not None:
                self._held = bytearray(self._stored[:]) + self._held
            self._stored = self._most_held = None
