"""Whom the role mapping of the settings covers: narwhals expressions over estate.accounts, of either engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import narwhals as nw

from governance.settings import Settings

SEPARATOR: Final = "\x1f"
ATTRIBUTES: Final = ("department", "title")  # values of a source of truth that may take any text


def mapped(settings: Settings) -> nw.Expr:
    """Whether the application in this row has a role mapping."""
    return nw.col("application").is_in(sorted({line.application for line in settings.role_mapping}))


def covered(settings: Settings) -> nw.Expr:
    """Whether some line of the application's mapping fits the owner in this row; never null.

    Values are compared as they stand, as an application does that follows the mapping.
    """
    keys: dict[tuple[str, ...], set[str]] = {}
    for line in settings.role_mapping:
        attributes = sorted(line.when.items())
        values = (line.application, *(value for _, value in attributes))
        keys.setdefault(tuple(name for name, _ in attributes), set()).add(SEPARATOR.join(values))
    fits: nw.Expr = nw.lit(False)
    for names, values_here in keys.items():
        asked = nw.concat_str("application", *(f"owner_{name}" for name in names), separator=SEPARATOR)
        fits = fits | asked.is_in(sorted(values_here)).fill_null(False)
    return fits


def named(settings: Settings, attribute: str) -> Mapping[str, tuple[str, ...]]:
    """For each application whose mapping looks at the attribute: the values its lines name."""
    values: dict[str, set[str]] = {}
    for line in settings.role_mapping:
        for name, value in line.when.items():
            if name == attribute:
                values.setdefault(line.application, set()).add(value)
    return {application: tuple(sorted(said)) for application, said in values.items()}
