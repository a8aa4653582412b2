"""Reading a list to its end, or saying that it was not: pages, their cursors, and the total the other side declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from connectors.kit.fingerprints import Met
from governance.errors import IncompleteFeed
from governance.records import Reading

MAX_REPEATS: Final = 2


@dataclass(frozen=True)
class Page:
    """One page of a list. `next` is what leads to the next one (a cursor, a link, an index); None at the end."""

    items: list[Any]
    next: str | None = None
    total: int | None = None


def read_pages(
    fetch: Callable[[str | None], Page],
    key: Callable[[Any], str | None],
    reading: Reading,
    place: str,
    *,
    counted: bool = True,
) -> Iterator[tuple[int, Any]]:
    """Every item of the list once, with its number; IncompleteFeed unless as many came as were declared.

    Ends when the same cursor is given again and when two pages bring nothing new. Items without a key are handed on,
    for the caller to quarantine. `counted`: whether these are the rows the pull is about.
    """
    met = Met()
    new = met.new
    cursors: set[str] = set()
    number = unknown = repeats = duplicates = 0
    total: int | None = None
    cursor: str | None = None
    rows_before, duplicates_before, total_before = reading.rows_read, reading.duplicates, reading.declared_total or 0
    while True:
        page = fetch(cursor)
        reading.pages += 1
        if page.total is not None:
            total = max(page.total, total or 0)  # a list that shrinks or grows while it is read may have lost somebody
        fresh = 0
        for item in page.items:
            number += 1
            item_key = key(item)
            if item_key is None:
                unknown += 1
            elif not new(item_key):
                duplicates += 1
                continue
            fresh += 1
            yield number, item
        if counted:
            reading.rows_read = rows_before + number
            reading.duplicates = duplicates_before + duplicates
            reading.declared_total = total_before + total if total is not None else reading.declared_total
        if page.next is None:
            break
        repeats = 0 if fresh else repeats + 1
        if repeats >= MAX_REPEATS:
            raise IncompleteFeed(f"{place}: {repeats} pages in a row brought nothing new; the list has no end")
        if page.next in cursors:
            raise IncompleteFeed(f"{place}: the same page is named as the next one again; the list has no end")
        cursors.add(page.next)
        cursor = page.next
    if total is not None and len(met) + unknown < total:
        raise IncompleteFeed(
            f"{place}: {total} are declared, {len(met) + unknown} different ones arrived; nothing is derived from that"
        )
