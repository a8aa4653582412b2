"""Facts as lines that name who says them: what a rule gives the columns it keeps as evidence (`lines`).

Lines depend on the row alone: no clock, no time zone of the process, no locale.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from governance.declaration import Line, Row, Sources, Telling, day


@dataclass(frozen=True)
class Voice:
    """Who says a fact: how its line begins, and the feed (or the word for it) that a reader is shown as its source."""

    begins: str
    source: Callable[[Sources, Row], str | None]


APPLICATION: Final = Voice("{row[where]}: ", lambda _, row: row["application"])
OWNERS_SOURCE: Final = Voice("{row[source]}: ", lambda sources, row: sources.source_of(row["identity_id"]))
SOURCE_OF_TRUTH: Final = Voice("Source of truth: ", lambda *_: None)
IDENTITY_PROVIDER: Final = Voice("Identity provider: ", lambda *_: "identity provider")
POLICY: Final = Voice("Policy: ", lambda *_: "policy")
SETTINGS: Final = Voice("Settings: ", lambda *_: "policy")
ROLE_MAPPING: Final = Voice("Role mapping of {row[where]}: ", lambda *_: "policy")
CORRELATION: Final = Voice("", lambda *_: "correlation")
SEVERAL: Final = Voice("", lambda *_: None)  # what follows from the words of more than one application

# What a source of truth says of somebody, by the state of an identity.
STATES: Final = {
    "current": "works here",
    "leave": "is on leave",
    "future": "starts later",
    "ended": "has left",
    "missing": "is not in the newest feed",
}


def says(voice: Voice, text: str, otherwise: str | None = None, *, several: bool = False) -> Telling:
    """A line with `{value}`, and `otherwise` for what is false or empty; nothing where nothing is told.

    An instant reads to the minute. `several`: the value is a list in one text, parted by semicolons.
    """

    def line(sources: Sources, row: Row, column: str) -> Line:
        value = row[column]
        words = text if value else otherwise
        if value is None or words is None:
            return None
        at = value if isinstance(value, datetime) else None
        shown = minute(at) if at else value.replace(";", ", ") if several else value
        return (voice.begins + words).format(value=shown, row=row), voice.source(sources, row), at

    return line


def counts(voice: Voice, one: str, many: str, rest: str = "") -> Telling:
    """A line with a number, in the words for one or for many (none are many), and the rest of the line."""

    def line(sources: Sources, row: Row, column: str) -> Line:
        count = row[column]
        text = f"{voice.begins}{count:,} {one if count == 1 else many}{f' {rest}' if rest else ''}"
        return text.format(row=row), voice.source(sources, row), None

    return line


def worded(voice: Voice, words: Callable[[Row], str | None], at: str | None = None) -> Telling:
    """A line whose words are made of the whole row; `at` is the column of its instant."""

    def line(sources: Sources, row: Row, column: str) -> Line:
        text = words(row)
        if text is None:
            return None
        return voice.begins.format(row=row) + text, voice.source(sources, row), row[at] if at else None

    return line


def beside(sources: Sources, row: Row, column: str) -> Line:
    """No line: another column's line says it already."""
    return None


def minute(instant: datetime) -> str:
    """An instant to the minute, as a reader checks it: `4 Nov 2026, 23:00 UTC`."""
    return f"{day(instant)}, {instant.hour:02}:{instant.minute:02} UTC"
