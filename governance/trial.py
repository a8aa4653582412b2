"""Trying a rule of one's own before it is relied on: run once over an estate that has every column and no row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.declaration import Rule
from governance.errors import ConfigurationError
from governance.estate import Estate, Facts, build, correlate
from governance.fired import narrowed
from governance.records import COLUMNS, KEY_COLUMNS
from governance.rulebook import run
from governance.settings import Policy, Settings, parse

_KINDS: Final[dict[str, Any]] = {
    "str": pl.String,
    "bool": pl.Boolean,
    "int": pl.Int64,
    "float": pl.Float64,
    "instant": pl.Datetime("us", "UTC"),
}
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
# One of each, so that what asks for them is built.
_SETTINGS: Final = parse(
    {
        "source": [{"name": "hr", "connector": "hr_csv"}],
        "application": [
            {"name": "directory", "connector": "okta", "identity_provider": True},
            {"name": "crm", "connector": "app_csv"},
        ],
        "role_mapping": [{"application": "crm", "when": {"department": "Finance"}, "gives": ["Reader"]}],
    }
)


def tried(rule: Rule, path: Path) -> Rule:
    """The same rule; ConfigurationError names the file and the column when it cannot run."""
    try:
        estate = empty_estate(_SETTINGS)
        there = narrowed(rule, rule(estate, Policy(), _NOW)).collect_schema().names()
        run(estate, Policy(), _NOW, {rule.name: rule})
    except pl.exceptions.ColumnNotFoundError as error:
        raise ConfigurationError(
            f"{path}: the rule {rule.name} reads a column that is not there: {_first(error)}"
        ) from error
    except Exception as error:  # a file that somebody else wrote may fail in any way
        raise ConfigurationError(
            f"{path}: the rule {rule.name} cannot run: {type(error).__name__}: {_first(error)}"
        ) from error
    known = {"owner_id": "identity_id", "owner_name": "identity_name", "owner_state": "state"}
    known |= {"owner_ended_at": "ended_at", "owner_ended_why": "ended_why"}
    for what, columns in (("evidence", rule.evidence), ("identity", rule.identity)):
        missing = [column for column in columns if known.get(column, column) not in there]
        if missing:
            raise ConfigurationError(f"{path}: the {what} of {rule.name} names {missing[0]!r}, which its result lacks")
    return rule


def empty_estate(settings: Settings) -> Estate:
    """An estate with every column there is, and nothing in it."""
    empty = {table: nw.from_native(pl.LazyFrame(schema=_schema(table))) for table in COLUMNS}
    pins = pl.LazyFrame(schema=dict.fromkeys(("application", "account_id", "pinned_id"), pl.String))
    facts = Facts(**empty, pins=nw.from_native(pins), snapshots={}, sources=("hr",))
    return build(facts, correlate(facts, settings, _NOW), settings, _NOW)


def _schema(table: str) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, kind in COLUMNS[table].items():
        columns[name] = _KINDS[kind]
        if kind == "instant":
            columns[f"{name}_s"] = pl.Int64
    return columns | dict.fromkeys(KEY_COLUMNS.get(table, ()), pl.String) | {"as_of_s": pl.Int64}


def _first(error: Exception) -> str:
    """What the engine says, without the plan it prints below."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
