"""A role mapping run over a whole workforce: who gets what, by which line, and what no line covers.

People are judged by their attributes alone, so everybody with the same ones is judged once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Final, Literal

import polars as pl

from governance.mappings.positions import positions
from governance.mappings.workforce import COLUMNS, Position, Workforce
from governance.provisioning.mapping import CLAIM, RoleMap

SEPARATORS: Final = (";", "|", ",", "/")
Trap = Literal["blanks", "case", "several values", "similar"]
OUTCOME: Final[dict[str, pl.DataType]] = {
    "gives": pl.List(pl.String),
    "lines": pl.List(pl.Int64),
    "fit": pl.List(pl.Int64),
    "by_default": pl.Boolean(),
    "unknown": pl.List(pl.String),
}


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A value that people have whom no line fits, and that no line knows."""

    attribute: str
    value: str
    people: int
    trap: Trap | None = None
    like: str | None = None  # the value of a line that was probably meant


@dataclass(frozen=True)
class Simulation:
    """What a mapping gives to a workforce.

    `people`: the workforce's rows with gives (names), lines (that fired, counted from 1), fit (all that fit, also where
    the first decides), by_default, unknown (attributes that were asked for and not told).
    """

    mapping: RoleMap
    workforce: Workforce
    people: pl.DataFrame
    roles: dict[str, int]  # entitlement -> people who would get it
    lines: tuple[int, ...]  # people for whom each line fires
    nobody: int  # people for whom no line fires and nothing is given
    fallen: int  # people who get the default because no line fires
    uncovered: tuple[Uncovered, ...]  # values of most people first
    unknown: dict[str, int]  # attribute -> people of whom it is not told
    overlapping: int  # people whom several lines fit that give different things

    @property
    def dead(self) -> tuple[int, ...]:
        """Lines that fire for nobody."""
        return tuple(number for number, people in enumerate(self.lines, start=1) if not people)


def simulate(workforce: Workforce, mapping: RoleMap) -> Simulation:
    """Run the mapping over everybody."""
    people = with_outcome(workforce.people, mapping)
    fired = dict(_counted(people, "lines"))
    roles = dict(_counted(people, "gives"))
    alone = people.filter("by_default")
    several = people.filter(pl.col("fit").list.len() > 1)["fit"].to_list()
    gives = [frozenset(line.gives) for line in mapping.lines]
    return Simulation(
        mapping=mapping,
        workforce=workforce,
        people=people,
        roles={name: roles.get(name, 0) for name in sorted({*mapping.named, *roles})},
        lines=tuple(fired.get(number, 0) for number in range(1, len(mapping.lines) + 1)),
        nobody=alone.filter(pl.col("gives").list.len() == 0).height,
        fallen=alone.filter(pl.col("gives").list.len() > 0).height,
        uncovered=_uncovered(alone, mapping),
        unknown=dict(_counted(people, "unknown")),
        overlapping=sum(len({gives[number - 1] for number in fit}) > 1 for fit in several),
    )


def with_outcome(people: pl.DataFrame, mapping: RoleMap, former: bool = False) -> pl.DataFrame:
    """The rows with what the mapping gives to each; `former`: to the position before the last move."""
    numbers, found = positions(people, mapping, former)
    outcomes = pl.DataFrame([_outcome(mapping, position) for position in found], schema=OUTCOME)
    return pl.concat([people, outcomes[numbers["position"]]], how="horizontal")


def _outcome(mapping: RoleMap, position: Position) -> dict[str, object]:
    given = mapping.gives(position)
    fit = given.lines
    if mapping.matching == "first" and fit:
        fit = replace(mapping, matching="all").gives(position).lines
    return {
        "gives": sorted(given.entitlements),
        "lines": list(given.lines),
        "fit": list(fit),
        "by_default": given.by_default,
        "unknown": list(given.unknown),
    }


def _counted(people: pl.DataFrame, column: str) -> list[tuple[Any, int]]:
    """How many people have each value of a list column, the most first."""
    counted = people.select(pl.col(column).explode(keep_nulls=False)).drop_nulls().group_by(column).len()
    return list(counted.sort("len", column, descending=[True, False]).iter_rows())


def _uncovered(alone: pl.DataFrame, mapping: RoleMap) -> tuple[Uncovered, ...]:
    """The values no line knows, of people whom no line fits."""
    found = []
    for attribute in mapping.attributes:
        column = COLUMNS.get(attribute)
        if column is None or attribute in ("email", "username", "employee_number"):
            continue
        asked = [c for line in mapping.lines for c in line.when if c.attribute == attribute]
        known = sorted({value for c in asked if c.exact for value in c.values})
        if not known:  # lines that look for a part of a value do not mean to know every value
            continue
        values = alone.select(pl.col(column).explode() if attribute == "groups" else column).drop_nulls()
        for value, people in values.group_by(column).len().iter_rows():
            if not any(c.fits((str(value),)) for c in asked):
                found.append(Uncovered(attribute, str(value), people, *_trap(str(value), known)))
    return tuple(sorted(found, key=lambda one: (-one.people, one.attribute, one.value)))


def _trap(value: str, known: list[str]) -> tuple[Trap | None, str | None]:
    """What is probably wrong with a value that no line knows."""
    for other in known:
        if value.strip() == other.strip():
            return "blanks", other
    plain = {other.strip().lower(): other for other in known}
    if value.strip().lower() in plain:
        return "case", plain[value.strip().lower()]
    for separator in SEPARATORS:
        for part in value.split(separator) if separator in value else ():
            if part.strip().lower() in plain:
                return "several values", plain[part.strip().lower()]
    close = get_close_matches(value.strip().lower(), plain, n=1, cutoff=0.85)
    if close and _digits(close[0]) == _digits(value):  # `Team 7` is no misspelled `Team 1`
        return "similar", plain[close[0]]
    return None, None


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def told_by_sign_in(mapping: RoleMap) -> tuple[str, ...]:
    """Attributes the mapping looks at that only a sign-in tells, so that nobody's outcome is known by them here."""
    return tuple(name for name in mapping.attributes if name.startswith(CLAIM) or name not in COLUMNS)
