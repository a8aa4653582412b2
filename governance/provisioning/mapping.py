"""Attributes to entitlements: the table that an application follows at each sign-in, as data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from governance.provisioning.assertion import Assertion

Operator = Literal["equals", "in", "prefix", "regex"]
# create_only: what the first sign-in gave stays for ever. authoritative: each sign-in gives and takes. explicit: each
# sign-in gives and takes only what some line of the table names.
Updates = Literal["create_only", "authoritative", "explicit"]


@dataclass(frozen=True, slots=True)
class Condition:
    """One test of one attribute. Case and blanks around a value do not count, except in a regular expression."""

    attribute: str
    values: tuple[str, ...]
    operator: Operator = "equals"

    def holds(self, assertion: Assertion) -> bool | None:
        """Whether any of the attribute's values fits; None when the attribute is not told."""
        told = assertion.values(self.attribute)
        if told is None:
            return None
        if self.operator == "regex":
            return any(re.fullmatch(pattern, value) for pattern in self.values for value in told)
        wanted = [_plain(value) for value in self.values]
        if self.operator == "prefix":
            return any(_plain(value).startswith(start) for value in told for start in wanted)
        return any(_plain(value) in wanted for value in told)


@dataclass(frozen=True, slots=True)
class Line:
    """One line: who fits all conditions holds these entitlements."""

    when: tuple[Condition, ...]
    gives: tuple[str, ...]

    def fits(self, assertion: Assertion) -> bool | None:
        """Whether all conditions hold; None when one is unknown and none fails."""
        results = [condition.holds(assertion) for condition in self.when]
        if False in results:
            return False
        return None if None in results else True


@dataclass(frozen=True, slots=True)
class Given:
    """What a mapping gives: the entitlements, which lines fired, and what it could not know."""

    entitlements: tuple[str, ...]
    lines: tuple[int, ...]
    by_default: bool
    unknown: tuple[str, ...]  # attributes that lines asked for and that were not told


@dataclass(frozen=True, slots=True)
class RoleMap:
    """The whole table of one application."""

    lines: tuple[Line, ...] = ()
    default: tuple[str, ...] = ()  # for whom no line fits
    matching: Literal["first", "all"] = "all"
    updates: Updates = "create_only"
    version: str = "1"

    @property
    def named(self) -> frozenset[str]:
        """Every entitlement the table could give."""
        return frozenset(self.default).union(*(line.gives for line in self.lines))

    def gives(self, assertion: Assertion) -> Given:
        """What the table gives to whom the assertion is about."""
        held: dict[str, None] = {}
        fired: list[int] = []
        unknown: dict[str, None] = {}
        for number, line in enumerate(self.lines, start=1):
            fits = line.fits(assertion)
            if fits is None:
                unknown.update(dict.fromkeys(c.attribute for c in line.when if c.holds(assertion) is None))
            if not fits:
                continue
            fired.append(number)
            held.update(dict.fromkeys(line.gives))
            if self.matching == "first":
                break
        if not fired:
            held.update(dict.fromkeys(self.default))
        return Given(tuple(held), tuple(fired), not fired, tuple(unknown))


def _plain(value: str) -> str:
    return value.strip().casefold()
