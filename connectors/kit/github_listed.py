"""People of a list of GitHub by their logins, and texts that are told of logins: a million of them fit into memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

from msgspec.structs import astuple, fields

from connectors.kit.columns import Objects
from connectors.kit.filed import Filed
from connectors.kit.numbered import Ids, Values, encoded
from governance.records import Account

PAGE: Final = 500  # people looked up at once
_GUID: Final = b"\xff"  # begins a GUID, as no text does
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


class Guids(Ids):
    """Ids most of which are GUIDs as they are mostly written: these take half of the bytes."""

    def _met(self, ids: Sequence[str]) -> list[int]:
        return self._found(ids, self._coded)

    def _coded(self, one: str) -> bytes:
        if len(one) == 36 and one[8] == one[13] == one[18] == one[23] == "-":
            told = one.replace("-", "")
            try:
                digits = bytes.fromhex(told)
            except ValueError:  # it is none
                return encoded(one)
            if len(told) == 32 and digits.hex() == told:
                return _GUID + digits
        return encoded(one)

    def _decoded(self, kept: bytearray) -> str:
        if not kept.startswith(_GUID):
            return super()._decoded(kept)
        told = kept.hex()
        return f"{told[2:10]}-{told[10:14]}-{told[14:18]}-{told[18:22]}-{told[22:]}"


class Accounts:
    """Accounts by their ids in the order of those, packed; of one that comes again the last word counts."""

    def __init__(self, ids: Ids | None = None) -> None:
        """`ids`: those that have numbers already."""
        self.ids = Guids() if ids is None else ids
        self._told: Filed[tuple[Any, ...]] = Filed(_ACCOUNT, (), self.ids)

    def add(self, accounts: Sequence[Account]) -> None:
        """Take in a page."""
        self._told.add([account.account_id for account in accounts], list(map(astuple, accounts)))

    def hold(self, account_ids: Sequence[str | None]) -> list[bool]:
        """Whether each of these is among them; None is not."""
        there = self._told.stand([one or "" for one in account_ids])
        return [stands and one is not None for one, stands in zip(account_ids, there, strict=True)]

    def __contains__(self, account_id: str | None) -> bool:
        return self.hold((account_id,))[0]

    def __iter__(self) -> Iterator[Account]:
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[Account]]:
        """The same, some at a time."""
        return ([Account(*told) for told in page] for page in self._told.pages())


class Texts(Filed[str | None]):
    """A text for each of some ids, such as what somebody is called elsewhere; the last word counts."""

    def __init__(self, ids: Ids) -> None:
        super().__init__(str, None, ids)

    def tell(self, told: Mapping[str, str]) -> None:
        """The text of each of these."""
        self.add(list(told), list(told.values()))

    def get(self, key: str) -> str | None:
        """The text of one; None where none is told."""
        return self.of((key,))[0]
