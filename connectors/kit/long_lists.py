"""A JSON list that holds everybody in one answer, read some of it at a time: never does all of it stand as objects.

Where it is cut is no guess: it is cut only where what stands before is JSON once the list ends there.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise, repeat
from typing import Any, Final

import msgspec

from connectors.kit.answers import parsed
from connectors.kit.bodies import Stored
from connectors.kit.forms import FOREIGN, Form, is_plain
from connectors.kit.portions import PORTION
from governance.errors import UnexpectedAnswer

WINDOW: Final = 256 * 1024  # bytes that are looked at together: some 1,000 people
TRIES: Final = 24  # an entry may hold others that look like it
_HEAD: Final = 64 * 1024  # where the list must have begun
_MARK: Final = b'"\\u0000 begin"'  # an entry of our own, to see that what was cut is the list
_SPACE: Final = b" \t\r\n"
_MOST_SPACE: Final = 256
_ENTRY: Final = re.compile(rb'[ \t\r\n]*(\{[ \t\r\n]*"[^"\\]*")')
# The end of a name that holds a dot, or an escape that may stand for one; each sign is looked at once.
_DOTTED: Final = re.compile(rb'[.\\]"?[^".\\]*"\s*:')
_entries = msgspec.json.Decoder(list[msgspec.Raw]).decode


class LongList:
    """The entries of such a list, portion by portion."""

    def __init__(self, content: bytes | bytearray | Stored, cuts: Sequence[int], last: bytes, length: int) -> None:
        """`cuts`: the places of the commas between portions, at first that of the bracket; `last`: the last portion."""
        self._content, self._cuts, self._last, self._length = content, cuts, last, length

    def __len__(self) -> int:
        """How many they are."""
        return self._length

    def portions(self) -> Iterator[bytes]:
        """Each portion as a list in JSON."""
        for begin, end in pairwise(self._cuts):
            yield _listed(self._content[begin + 1 : end])
        yield _listed(self._last)


class LongForm(Form):
    """What the objects of such a list tell; see `Form`."""

    def __init__(
        self, asked: Mapping[str, Any], at: str, *, alike: Collection[str] = (), dots_lead: bool = False
    ) -> None:
        """`dots_lead`: whether a name that holds dots stands for a path; no object with one has the form then."""
        super().__init__(asked, at, alike=alike)
        self._portion = msgspec.json.Decoder(list[self.kind])  # type: ignore[name-defined]
        self._dots_lead = dots_lead

    def read(self, content: Any) -> Any:
        """The answer as JSON has it, with nothing in it but a LongList; None: not of the form."""
        try:
            found = self._cut(content) if self._known else None
        except FOREIGN:
            return None
        return found and self._answered({self._list: found})

    def portions(self, entries: LongList | list[Any]) -> Iterator[list[Any]]:
        """Some of them after the other, of the form or not. A list gives back what was read."""
        if isinstance(entries, LongList):
            yield from map(self._objects_of, entries.portions())
            return
        for begin in range(0, len(entries), PORTION):
            portion = entries[begin : begin + PORTION]
            entries[begin : begin + PORTION] = repeat(None, len(portion))
            yield portion

    def _objects_of(self, content: bytes) -> list[Any]:
        try:
            if not (self._dots_lead and _DOTTED.search(content)):
                return self._portion.decode(content)
        except FOREIGN:
            pass
        return _read(content)

    def _cut(self, content: bytes | bytearray | Stored) -> LongList | None:
        head = bytes(content[:_HEAD])
        begins = self._begins.search(head)
        entry = _ENTRY.match(head, begins.end()) if begins else None
        if begins is None or entry is None:
            return None
        cuts, length = [begins.end() - 1], 0
        while (found := _next_cut(content, cuts[-1] + 1, entry[1])) is not None:
            cuts.append(found[0])
            length += found[1]
        rest = b"".join((head[: begins.end()], _MARK, b",", content[cuts[-1] + 1 :]))
        if rest.count(_MARK) > 1 or not is_plain(rest):
            return None
        mark, *last = self._within_of(self._raw.decode(rest)).list
        if bytes(mark) != _MARK:
            return None
        return LongList(content, cuts, b",".join(last), length + len(last))

    @cached_property
    def _raw(self) -> msgspec.json.Decoder[Any]:
        return self._decoder(msgspec.Raw)

    @cached_property
    def _begins(self) -> re.Pattern[bytes]:
        return re.compile(rb'(?<!\\)"' + re.escape(self._list.encode()) + rb'"[ \t\r\n]*:[ \t\r\n]*\[')


def plainly(entries: LongList | list[Any]) -> Iterable[list[Any]]:
    """The entries as JSON has them, portion by portion."""
    return map(_read, entries.portions()) if isinstance(entries, LongList) else [entries]


def _read(content: bytes) -> list[Any]:
    try:
        entries: list[Any] = parsed(content)
    except (ValueError, RecursionError) as error:  # all of it was looked at, but may be nested nearly too deeply
        raise UnexpectedAnswer(f"a list cannot be read ({type(error).__name__})") from None
    return entries


def _next_cut(content: bytes | bytearray | Stored, begin: int, entry: bytes) -> tuple[int, int] | None:
    """Where the portion that begins there ends, and how many it holds; None where the rest is one portion."""
    size = WINDOW
    while begin + size < len(content):
        window = bytes(content[begin : begin + size])
        end = size
        for _ in range(TRIES):
            end = _comma(window, entry, end)
            if end < 0:
                break
            try:
                length = len(_entries(_listed(window[:end])))
            except FOREIGN:  # within an entry
                continue
            if not is_plain(window[:end]):
                raise msgspec.DecodeError("holds what is refused")
            return begin + end, length
        size *= 2
    return None


def _comma(window: bytes, entry: bytes, end: int) -> int:
    """The last comma before `end` that something follows which begins as an entry; -1 where there is none."""
    at = window.rfind(entry, 0, end)
    while at > 0:
        space = window[max(at - _MOST_SPACE, 0) : at]
        before = space.rstrip(_SPACE)
        if before.endswith(b","):
            return at - len(space) + len(before) - 1
        at = window.rfind(entry, 0, at)
    return -1


def _listed(entries: bytes | bytearray) -> bytes:
    return b"".join((b"[", entries, b"]"))
