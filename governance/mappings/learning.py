"""A first role mapping out of what is there: which department, title or group explains what people hold.

From what connectors read: groups and assignments of identity providers, roles, profiles and default groups of
applications. A proposal to be looked at, never a mapping by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from governance.mappings.workforce import Workforce
from governance.provisioning.mapping import Condition, Line, RoleMap

LEAST: Final = 3  # people who have a value and hold the entitlement
EXPLAINS: Final = 0.9  # of those with the value hold it
DEFAULT: Final = 0.95  # of everybody with an account hold it
ATTRIBUTES: Final = ("groups", "department", "title")  # the first that explains it as well as any


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
    # Of what explains an entitlement for the same people, only the first attribute; of values inside others, all.
    best = found.sort("name", "place", "value").unique(["name", "who"], keep="first", maintain_order=True)
    grouped: dict[tuple[str, str], list[tuple[str, int, int]]] = {}
    for row in best.sort("place", "value", "name").iter_rows(named=True):
        grouped.setdefault((row["attribute"], row["value"]), []).append((row["name"], row["holding"], row["fit"]))
    lines, support = [], []
    for (attribute, value), given in grouped.items():
        lines.append(Line((Condition(attribute, (value,), folded=False),), tuple(name for name, _, _ in given)))
        support.append((min(holding for _, holding, _ in given), given[0][2]))
    mapping = RoleMap(tuple(lines), default)
    explained = best.select("name", pl.col("who").str.split("\x1f").alias("identity_id")).explode("identity_id")
    left = rest.join(explained, on=["name", "identity_id"], how="anti").group_by("name").len()
    return Learned(mapping, tuple(support), dict(left.sort("len", "name", descending=[True, False]).iter_rows()))


def _explained(people: pl.DataFrame, held: pl.DataFrame, attribute: str, place: int) -> pl.DataFrame:
    """name, value, holding, fit, who: the values of an attribute of whom nearly all hold an entitlement."""
    told = people.select("identity_id", pl.col(attribute).alias("value"))
    if attribute == "groups":
        told = told.explode("value")
    told = told.drop_nulls().filter(pl.col("value") != "")
    fit = told.group_by("value").agg(pl.len().alias("fit"))
    both = (
        told.join(held, on="identity_id")
        .group_by("name", "value")
        .agg(pl.len().alias("holding"), pl.col("identity_id").sort().str.join("\x1f").alias("who"))
    )
    strong = both.join(fit, on="value").filter(
        pl.col("holding") >= LEAST, pl.col("holding") >= EXPLAINS * pl.col("fit")
    )
    return strong.select(
        "name", "value", "holding", "fit", "who", attribute=pl.lit(attribute), place=pl.lit(place, pl.Int64)
    )
