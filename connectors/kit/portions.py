"""Rows of a table by the thousand, column by column: what they mean, and which of them cannot be believed."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import compress, islice
from typing import Any, Final, NamedTuple, TypeVar

from governance.records import Record, Rows

Meaning = TypeVar("Meaning")
PORTION: Final = 1_000  # rows that are read at once; a file that is all wrong is given up after the first
TOLD: Final = 10_000  # records that are told at once
MOST_MEANINGS: Final = 50_000


class Portion(NamedTuple):
    """Rows in their order: where each stands in its file or list, and what they tell by our columns.

    A column that the file or list does not have is not in `told`. Cells of a file are texts without surrounding space.
    """

    lines: Sequence[int]
    told: Mapping[str, Sequence[Any]]


class Meanings(dict[Hashable, Meaning]):
    """What each value of a column means, looked at once: they repeat from row to row. Raises what `read` raises.

    Where several columns together mean something, what stands in them is one value: a tuple.
    """

    def __init__(self, read: Callable[[Any], Meaning]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, value: Any) -> Meaning:
        """Read one that is new."""
        if len(self) > MOST_MEANINGS:
            self.clear()
        meaning = self[value] = self._read(value)
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

    def read(self, into: str, read: Callable[..., Any], *given: str, blamed: str = "") -> None:
        """Keep as a column what `read` makes of these in each row; it may be asked twice, so it must not count.

        A row of which a ValueError says that it cannot be read is refused for what is `blamed`, else for the last of
        `given`, and taken out.
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
                    self.refused.append((self.lines[place], blamed or given[-1], str(error)))
                    good[place] = False
            self.lines = list(compress(self.lines, good))
            self.columns = {name: list(compress(told, good)) for name, told in self.columns.items()} | {into: values}


def gathered(portions: Iterable[Rows]) -> Iterator[Rows]:
    """The same records some TOLD at a time: what a page holds is little, and every portion costs something later on."""
    waiting: dict[type[Record], dict[str, list[Any]]] = {}
    for rows in portions:
        told = waiting.setdefault(rows.kind, {name: [] for name in rows.columns})
        for name, values in rows.columns.items():
            told[name] += values
        if len(next(iter(told.values()))) >= TOLD:
            yield Rows(rows.kind, dict(waiting.pop(rows.kind)))
    for kind, told in waiting.items():
        if any(told.values()):
            yield Rows(kind, dict(told))


def portioned(ids: Iterable[str]) -> Iterator[list[str]]:
    """The same ids, TOLD at a time."""
    each = iter(ids)
    while some := list(islice(each, TOLD)):
        yield some
