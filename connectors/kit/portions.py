"""Rows of a table by the thousand, column by column: what they mean, and which of them cannot be believed."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import compress
from typing import Any, Final, NamedTuple, TypeVar

Meaning = TypeVar("Meaning")
PORTION: Final = 1_000  # rows that are read at once; a file that is all wrong is given up after the first
TOLD: Final = 10_000  # records that are told at once
MOST_MEANINGS: Final = 50_000


class Portion(NamedTuple):
    """Rows in their order: the line each begins on, and their cells without surrounding space by our columns.

    A column that the file does not have is not in `told`.
    """

    lines: Sequence[int]
    told: dict[str, list[str]]


class Meanings(dict[str, Meaning]):
    """What each text of a column means, looked at once: values repeat from row to row. Raises what `read` raises."""

    def __init__(self, read: Callable[[str], Meaning]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Meaning:
        """Read one that is new."""
        if len(self) > MOST_MEANINGS:
            self.clear()
        meaning = self[text] = self._read(text)
        return meaning


class Standing:
    """The rows of a portion that nothing has been found against so far; `refused` says of the others what and where."""

    def __init__(self, portion: Portion) -> None:
        self.lines = portion.lines
        self.columns: dict[str, Sequence[Any]] = dict(portion.told)
        self.refused: list[tuple[int, str, str]] = []  # line, column, reason

    def __len__(self) -> int:
        """How many they are."""
        return len(self.lines)

    def read(self, into: str, read: Callable[..., Any], *given: str) -> None:
        """Keep as a column what `read` makes of these in each row; it may be asked twice, so it must not count.

        A row of which a ValueError says that it cannot be read is refused for the last of `given`, and taken out.
        """
        cells = [self.columns[name] for name in given]
        try:
            self.columns[into] = list(map(read, *cells))
        except ValueError:
            values, good = [], [True] * len(self)
            for place, row in enumerate(zip(*cells, strict=True)):
                try:
                    values.append(read(*row))
                except ValueError as error:
                    self.refused.append((self.lines[place], given[-1], str(error)))
                    good[place] = False
            self.lines = list(compress(self.lines, good))
            self.columns = {name: list(compress(told, good)) for name, told in self.columns.items()} | {into: values}


class Lasting:
    """What all portions of a table told, column by column. Every portion tells the same columns."""

    def __init__(self) -> None:
        self.lines = array("q")
        self.columns: dict[str, list[Any]] = {}

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    def add(self, lines: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        """Take in one portion."""
        self.lines.extend(lines)
        for name, values in columns.items():
            self.columns.setdefault(name, []).extend(values)

    def repeated(self, key: str) -> dict[Any, list[int]]:
        """The places of each value of that column which stands in several rows, in the order of the first."""
        values = self.columns.get(key, [])
        if len(set(values)) == len(values):
            return {}
        several = {value for value, count in Counter(values).items() if count > 1}
        places: dict[Any, list[int]] = {}
        for place, value in enumerate(values):
            if value in several:
                places.setdefault(value, []).append(place)
        return places

    def drop(self, places: set[int]) -> None:
        """Take these rows out."""
        if not places:
            return
        good = [place not in places for place in range(len(self))]
        self.lines = array("q", compress(self.lines, good))
        self.columns = {name: list(compress(values, good)) for name, values in self.columns.items()}

    def slices(self, size: int) -> Iterator[tuple[int, dict[str, list[Any]]]]:
        """The columns a slice at a time, each with how many rows it holds."""
        for begin in range(0, len(self), size):
            end = min(begin + size, len(self))
            yield end - begin, {name: values[begin:end] for name, values in self.columns.items()}
