"""Ids by the million, each with a running number, and what is noted under each number.

A dictionary of a million ids takes 150 MiB, and one of what each holds 230 more; here they take 50, and eight bytes for
each thing noted. While they are few the ids are kept in a dictionary, which is faster.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

FEW: Final = 100_000
_PRINT: Final = 2**28 - 1
_MEANINGS: Final = (None, False, True)


class Ids:
    """Ids in the order they came; the first has the number 0."""

    def __init__(self, few: int = FEW) -> None:
        self._few = few
        self._numbers: dict[str, int] = {}  # while they are few
        self._slots = array("Q")  # when they are many: a part of the hash, and one more than the number; free ones zero
        self._texts = bytearray()
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        """How many they are."""
        return len(self._numbers) or len(self._ends) - 1

    def __iter__(self) -> Iterator[str]:
        if self._numbers:
            yield from self._numbers
            return
        begin = 0
        for end in self._ends[1:]:
            yield self._texts[begin:end].decode("utf-8", "surrogatepass")
            begin = end

    def numbers(self, keys: Iterable[str]) -> list[int]:
        """The number of each; one that is new gets the next."""
        if not self._slots:
            known = self._numbers
            found = [known.setdefault(key, len(known)) for key in keys]
            if len(known) > self._few:
                self._pack()
            return found
        found = []
        for key in keys:
            if 5 * len(self._ends) > 3 * len(self._slots):
                self._fill(2 * len(self._slots), filter(None, self._slots))
            at, number = self._sought(key)
            if number is None:
                number = self._append(key, at)
            found.append(number)
        return found

    def known(self, keys: Iterable[str]) -> list[int | None]:
        """The number of each; None for one that never came."""
        if not self._slots:
            return list(map(self._numbers.get, keys))
        return [self._sought(key)[1] for key in keys]

    def _sought(self, key: str) -> tuple[int, int | None]:
        """The slot of an id, and its number; the free slot it would get where it never came."""
        slots, texts, ends = self._slots, self._texts, self._ends
        own, text, last = hash(key) & _PRINT, key.encode("utf-8", "surrogatepass"), len(slots) - 1
        at = own & last
        while slot := slots[at]:
            if slot >> 32 == own:
                number = (slot & 0xFFFFFFFF) - 1
                begin = ends[number]
                if ends[number + 1] - begin == len(text) and texts.startswith(text, begin):
                    return at, number
            at = (at + 1) & last
        return at, None

    def _append(self, key: str, at: int) -> int:
        number = len(self._ends) - 1
        self._texts += key.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._texts))
        self._slots[at] = (hash(key) & _PRINT) << 32 | number + 1
        return number

    def _pack(self) -> None:
        """From the many on a dictionary would be too large."""
        keys, self._numbers = self._numbers, {}
        self._fill(2 ** (4 * len(keys)).bit_length(), ())
        for key in keys:
            self._append(key, self._sought(key)[0])

    def _fill(self, size: int, taken: Iterable[int]) -> None:
        slots, last = array("Q", (0,)) * size, size - 1
        for slot in taken:
            at = slot >> 32 & last
            while slots[at]:
                at = (at + 1) & last
            slots[at] = slot
        self._slots = slots


class Flags:
    """Whether something is so of each of some ids: True, False or, where it is not told, None."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._told = bytearray()  # by running number the place of the meaning

    def tell(self, told: Mapping[str, bool | None]) -> None:
        """What is so of these; the last word counts."""
        numbers = self._ids.numbers(told)
        self._told.extend(bytes(max(0, max(numbers, default=-1) + 1 - len(self._told))))
        for number, flag in zip(numbers, told.values(), strict=True):
            self._told[number] = _MEANINGS.index(flag)

    def of(self, keys: Iterable[str]) -> list[bool | None]:
        """What was told of each."""
        told, last = self._told, len(self._told)
        known = self._ids.known(keys)
        return [_MEANINGS[told[n]] if n is not None and n < last else None for n in known]


class Noted:
    """Small whole numbers, as many as there are under each running number."""

    def __init__(self) -> None:
        self._last = array("I")  # by running number: where the last one stands; zero for none
        self._before = array("I", [0])  # by place: where the one before it stands
        self._what = array("I", [0])

    def __len__(self) -> int:
        """How many there are of all."""
        return len(self._what) - 1

    def note(self, numbers: Sequence[int], what: Iterable[int]) -> None:
        """One more under each of these numbers."""
        last, before, place = self._last, self._before, len(self._before)
        if numbers and (lacking := max(numbers) + 1 - len(last)) > 0:
            last.frombytes(bytes(last.itemsize * lacking))
        for number in numbers:
            before.append(last[number])
            last[number] = place
            place += 1
        self._what.extend(what)

    def places(self, number: int | None) -> list[int]:
        """Where what stands under that number was noted, in the order it came; each place is one more than a count."""
        if number is None or number >= len(self._last):
            return []
        place, found = self._last[number], []
        while place:
            found.append(place)
            place = self._before[place]
        return found[::-1]

    def at(self, places: Iterable[int]) -> tuple[int, ...]:
        """What stands at these places."""
        return tuple(map(self._what.__getitem__, places))

    def under(self, numbers: Iterable[int | None]) -> list[tuple[int, ...]]:
        """What stands under each of these numbers, in the order it came."""
        last, before, what, count = self._last, self._before, self._what, len(self._last)
        found: list[tuple[int, ...]] = []
        for number in numbers:
            place = 0 if number is None or number >= count else last[number]
            if place and not before[place]:  # nearly always
                found.append((what[place],))
            else:
                found.append(self.at(self.places(number)) if place else ())
        return found
