"""The lines of two role mappings beside each other: which are new, changed or gone, and for how many people each is."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from governance.mappings.comparing import Comparison
from governance.provisioning.mapping import Condition, Line
from governance.provisioning.written import phrase


@dataclass(frozen=True, slots=True)
class LineSeen:
    """One line of the draft, or one of the live mapping that the draft does not have any more.

    `live` and `draft`: people it fires for; None where it does not stand.
    """

    number: int | None  # in the draft
    when: tuple[tuple[str, str, str], ...]  # attribute, how it is compared, values
    gives: tuple[str, ...]
    live: int | None
    draft: int | None
    change: Literal["new", "changed", "moved", "gone"] | None = None
    was: tuple[tuple[tuple[str, str, str], ...], tuple[str, ...]] | None = None  # what a changed line said before


def lines_seen(compared: Comparison) -> list[LineSeen]:
    """The draft's lines in their order, and after them those that are gone."""
    before, after = compared.live, compared.draft
    partner = _partners(before.mapping.lines, after.mapping.lines)
    found = []
    for place, line in enumerate(after.mapping.lines):
        old = partner.get(place)
        told = before.mapping.lines[old] if old is not None else None
        found.append(
            LineSeen(
                place + 1,
                _said(line.when),
                line.gives,
                before.lines[old] if old is not None else None,
                after.lines[place],
                "new" if told is None else None if told == line else "changed",
                (_said(told.when), told.gives) if told is not None and told != line else None,
            )
        )
    left = set(range(len(before.mapping.lines))) - set(partner.values())
    for old in sorted(left):
        line = before.mapping.lines[old]
        found.append(LineSeen(None, _said(line.when), line.gives, before.lines[old], None, "gone"))
    return found


def _partners(before: tuple[Line, ...], after: tuple[Line, ...]) -> dict[int, int]:
    """Which line of the draft is which of the live mapping: the same one, else one that asks or gives the same."""
    numbers: dict[Line, int] = {}
    for line in (*before, *after):
        numbers.setdefault(line, len(numbers))
    matcher = SequenceMatcher(None, [numbers[x] for x in before], [numbers[x] for x in after], autojunk=False)
    found = {block.b + step: block.a + step for block in matcher.get_matching_blocks() for step in range(block.size)}
    free = [place for place in range(len(before)) if place not in found.values()]
    for alike in (lambda a, b: a == b, lambda a, b: a.when == b.when, _close):
        for place, line in enumerate(after):
            if place in found:
                continue
            old = next((one for one in free if alike(before[one], line)), None)
            if old is not None:
                found[place] = old
                free.remove(old)
    return found


def _close(one: Line, other: Line) -> bool:
    """Whether two lines give the same by the same attributes."""
    return one.gives == other.gives and [c.attribute for c in one.when] == [c.attribute for c in other.when]


def _said(when: tuple[Condition, ...]) -> tuple[tuple[str, str, str], ...]:
    return tuple(phrase(condition) for condition in when)
