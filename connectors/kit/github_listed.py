"""People of a list of GitHub by their logins, and texts that are told of logins: a million of them fit into memory."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from connectors.kit.columns import Objects
from connectors.kit.numbered import Ids
from connectors.kit.packed import Packed


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
        self._places = array("I")  # by running number: where in the list, from 1 on; zero for nowhere
        self._people = Packed[Person](Person)
        self._changed: dict[int, Person] = {}

    def add(self, people: Iterable[Person]) -> None:
        """Take in a page."""
        last = {person.login: person for person in people}
        fresh = []
        place = len(self._people)
        numbers = self._ids.numbers(last)
        self._places.extend([0] * (len(self._ids) + 1 - len(self._places)))
        for number, person in zip(numbers, last.values(), strict=True):
            if there := self._places[number]:
                self._changed[there] = person
            else:
                fresh.append(person)
                self._places[number] = place = place + 1
        self._people.add(fresh)

    def __contains__(self, login: str) -> bool:
        return self._place(login) > 0

    def __iter__(self) -> Iterator[Person]:
        return chain.from_iterable(self.pages())

    def pages(self) -> Iterator[list[Person]]:
        """The same, some at a time."""
        changed = self._changed
        for begin, people in self._people.pages():
            yield [changed.get(place, person) for place, person in enumerate(people, begin + 1)] if changed else people

    def get(self, login: str) -> Person | None:
        """Somebody by the login; None where it is not in the list."""
        place = self._place(login)
        if not place or place in self._changed:
            return self._changed.get(place)
        return self._people[place - 1]

    def _place(self, login: str) -> int:
        [number] = self._ids.known((login,))
        return self._places[number] if number < len(self._places) else 0


class Texts:
    """A text for each of some ids, such as what somebody is called elsewhere; the last word counts."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._places = array("I")  # by running number: which text, from 1 on; zero for none
        self._texts = bytearray()
        self._ends = array("Q", [0])

    def __bool__(self) -> bool:
        return len(self._ends) > 1

    def tell(self, told: Mapping[str, str]) -> None:
        """The text of each of these."""
        numbers = self._ids.numbers(told)
        self._places.extend([0] * (len(self._ids) + 1 - len(self._places)))
        for number, text in zip(numbers, told.values(), strict=True):
            self._places[number] = len(self._ends)
            self._texts += text.encode("utf-8", "surrogatepass")
            self._ends.append(len(self._texts))

    def of(self, keys: Iterable[str]) -> list[str | None]:
        """The text of each; None where none is told."""
        places, ends, last = self._places, self._ends, len(self._places)
        there = [places[n] if n < last else 0 for n in self._ids.known(keys)]
        cut = [self._texts[ends[place - 1] : ends[place]] if place else None for place in there]
        return [None if one is None else one.decode("utf-8", "surrogatepass") for one in cut]

    def get(self, key: str) -> str | None:
        """The text of one."""
        return self.of((key,))[0]
