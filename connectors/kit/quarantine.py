"""When too many rows of a feed cannot be believed, none of them is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from connectors.kit.fingerprints import Met
from governance.errors import UnexpectedAnswer
from governance.records import Reading, Rejected

MAX_SHARE: Final = 0.05
MAX_ROWS: Final = 10  # fewer never condemn a feed, unless they are all there is


def judge(reading: Reading, place: str) -> None:
    """UnexpectedAnswer when more than 5 % and at least ten rows, or all of them, were quarantined."""
    rejected, rows = reading.rejected, reading.rows_read
    bad = len(rejected)
    if not bad or (bad < rows and (bad < MAX_ROWS or bad <= MAX_SHARE * rows)):
        return
    first = rejected[0]
    column = f" {first.column}:" if first.column else ""
    raise UnexpectedAnswer(
        f"{place}: {bad} of {rows} rows cannot be believed, so none is;"
        f" the first: {first.where}:{column} {first.reason}",
        first.where,
    )


def named(
    numbers: Sequence[int],
    rows: Iterable[Any],
    ids: Sequence[str | None],
    seen: Met,
    reading: Reading,
    column: str = "id",
) -> dict[str, Any]:
    """The rows of a page by their ids; those without one are quarantined, those `seen` before counted as duplicates."""
    good: dict[str, Any] = {}
    places = seen.places(ids)
    reading.duplicates += len(ids) - len(places)
    if len(places) == len(ids) and None not in ids:
        return {key: row for key, row in zip(ids, rows, strict=True) if key is not None}
    rows = list(rows)
    for place in places:
        key = ids[place]
        if key is None:
            reading.rejected.append(Rejected(f"{reading.source}#{numbers[place]}", column, "is missing or no text"))
        else:
            good[key] = rows[place]
    return good
