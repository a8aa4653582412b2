"""The options of a connector, read from the configuration and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from governance.errors import ConfigurationError
from governance.settings import ApplicationSettings, SourceSettings


def columns_option(options: Mapping[str, Any], where: str, known: tuple[str, ...]) -> dict[str, str]:
    """The table `columns` (ours = "theirs"); ConfigurationError names a column that is not ours."""
    given = _table(options.get("columns"), f"{where}: columns")
    for ours, theirs in given.items():
        if ours not in known:
            raise ConfigurationError(f"{where}: columns.{ours}: not a column; there are: {', '.join(known)}")
        if not isinstance(theirs, str) or not theirs.strip():
            raise ConfigurationError(f"{where}: columns.{ours}: expected the name of a column in the file")
    return given


def untranslated(text: str, column: str, ours: Iterable[str]) -> str:
    """What is wrong with a value of a closed column that `values` does not translate."""
    return f"{text[:40]!r} is not known: translate it under values.{column} to {' or '.join(ours)}"


def values_option(
    options: Mapping[str, Any], where: str, allowed: Mapping[str, Iterable[str]]
) -> dict[str, dict[str, str]]:
    """For every column of closed values: each spelling, folded, to ours; ours itself included."""
    given = _table(options.get("values"), f"{where}: values")
    known = {column: {value: value for value in ours} for column, ours in allowed.items()}
    for column, spellings in given.items():
        if column not in known:
            raise ConfigurationError(f"{where}: values.{column}: only {', '.join(known)} can be translated")
        for theirs, ours in _table(spellings, f"{where}: values.{column}").items():
            if ours not in allowed[column]:
                raise ConfigurationError(
                    f"{where}: values.{column}.{theirs}: expected one of {', '.join(allowed[column])}, not {ours!r}"
                )
            known[column][str(theirs).strip().casefold()] = str(ours)
    return known


def text_option(options: Mapping[str, Any], name: str, where: str) -> str | None:
    """An option that is text, or None; ConfigurationError for anything else."""
    value = options.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise ConfigurationError(f"{where}: {name}: expected text, not {value!r}")
    return value


def whole_option(options: Mapping[str, Any], name: str, where: str, least: int, most: int) -> int:
    """An option that is a whole number within limits."""
    value = options.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ConfigurationError(f"{where}: {name}: expected a number from {least} to {most}")
    return value


def delimiter_option(options: Mapping[str, Any], where: str) -> str | None:
    """The declared delimiter: one character."""
    value = text_option(options, "delimiter", where)
    if value is not None and (len(value) != 1 or value in '"\r\n'):
        raise ConfigurationError(f"{where}: delimiter: expected one character, not {value!r}")
    return value


def feed_table(feed: SourceSettings | ApplicationSettings) -> str:
    """Where the feed stands in the configuration, for messages."""
    kind = "source" if isinstance(feed, SourceSettings) else "application"
    return f"leaverwatch.toml: [[{kind}]] {feed.name}"


def _table(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"{where}: expected a table")
    return dict(value)
