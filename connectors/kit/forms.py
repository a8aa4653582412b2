"""JSON lists of a known form, read without a dictionary for each object: in half the time and a third of the memory.

An answer that is not of the form is left to the parser of all JSON, so that it means what it always meant.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import astuple

from connectors.kit.answers import parsed
from connectors.kit.columns import Objects, as_texts
from connectors.kit.portions import Meanings
from connectors.kit.resource import Reader, as_text

TEXT: Final = str | int | None  # a number is written out
FLAG: Final = bool | None
TEXTS: Final = list[str] | None
_NEVER: Final = Literal["\0"]
_TELLABLE: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]+')  # names as msgspec takes them; others may be configured
FOREIGN: Final = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
# Python refuses a number of more than 4,300 digits: one that long holds all of such a bit of every step.
_STEP: Final = 4_200
_BIT: Final = 64
_PIECE: Final = 64 * 1024


class Form:
    """What the objects of one list tell. `asked`: paths, and whether each is TEXT, a FLAG or TEXTS; or not told.

    `at` is where the list stands in the answer, such as `d.results`; `beside`, what else is read where it stands.
    """

    def __init__(
        self,
        asked: Mapping[str, Any],
        at: str,
        beside: Sequence[str] = (),
        *,
        alike: Collection[str] = (),
        needed: Collection[str] = (),
    ) -> None:
        """`alike`: paths whose texts repeat from object to object; each is kept once.

        `needed`: names that every object has, be the value null.
        """
        self._known = all(map(_TELLABLE.fullmatch, asked))
        asked = asked if self._known else {}
        self._alike = frozenset(alike)
        self._texts: Meanings[str | None] = Meanings(as_text)
        *self._within, self._list = at.split(".")
        self._beside = beside
        self._places: dict[str, int] = {}  # of what a path tells among the fields of the object it belongs to
        self._empty: dict[str, Any] = {}
        self.needed = frozenset(needed)
        self._last: Formed | None = None
        self.kind = self._kind(dict(asked), "")
        self._answer = self._decoder(self.kind)

    def read(self, content: bytes | bytearray) -> Any:
        """The answer as JSON has it, with nothing in it but the list and what stands beside; None: not of the form."""
        try:
            if not self._known or not is_plain(content):
                return None
            holder = self._within_of(self._answer.decode(content))
        except FOREIGN:
            return None
        raws = ((name, bytes(getattr(holder, f"beside{n}"))) for n, name in enumerate(self._beside))
        return self._answered({self._list: holder.list, **{name: parsed(raw) for name, raw in raws if raw}})

    def objects(self, items: list[Any], reader: Reader) -> Objects | Formed:
        """These objects, of the form or not, column by column."""
        if not items or type(items[0]) is not self.kind:
            return Objects(items, reader)
        if self._last is None or self._last.items is not items:  # a page is asked for its ids first, then for all
            self._last = Formed(items, self)
        return self._last

    def values(self, items: list[Any], name: str, reader: Reader) -> list[Any]:
        """The value of each under one name alone, as it is; None where it is not told."""
        if items and type(items[0]) is self.kind:
            return self.told(items, name)
        return Objects(items, reader).values(name)

    def told(self, objects: list[Any], name: str) -> list[Any]:
        """The same of objects that are of the form."""
        return list(map(attrgetter(f"field{self._places[name]}"), objects))

    def keys(self, items: list[Any], name: str, reader: Reader) -> list[str | None]:
        """The id of each as text; None where there is none."""
        return as_texts(self.values(items, name, reader))

    def texts(self, path: str, values: list[Any]) -> list[str | None]:
        """These values of a path as texts, without blanks around them."""
        return list(map(self._texts.__getitem__, values)) if path in self._alike else as_texts(values)

    def place(self, path: str) -> int:
        """Which field of the object it belongs to tells what that path tells."""
        return self._places[path]

    def silent(self) -> Any:
        """An object that tells nothing."""
        return msgspec.convert(dict.fromkeys(self.needed), self.kind)

    def empty(self, path: str) -> Any:
        """The object at that path of one that has none there: it tells nothing."""
        return self._empty[path]

    def _decoder(self, entry: Any) -> msgspec.json.Decoder[Any]:
        """What decodes the answer into a list of such entries, as deep within as it stands."""
        fields: list[Any] = [("list", list[entry], msgspec.field(name=self._list))]
        fields += [(f"beside{n}", msgspec.Raw, _field(name, msgspec.Raw())) for n, name in enumerate(self._beside)]
        holder = msgspec.defstruct("Holder", fields)
        for name in reversed(self._within):
            holder = msgspec.defstruct("Answer", [("within", holder, msgspec.field(name=name))])
        return msgspec.json.Decoder(holder)

    def _within_of(self, answer: Any) -> Any:
        """What holds the list."""
        for _ in self._within:
            answer = answer.within
        return answer

    def _answered(self, told: dict[str, Any]) -> dict[str, Any]:
        """The answer that holds this."""
        for name in reversed(self._within):
            told = {name: told}
        return told

    def _kind(self, asked: dict[str, Any], within: str) -> Any:
        """The type of objects that tell this."""
        inner: dict[str, dict[str, Any]] = {}
        names: dict[str, Any] = {}
        for path, kind in asked.items():
            name, dot, rest = path.partition(".")
            if dot:
                inner.setdefault(name, {})[rest] = kind
                if not within:
                    names[path] = _NEVER  # a name that holds the whole path goes before it
            else:
                names[name] = kind
        for name, told in inner.items():
            part = self._kind(told, f"{within}{name}.")
            self._empty[within + name] = part()
            names[name] = _NEVER if name in names else part | None  # what is asked for as both is of no form where told
        self._places |= {within + name: n for n, name in enumerate(names) if "." not in name}
        fields = [
            (f"field{n}", kind, _field(name, msgspec.NODEFAULT if within + name in self.needed else None))
            for n, (name, kind) in enumerate(names.items())
        ]
        return msgspec.defstruct("Told", fields, gc=False, eq=False, kw_only=True)


class Formed:
    """Some objects of one form, read column by column as `Objects` are."""

    def __init__(self, items: list[Any], form: Form) -> None:
        self._form, self.items = form, items
        self._columns = {"": _columns(items)}  # of the objects at each path

    def __len__(self) -> int:
        """How many they are."""
        return len(self.items)

    def values(self, path: str) -> list[Any]:
        """The value of each as it is; None where it is not told."""
        return list(self._told(path))

    def texts(self, path: str) -> list[str | None]:
        """A text of each without blanks around it."""
        return self._form.texts(path, self.values(path))

    def flags(self, path: str) -> list[bool | None]:
        """True or False of each."""
        return self.values(path)

    def tells(self, name: str) -> list[bool]:
        """Whether each has that name, be its value null. Only of names that every object needs to have."""
        return [name in self._form.needed] * len(self)

    def only(self, asked: list[bool]) -> Formed:
        """The same, as many, of which those that are not asked tell nothing."""
        if all(asked):
            return self
        silent, pairs = self._form.silent(), zip(self.items, asked, strict=True)
        return Formed([item if wanted else silent for item, wanted in pairs], self._form)

    def _told(self, path: str) -> tuple[Any, ...]:
        within, form = path.rpartition(".")[0], self._form
        if within not in self._columns:
            empty = form.empty(within)
            self._columns[within] = _columns([empty if part is None else part for part in self._told(within)])
        return self._columns[within][form.place(path)]


def _columns(objects: list[Any]) -> list[tuple[Any, ...]]:
    """What each field tells of each of them: all at once in a third of the time that one after the other takes."""
    return list(zip(*map(astuple, objects), strict=True))


def _field(name: str, default: Any) -> Any:
    return msgspec.field(default=default, name=name)


def is_plain(content: bytes | bytearray) -> bool:
    """Whether what is passed over unread would be read: a text in UTF-8, without numbers that are refused."""
    if any(content[at : at + _BIT].isdigit() for at in range(0, len(content), _STEP)):
        return False
    if content.isascii():
        return True
    decoder, view = codecs.getincrementaldecoder("utf-8")(), memoryview(content)
    try:
        for at in range(0, len(content), _PIECE):
            decoder.decode(view[at : at + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
