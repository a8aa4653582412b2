"""Reading a list to its end, or saying that it was not: pages, their cursors, and the total the other side declares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connectors.kit.fingerprints import Met
from governance.errors import IncompleteFeed
from governance.records import Reading

MAX_REPEATS: Final = 2
Numbered = tuple[Sequence[int], list[Any]]  # items of a page, with their numbers in the list


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
    """Every item of the list once, with its number; otherwise as `read_lists`."""
    return entries_of(read_lists(fetch, lambda page: list(map(key, page)), reading, place, counted=counted))


def entries_of(pages: Iterable[Numbered]) -> Iterator[tuple[int, Any]]:
    """The items of these pages one by one."""
    for numbers, items in pages:
        yield from zip(numbers, items, strict=True)


def read_lists(
    fetch: Callable[[str | None], Page],
    keys: Callable[[list[Any]], Sequence[str | None]],
    reading: Reading,
    place: str,
    *,
    counted: bool = True,
) -> Iterator[Numbered]:
    """Page by page the items that did not come before, with their numbers; `keys` tells those of a page.

    IncompleteFeed unless as many came as were declared. Ends when the same cursor is given again and when two pages
    bring nothing new. Items without a key are handed on, for the caller to quarantine. `counted`: whether these are the
    rows the pull is about.
    """
    met = Met()
    cursors: set[str] = set()
    number = unknown = repeats = 0
    total: int | None = None
    cursor: str | None = None
    total_before = reading.declared_total or 0
    while True:
        page = fetch(cursor)
        reading.pages += 1
        if page.total is not None:
            total = max(page.total, total or 0)  # a list that shrinks or grows while it is read may have lost somebody
        items, told = page.items, keys(page.items)
        places = met.places(told)
        unknown += told.count(None)
        if counted:
            reading.rows_read += len(items)
            reading.duplicates += len(items) - len(places)
            reading.declared_total = total_before + total if total is not None else reading.declared_total
        yield from _numbered(items, places, number)
        number += len(items)
        if page.next is None:
            break
        repeats = 0 if places else repeats + 1
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


def read_portions(
    portions: Iterable[list[Any]], keys: Callable[[list[Any]], Sequence[str | None]], reading: Reading
) -> Iterator[Numbered]:
    """Portion by portion the items of a list that came in one answer, otherwise as `read_lists`."""
    met = Met()
    number = 0
    reading.pages += 1
    for items in portions:
        places = met.places(keys(items))
        reading.rows_read += len(items)
        reading.duplicates += len(items) - len(places)
        yield from _numbered(items, places, number)
        number += len(items)


def _numbered(items: list[Any], places: Sequence[int], before: int) -> Iterator[Numbered]:
    """Those of a page that stand in these places, with their numbers in the list; `before`: how many came before."""
    if len(places) == len(items):
        yield range(before + 1, before + len(items) + 1), items
    elif places:
        yield [before + place + 1 for place in places], [items[place] for place in places]
