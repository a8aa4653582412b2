"""Objects of a JSON list read column by column: what `Reader` tells of one, told of a whole page at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, Final

from connectors.kit.resource import Reader, Resource, as_flag, as_text, listed

_FLAGS: Final = {bool, type(None)}
_OBJECTS: Final = frozenset((dict,))
_WORDS: Final = frozenset((str, type(None)))
_ODD: Final = object()


class Objects:
    """Some objects of a list, all of one kind. Paths have dots; a key that holds dots itself is found first."""

    def __init__(self, items: Iterable[Any], reader: Reader, within: str = "") -> None:
        """`within` is where they stand, such as `work.`, for what is counted as unread."""
        told = [*items]
        self._items: list[dict[str, Any]] = told if _all_objects(told) else _as_objects(told)
        self._reader = reader
        self._within = within
        self._parts: dict[str, Objects] = {}

    def __len__(self) -> int:
        """How many they are."""
        return len(self._items)

    def values(self, path: str) -> list[Any]:
        """The value of each as it is; None where it is not told."""
        if "." not in path:
            return told_of(self._items, path)
        if path in self._names:
            return [Resource(item, self._reader).get(path) for item in self._items]
        *outer, name = path.split(".")
        objects = self
        for part in outer:
            objects = objects.part(part)
        return objects.values(name)

    def texts(self, path: str) -> list[str | None]:
        """A text of each without blanks around it; a number is written out; anything else is counted as unread."""
        values, odd = self.values(path), self._odd
        return stripped(values) or [
            value.strip() or None if type(value) is str else None if value is None else odd(value, path)
            for value in values
        ]

    def flags(self, path: str) -> list[bool | None]:
        """True or False of each, also from the words; anything else is counted as unread."""
        values = self.values(path)
        if set(map(type, values)) <= _FLAGS:
            return values
        return [
            value if value is True or value is False or value is None else self._flag(value, path) for value in values
        ]

    def instants(self, path: str) -> list[datetime | None]:
        """An instant of each in UTC, one ahead of now as now; what cannot be read is counted as unread."""
        return self._reader.instants(self._within + path, self.values(path))

    def tells(self, path: str) -> list[bool]:
        """Whether each has the key at all, be its value null. The key holds no dots."""
        return [path in item for item in self._items]

    def part(self, name: str) -> Objects:
        """The object that each holds under that name; one that tells nothing where there is none."""
        if name not in self._parts:
            self._parts[name] = Objects(told_of(self._items, name), self._reader, f"{self._within}{name}.")
        return self._parts[name]

    def parts(self, path: str) -> tuple[list[int], Objects]:
        """How many objects each has in a list, and all of them in their order; entries that are none are unread."""
        lists = list(map(listed, self.values(path)))
        flat = list(chain.from_iterable(lists))
        if not _all_objects(flat):
            lists = [[entry for entry in entries if type(entry) is dict] for entries in lists]
            self._reader.unread[self._within + path] += len(flat) - sum(map(len, lists))
            flat = list(chain.from_iterable(lists))
        return list(map(len, lists)), Objects(flat, self._reader)

    def only(self, asked: list[bool]) -> Objects:
        """The same, as many, of which those that are not asked tell nothing, so that nothing of them is counted."""
        if all(asked):
            return self
        if not any(asked):
            return Objects(repeat({}, len(asked)), self._reader, self._within)
        pairs = zip(self._items, asked, strict=True)
        return Objects([item if wanted else None for item, wanted in pairs], self._reader, self._within)

    def one_of(self, path: str, known: Mapping[str, Any]) -> list[Any]:
        """What a closed value of each means, by its folded spelling; one that is not known is counted as unread."""
        words = self.values(path)
        if _WORDS.issuperset(map(type, words)):
            meant = {word: known.get(word, _ODD) for word in set(words) if word is not None}
            if _ODD not in meant.values():  # spelled as they are known, which they nearly always are
                meant[None] = None
                return list(map(meant.__getitem__, words))
        texts = self.texts(path)
        folded = [None if text is None else text.casefold() for text in texts]
        for text, one in zip(texts, folded, strict=True):
            if text is not None and one not in known:
                self._reader.unread[f"{self._within}{path} = {text[:40]}"] += 1
        return [None if one is None else known.get(one) for one in folded]

    @cached_property
    def _names(self) -> set[str]:
        return names_of(self._items)

    def _odd(self, value: Any, path: str) -> str | None:
        text = as_text(value)
        if text is None and not isinstance(value, str):
            self._reader.unread[self._within + path] += 1
        return text

    def _flag(self, value: Any, path: str) -> bool | None:
        flag = as_flag(value)
        if flag is None:
            self._reader.unread[self._within + path] += 1
        return flag


class Columns(Objects):
    """Objects of which some columns were kept, without dots in their names; what was not kept is not told."""

    def __init__(self, height: int, columns: Mapping[str, list[Any]], reader: Reader) -> None:
        super().__init__((), reader)
        self._height, self._columns = height, columns

    def __len__(self) -> int:
        return self._height

    def values(self, path: str) -> list[Any]:
        """The value of each as it is; None where it is not told."""
        return self._columns.get(path) or [None] * self._height

    def tells(self, path: str) -> list[bool]:
        """Whether each has the key at all, be its value null."""
        return [path in self._columns] * self._height

    def only(self, asked: list[bool]) -> Objects:
        """The same, as many, of which those that are not asked tell nothing."""
        kept: list[Any] = [
            dict(zip(self._columns, row, strict=True)) for row in zip(*self._columns.values(), strict=True)
        ]
        return Objects(kept or [None] * self._height, self._reader).only(asked)


def _all_objects(items: list[Any]) -> bool:
    return _OBJECTS.issuperset(map(type, items))


def _as_objects(items: list[Any]) -> list[dict[str, Any]]:
    return [item if type(item) is dict else {} for item in items]


def names_of(items: Iterable[Any]) -> set[str]:
    """Every name that one of these objects has."""
    return set().union(*(item for item in items if type(item) is dict))


def keys_of(items: Iterable[Any], name: str) -> list[str | None]:
    """The id of each object as text; None where there is none."""
    told = [*items]
    return as_texts(told_of(told if _all_objects(told) else _as_objects(told), name))


def as_texts(values: list[Any]) -> list[str | None]:
    """Each as `as_text` has it."""
    return stripped(values) or [
        value.strip() or None if type(value) is str else None if value is None else as_text(value) for value in values
    ]


def as_flags(values: list[Any]) -> list[bool | None]:
    """Each as `as_flag` has it."""
    if set(map(type, values)) <= _FLAGS:
        return values
    return [value if value is True or value is False or value is None else as_flag(value) for value in values]


def told_of(items: list[dict[str, Any]], name: str) -> list[Any]:
    """What each of these objects tells under that name; None where it is not told."""
    try:
        return list(map(itemgetter(name), items))
    except KeyError:  # one of them does not tell it
        return [item.get(name) for item in items]


def stripped(values: list[Any]) -> list[str | None] | None:
    """The texts without blanks around them, in half the time; None where not every value is a text."""
    try:
        texts = list(map(str.strip, values))
    except TypeError:
        return None
    return [text or None for text in texts] if "" in texts else [*texts]
