"""A first role mapping out of what is there: which department, title or group explains what people hold.

From what connectors read: groups and assignments of identity providers, roles, profiles and default groups of
applications. A proposal to be looked at, never a mapping by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from governance.mappings.workforce import Workforce
from governance.provisioning.mapping import Condition, Line, Operator, RoleMap

LEAST: Final = 3  # people who have a value and hold the entitlement
EXPLAINS: Final = 0.9  # of those with the value hold it
DEFAULT: Final = 0.95  # of everybody with an account hold it
ATTRIBUTES: Final = ("department", "groups", "title")  # of those that explain it equally well, the first


@dataclass(frozen=True)
class Learned:
    """A proposal: the mapping, for each line how many people hold what it gives and fit it, and what stays unexplained.

    `unexplained`: entitlement -> holders whom neither a line nor the default explains.
    """

    mapping: RoleMap
    support: tuple[tuple[int, int], ...]  # holders, people who fit
    unexplained: dict[str, int]


def learn(workforce: Workforce) -> Learned:
    """Propose a mapping of those who have an account."""
    people = workforce.people.filter(pl.col("accounts").list.len() > 0)
    held = people.select("identity_id", pl.col("held").alias("name")).explode("name").drop_nulls()
    holders = dict(held.group_by("name").len().iter_rows())
    default = tuple(
        sorted(n for n, count in holders.items() if people.height >= LEAST and count >= DEFAULT * people.height)
    )
    rest = held.filter(~pl.col("name").is_in(default))
    found = pl.concat([_explained(people, rest, name, place) for place, name in enumerate(ATTRIBUTES)])
    chosen: dict[tuple[str, str], list[str]] = {}
    explained: dict[str, set[str]] = {}
    for name, attribute, value, who in _widest(found):
        covered = explained.setdefault(name, set())
        if len(who - covered) >= LEAST:  # what adds nobody, or hardly anybody, is no line of its own
            covered |= who
            chosen.setdefault((attribute, value), []).append(name)
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (attribute, value), names in chosen.items():
        together.setdefault((attribute, tuple(sorted(names))), []).append(value)
    lines, support = [], []
    for (attribute, gives), values in together.items():
        operator: Operator = "equals" if len(values) == 1 else "in"
        lines.append(Line((Condition(attribute, tuple(sorted(values)), operator, folded=False),), gives))
        counts = found.filter(
            pl.col("attribute") == attribute, pl.col("value").is_in(values), pl.col("name").is_in(gives)
        )
        by_name = counts.group_by("name").agg(pl.col("holding").sum(), pl.col("fit").sum())
        support.append(min(by_name.select("holding", "fit").iter_rows()))
    left = {name: holders[name] - len(explained.get(name, ())) for name in sorted(holders) if name not in default}
    unexplained = {name: count for name, count in sorted(left.items(), key=lambda one: -one[1]) if count}
    return Learned(RoleMap(tuple(lines), default), tuple(support), unexplained)


def _widest(found: pl.DataFrame) -> Iterator[tuple[str, str, str, set[str]]]:
    """name, attribute, value and who: for each entitlement what explains most holders first."""
    ordered = found.sort("name", "holding", "place", "value", descending=[False, True, False, False])
    for name, attribute, value, who in ordered.select("name", "attribute", "value", "who").iter_rows():
        yield name, attribute, value, set(who)


def _explained(people: pl.DataFrame, held: pl.DataFrame, attribute: str, place: int) -> pl.DataFrame:
    """name, value, holding, fit, who, attribute, place: values of whom nearly all hold an entitlement."""
    told = people.select("identity_id", pl.col(attribute).alias("value"))
    if attribute == "groups":
        told = told.explode("value")
    told = told.drop_nulls().filter(pl.col("value") != "")
    fit = told.group_by("value").agg(pl.len().alias("fit"))
    both = told.join(held, on="identity_id").group_by("name", "value")
    strong = (
        both.agg(pl.len().alias("holding"), pl.col("identity_id").alias("who"))
        .join(fit, on="value")
        .filter(pl.col("holding") >= LEAST, pl.col("holding") >= EXPLAINS * pl.col("fit"))
    )
    return strong.select(
        "name", "value", "holding", "fit", "who", attribute=pl.lit(attribute), place=pl.lit(place, pl.Int64)
    )
