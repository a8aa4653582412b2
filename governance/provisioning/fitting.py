"""Whether somebody's attributes fit a line of a role mapping: narwhals expressions, of either engine.

Sources of truth tell few attributes. What a line asks beyond those is not known here, so a line may fit whose other
conditions hold: nobody is accused of what such a line may give.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import product
from operator import and_, or_

import narwhals as nw

from governance.provisioning.mapping import Condition, Line

Columns = Mapping[str, str]  # attribute -> the column it stands in


def holds(condition: Condition, owner: Columns) -> nw.Expr:
    """Whether the condition holds for the owner in this row; never null: what is not told fits nothing."""
    value = nw.col(owner[condition.attribute])
    if condition.folded and condition.operator != "regex":
        value = value.str.strip_chars().str.to_lowercase()
    wanted = sorted(condition.named() if condition.operator != "regex" else condition.values)
    if condition.exact:
        return value.is_in(wanted).fill_null(False)
    tests = {
        "prefix": lambda text: value.str.starts_with(text),
        "contains": lambda text: value.str.contains(text, literal=True),
        "regex": lambda text: value.str.contains(f"^(?:{text})$"),
    }
    return reduce(or_, (tests[condition.operator](text) for text in wanted)).fill_null(False)


def may_fit(line: Line, owner: Columns) -> nw.Expr:
    """Whether nothing that is known speaks against the line; never null."""
    known = [holds(condition, owner) for condition in line.when if condition.attribute in owner]
    return reduce(and_, known, nw.lit(True))


def surely_fits(line: Line, owner: Columns) -> nw.Expr:
    """Whether everything the line asks is known and holds; never null."""
    return may_fit(line, owner) if all(c.attribute in owner for c in line.when) else nw.lit(False)


def compared_as_it_stands(line: Line, owner: Columns) -> bool:
    """Whether the line only names values of known attributes, so that many such lines are one look-up."""
    return all(c.exact and not c.folded and c.attribute in owner for c in line.when)


def keys(line: Line) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """For a line that only names values: its attributes, sorted, and every combination of values that fits."""
    by_name: dict[str, list[Condition]] = {}
    for condition in line.when:
        by_name.setdefault(condition.attribute, []).append(condition)
    names = tuple(sorted(by_name))
    each = [sorted(frozenset.intersection(*(c.named() for c in by_name[name]))) for name in names]
    return names, list(product(*each))
