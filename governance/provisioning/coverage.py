"""Whom the role mapping of the settings covers: narwhals expressions over estate.accounts, of either engine."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Final

import narwhals as nw

from governance.provisioning.fitting import compared_as_it_stands, holds, keys, may_fit
from governance.provisioning.mapping import RoleMap
from governance.provisioning.written import role_map
from governance.settings import Settings

SEPARATOR: Final = "\x1f"
ATTRIBUTES: Final = ("department", "title")  # values of a source of truth that may take any text
PRESENT: Final = {name: f"owner_{name}" for name in ("department", "title", "kind")}


def role_maps(settings: Settings) -> dict[str, RoleMap]:
    """The role mapping of every application that has one."""
    return {name: role_map(settings, name) for name in sorted({line.application for line in settings.role_mapping})}


def mapped(settings: Settings) -> nw.Expr:
    """Whether the application in this row has a role mapping."""
    return nw.col("application").is_in(sorted({line.application for line in settings.role_mapping}))


def covered(settings: Settings) -> nw.Expr:
    """Whether some line of the application's mapping fits the owner in this row, or may fit; never null."""
    named: dict[tuple[str, ...], set[str]] = {}
    fits: nw.Expr = nw.col("application").is_null()  # never
    for application, table in role_maps(settings).items():
        for line in table.lines:
            if compared_as_it_stands(line, PRESENT):
                names, combinations = keys(line)
                found = named.setdefault(names, set())
                found.update(SEPARATOR.join((application, *values)) for values in combinations)
            else:
                fits = fits | ((nw.col("application") == application) & may_fit(line, PRESENT))
    for names, values_here in named.items():
        asked = nw.concat_str("application", *(PRESENT[name] for name in names), separator=SEPARATOR)
        fits = fits | asked.is_in(sorted(values_here)).fill_null(False)
    return fits


def unnamed(settings: Settings, attribute: str) -> nw.Expr:
    """Whether the mapping here looks at the attribute, and no line knows the value of the owner in this row."""
    result: nw.Expr = nw.col("application").is_null()  # never
    for application, table in role_maps(settings).items():
        asked = [c for line in table.lines for c in line.when if c.attribute == attribute]
        if asked:
            told = ~nw.col(PRESENT[attribute]).is_null()
            known = reduce(or_, (holds(condition, PRESENT) for condition in asked))
            result = result | ((nw.col("application") == application) & told & ~known)
    return result
