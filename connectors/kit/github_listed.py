"""People of a list of GitHub by their logins, and texts that are told of logins: a million of them fit into memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, Final, NamedTuple

from msgspec.structs import astuple, fields

from connectors.kit.columns import Objects
from connectors.kit.filed import Filed
from connectors.kit.numbered import Ids, Marks, Pieces, Values, encoded
from governance.records import Account

PAGE: Final = 500  # people looked up at once
_GUID: Final = b"\xff"  # how no text begins
_ACCOUNT: Final[Any] = tuple[tuple(field.type for field in fields(Account))]  # type: ignore[misc]
_Row = tuple[str | None, str | None, str | None]


class Person(NamedTuple):
    """What a list tells of somebody, as far as it counts here."""

    login: str
    kind: str | None = None  # User or Bot
    email: str | None = None
    name: str | None = None


def persons(told: Objects, logins: Iterable[str | None]) -> list[Person]:
    """The people on a page that have a login."""
    rows = zip(logins, told.texts("type"), told.texts("email"), told.texts("name"), strict=True)
    return [Person(login, *more) for login, *more in rows if login is not None]


class Listed:
    """Everybody in the order of the list; of a login that comes again the last word counts."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._order = array("I")  # running numbers
        self._told = Values(_Row, (), alike=True)  # of each what a person is beside the login

    def add(self, people: Iterable[Person]) -> None:
        """Take in a page."""
        last = {person.login: person[1:] for person in people}
        numbers = self._ids.numbers(last)
        there = self._told.stand(numbers)
        self._order.extend(number for number, stood in zip(numbers, there, strict=True) if not stood)
        self._told.put(numbers, last.values())

    def __contains__(self, login: str) -> bool:
        return self.hold((login,))[0]

    def hold(self, logins: Iterable[str]) -> list[bool]:
        """Whether each of these is in the list."""
        return self._told.stand(self._ids.known(logins))

    def __iter__(self) -> Iterator[Person]:
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[Person]]:
        """The same, some at a time."""
        for begin in range(0, len(self._order), PAGE):
            numbers = self._order[begin : begin + PAGE]
            rows = zip(self._ids.of(numbers), self._told.of(numbers), strict=True)
            yield [Person(login, *told) for login, told in rows]

    def get(self, login: str) -> Person | None:
        """Somebody by the login; None where it is not in the list."""
        [told] = self._told.of(self._ids.known((login,)))
        return Person(login, *told) if told else None


class Accounts:
    """Accounts by their ids in the order of those, packed; of one that comes again the last word counts."""

    def __init__(self, ids: Ids | None = None) -> None:
        """`ids`: those that have numbers already."""
        self.ids = Ids() if ids is None else ids
        self._told: Filed[tuple[Any, ...]] = Filed(_ACCOUNT, (), self.ids)

    def add(self, accounts: Sequence[Account]) -> None:
        """Take in a page."""
        self._told.add([account.account_id for account in accounts], list(map(astuple, accounts)))

    def __contains__(self, account_id: str | None) -> bool:
        return account_id is not None and account_id in self._told

    def __iter__(self) -> Iterator[Account]:
        return (Account(*told) for told in self._told)


class Texts:
    """A text for each of some ids, such as what somebody is called elsewhere; the last word counts.

    One that is a GUID as they are mostly written takes half of the bytes.
    """

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._places = Marks("I")  # which text stands at each number
        self._texts = Pieces()

    def __bool__(self) -> bool:
        return len(self._texts.ends) > 1

    def tell(self, told: Mapping[str, str]) -> None:
        """The text of each of these."""
        self._places.put(self._ids.numbers(told), self._texts.add(list(map(_short, told.values()))))

    def of(self, keys: Iterable[str]) -> list[str | None]:
        """The text of each; None where none is told."""
        texts = self._texts
        there = self._places.of(self._ids.known(keys))
        return [_long(texts[place]) if place else None for place in there]

    def get(self, key: str) -> str | None:
        """The text of one."""
        return self.of((key,))[0]


def _short(text: str) -> bytes:
    if len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-":
        told = text.replace("-", "")
        with suppress(ValueError):  # it is none
            digits = bytes.fromhex(told)
            if len(told) == 32 and digits.hex() == told:
                return _GUID + digits
    return encoded(text)


def _long(kept: bytearray) -> str:
    if not kept.startswith(_GUID):
        return kept.decode("utf-8", "surrogatepass")
    told = kept.hex()
    return f"{told[2:10]}-{told[10:14]}-{told[14:18]}-{told[18:22]}-{told[22:]}"
