"""Attributes to entitlements: the table that an application follows at each sign-in, as data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, Protocol

Operator = Literal["equals", "in", "prefix", "contains", "regex"]
Matching = Literal["first", "all"]
# create_only: what the first sign-in gave stays for ever. authoritative: each sign-in gives and takes. explicit: each
# sign-in gives and takes only what some line of the table names.
Updates = Literal["create_only", "authoritative", "explicit"]
CLAIM: Final = "claim."  # before the name of an attribute that only the identity provider knows


class Facts(Protocol):
    """Whatever tells attributes of somebody: an assertion, or a row of the workforce."""

    def values(self, attribute: str) -> tuple[str, ...] | None:
        """The values of an attribute; None when it is not told."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one attribute. `folded`: case and blanks around a value do not count; a regular expression is exact.

    Raises re.error when it is held against something and a regular expression is none.
    """

    attribute: str
    values: tuple[str, ...]
    operator: Operator = "equals"
    folded: bool = True

    def holds(self, facts: Facts) -> bool | None:
        """Whether any of the attribute's values fits; None when the attribute is not told."""
        told = facts.values(self.attribute.removeprefix(CLAIM))
        return None if told is None else self.fits(told)

    def fits(self, told: tuple[str, ...]) -> bool:
        """Whether any of these values fits."""
        if self.operator == "regex":
            return any(re.fullmatch(pattern, value) for pattern in self.values for value in told)
        wanted = [self._plain(value) for value in self.values]
        plain = [self._plain(value) for value in told]
        if self.operator == "prefix":
            return any(value.startswith(start) for value in plain for start in wanted)
        if self.operator == "contains":
            return any(part in value for value in plain for part in wanted)
        return any(value in wanted for value in plain)

    @property
    def exact(self) -> bool:
        """Whether it names the values it fits, one by one."""
        return self.operator in ("equals", "in")

    def named(self) -> frozenset[str]:
        """The values it names, as they are compared."""
        return frozenset(self._plain(value) for value in self.values)

    def excludes(self, other: Condition) -> bool:
        """Whether nobody with one value of the attribute can fit both."""
        alike = self.attribute == other.attribute and self.exact and other.exact and self.folded == other.folded
        return alike and self.named().isdisjoint(other.named())

    def _plain(self, value: str) -> str:
        return value.strip().lower() if self.folded else value


@dataclass(frozen=True, slots=True)
class Line:
    """One line: who fits all conditions holds these entitlements."""

    when: tuple[Condition, ...]
    gives: tuple[str, ...]

    def fits(self, facts: Facts) -> bool | None:
        """Whether all conditions hold; None when one is unknown and none fails."""
        results = [condition.holds(facts) for condition in self.when]
        if False in results:
            return False
        return None if None in results else True

    def excludes(self, other: Line) -> bool:
        """Whether nobody whose attributes have one value each fits both lines."""
        return any(mine.excludes(theirs) for mine in self.when for theirs in other.when)


@dataclass(frozen=True, slots=True)
class Given:
    """What a mapping gives: the entitlements, which lines fired, and what it could not know."""

    entitlements: tuple[str, ...]
    lines: tuple[int, ...]  # counted from 1
    by_default: bool
    unknown: tuple[str, ...]  # attributes that lines asked for and that were not told


@dataclass(frozen=True)
class RoleMap:
    """The whole table of one application."""

    lines: tuple[Line, ...] = ()
    default: tuple[str, ...] = ()  # for whom no line fits
    matching: Matching = "all"
    updates: Updates = "create_only"
    version: str = field(default="1", compare=False)

    @property
    def named(self) -> frozenset[str]:
        """Every entitlement the table could give."""
        return frozenset(self.default).union(*(line.gives for line in self.lines))

    @property
    def attributes(self) -> tuple[str, ...]:
        """Every attribute a line looks at, in the order of the lines."""
        return tuple(dict.fromkeys(c.attribute for line in self.lines for c in line.when))

    def blockers(self, number: int) -> tuple[Line, ...]:
        """The lines before this one (counted from 1) that somebody may fit as well: where the first wins, they do."""
        line = self.lines[number - 1]
        earlier = self.lines[: number - 1] if self.matching == "first" else ()
        return tuple(other for other in earlier if not line.excludes(other))

    def gives(self, facts: Facts) -> Given:
        """What the table gives to whom the facts are about."""
        held: dict[str, None] = {}
        fired: list[int] = []
        unknown: dict[str, None] = {}
        for number in self._candidates(facts):
            line = self.lines[number - 1]
            fits = line.fits(facts)
            if fits is None:
                unknown.update(dict.fromkeys(c.attribute for c in line.when if c.holds(facts) is None))
            if not fits:
                continue
            fired.append(number)
            held.update(dict.fromkeys(line.gives))
            if self.matching == "first":
                break
        if not fired:
            held.update(dict.fromkeys(self.default))
        return Given(tuple(held), tuple(fired), not fired, tuple(unknown))

    @cached_property
    def _index(self) -> tuple[dict[tuple[str, bool], dict[str, list[int]]], list[int]]:
        """For lines that name values of an attribute: attribute -> value -> their numbers; and the other lines."""
        index: dict[tuple[str, bool], dict[str, list[int]]] = {}
        others: list[int] = []
        for number, line in enumerate(self.lines, start=1):
            key = next((c for c in line.when if c.exact), None)
            if key is None:
                others.append(number)
                continue
            values = index.setdefault((key.attribute, key.folded), {})
            for value in key.named():
                values.setdefault(value, []).append(number)
        return index, others

    def _candidates(self, facts: Facts) -> Iterator[int]:
        """The lines that could fit or be unknown, in order: a table of a thousand lines is not read for everybody."""
        index, others = self._index
        found = set(others)
        for (attribute, folded), values in index.items():
            told = facts.values(attribute.removeprefix(CLAIM))
            if told is None:
                found.update(number for numbers in values.values() for number in numbers)
                continue
            for value in told:
                found.update(values.get(value.strip().lower() if folded else value, ()))
        return iter(sorted(found))
