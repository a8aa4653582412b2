"""The body of an answer: the same in memory and in a file, and without a file where there is no room for one."""

from __future__ import annotations

import hashlib
import io
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit.bodies import Body, Stored

PIECES = [bytes([number % 256]) * (1 + number % 700) for number in range(400)]
WHOLE = b"".join(PIECES)


def body(most_held):
    made = Body(most_held)
    for number, piece in enumerate(PIECES, start=1):
        made.add(piece)
        assert len(made) == len(b"".join(PIECES[:number]))
    return made.whole()


class Disk(io.BytesIO):
    """A file on a disk that takes so many bytes, some at a time, and then no more."""

    def __init__(self, room):
        super().__init__()
        self.room = room

    def write(self, data):
        if not self.room:
            raise OSError(28, "No space left on device")
        taken = bytes(data[: min(self.room, 5_000)])
        self.room -= len(taken)
        return super().write(taken)


@pytest.mark.parametrize("most_held", [None, len(WHOLE)])
def test_what_is_not_large_stays_in_memory(most_held):
    assert body(most_held) == WHOLE


@pytest.mark.parametrize("most_held", [0, 1, 999, 50_000, len(WHOLE) - 1])
def test_what_is_large_lies_in_a_file_and_is_read_by_slices(most_held):
    stored = body(most_held)
    assert isinstance(stored, Stored)
    assert stored[:] == WHOLE
    assert len(stored) == len(WHOLE)
    assert stored.sha256 == hashlib.sha256(WHOLE).hexdigest()
    for part in (slice(5), slice(70, 900), slice(-3, None), slice(len(WHOLE) - 2, len(WHOLE) + 9), slice(9, 3)):
        assert stored[part] == WHOLE[part]


@pytest.mark.parametrize("room", [0, 1, 4_999, 30_000, 79_999])
def test_where_there_is_no_room_memory_has_to_do(monkeypatch, room):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Disk(room))
    assert body(20_000) == WHOLE


def test_where_there_is_no_place_for_a_file_memory_has_to_do(monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert body(20_000) == WHOLE


@settings(deadline=None)
@given(st.lists(st.binary(max_size=9), max_size=8), st.integers(0, 12), st.integers(0, 40), st.integers(0, 40))
def test_any_part_can_be_read_while_more_is_coming(pieces: list[bytes], most_held: int, begin: int, end: int) -> None:
    body, plain = Body(most_held), b""
    for piece in pieces:
        body.add(piece)
        plain += piece
        assert body[begin:end] == plain[begin:end]
        assert body[:] == plain
