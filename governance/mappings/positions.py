"""Few positions for many people: who cannot be told apart by a mapping's conditions is judged once.

A value counts only by which conditions it fits, so values that fit the same ones are one. 500,000 people with five
groups each come down to some thousand positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from governance.mappings.workforce import COLUMNS, Position
from governance.provisioning.mapping import Condition, RoleMap

FORMER: Final = {"department": "former_department", "title": "former_title"}


def columns_of(mapping: RoleMap, former: bool) -> dict[str, str]:
    """Attribute -> column, of those attributes of the mapping that the workforce tells."""
    columns = COLUMNS | FORMER if former else COLUMNS
    return {name: columns[name] for name in mapping.attributes if name in columns}


def positions(people: pl.DataFrame, mapping: RoleMap, former: bool = False) -> tuple[pl.DataFrame, list[Position]]:
    """For each person the number of their position (`position`, in the order of `people`), and the positions."""
    marks, values = {}, {}
    for attribute, column in columns_of(mapping, former).items():
        conditions = [c for line in mapping.lines for c in line.when if c.attribute == attribute]
        marks[attribute], values[attribute] = _marked(people[column], conditions)
    if not marks:
        return pl.DataFrame({"position": pl.zeros(people.height, pl.Int64, eager=True)}), [Position({})]
    told = pl.DataFrame(marks)
    distinct = told.unique(maintain_order=True).with_row_index("position")
    numbered = told.join(distinct, on=list(marks), how="left", nulls_equal=True, maintain_order="left")
    found = []
    for row in distinct.drop("position").iter_rows(named=True):
        attributes = {}
        for name, mark in row.items():
            if mark is not None:
                each = mark if isinstance(mark, list) else [mark]
                attributes[name] = tuple(values[name][one] for one in each)
        found.append(Position(attributes))
    return numbered.select(pl.col("position").cast(pl.Int64)), found


def _marked(told: pl.Series, conditions: list[Condition]) -> tuple[pl.Series, dict[int, str]]:
    """The series with each value as the number of what it fits, and one value for each number."""
    several = told.dtype == pl.List
    distinct = (told.explode() if several else told).drop_nulls().unique().to_list()
    numbers: dict[frozenset[int], int] = {}
    marks: dict[str, int] = {}
    values: dict[int, str] = {}
    for value, fits in _fitting(map(str, distinct), conditions):
        marks[value] = numbers.setdefault(fits, len(numbers))
        values.setdefault(marks[value], value)
    frame = told.to_frame("told")
    one = (pl.element() if several else pl.col("told")).replace_strict(marks, default=None, return_dtype=pl.Int64)
    found = pl.col("told").list.eval(one.unique().sort()) if several else one
    return frame.select(found.alias(told.name))[told.name], values


def _fitting(values: Iterable[str], conditions: list[Condition]) -> Iterable[tuple[str, frozenset[int]]]:
    """Each value with the places of the conditions it fits."""
    exact: dict[bool, dict[str, set[int]]] = {True: {}, False: {}}
    others: list[tuple[int, Condition]] = []
    for place, condition in enumerate(conditions):
        if condition.exact:
            for named in condition.named():
                exact[condition.folded].setdefault(named, set()).add(place)
        else:
            others.append((place, condition))
    by_value: Mapping[str, set[int]]
    for value in values:
        fits = {place for place, condition in others if condition.fits((value,))}
        for folded, by_value in exact.items():
            fits |= by_value.get(value.strip().lower() if folded else value, set())
        yield value, frozenset(fits)
