"""Everybody a table lists, column by column. Only those with several rows are put together one by one, as a roster."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

from connectors.kit.engagements import Engagement, Holders, Roster
from connectors.kit.portions import TOLD, Lasting
from governance.records import Identity, Rows

_FIELDS: Final = Engagement._fields[1:]  # a table tells them; `line` stands apart
_DEFAULTS: Final = Engagement._field_defaults
_MANAGER: Final = ("manager_id", "manager_email", "manager_name")


class Roll:
    """All engagements of one source, in columns called as the fields of an engagement; what is left out is None."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.merged = 0  # rows that turned out to be a further engagement of somebody, or the same row again
        self._people = Lasting()

    def add(self, lines: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        """Take in some rows."""
        self._people.add(lines, columns)

    def settle(self, doubtful: Container[int], refuse: Callable[[Engagement, str], None]) -> int:
        """Put the rows of each person together and return how many people there are.

        Rows on `doubtful` lines and rows that may be two people under one id go to `refuse`.
        """
        ids, lines = self._people.columns.get("employee_id", []), self._people.lines
        several = self._people.repeated("employee_id")
        apart = [place for place, line in enumerate(lines) if line in doubtful] if doubtful else []
        places = sorted({*apart, *(place for rows in several.values() for place in rows)})
        if not places:
            return len(ids)
        roster = Roster(self.source)
        first: dict[str, int] = {}
        for place in places:
            first.setdefault(ids[place], place)
            roster.add(self._engagement(place))
        roster.settle(doubtful, refuse)
        self.merged = roster.merged
        kept = set()
        for engagement, former in roster.settled():
            place = first[engagement.employee_id]
            self._write(place, {**engagement._asdict(), "former_emails": former})
            kept.add(place)
        self._people.drop(set(places) - kept)
        return len(self._people)

    def rows(self) -> Iterator[Rows]:
        """Each person once, in the order of the file."""
        people = self._people.columns
        ids = people.get("employee_id", [])
        emails, names = (
            Holders(set(people.get(by, ())), ids, people.get(whose) or repeat(None, len(ids)))
            for by, whose in (("manager_email", "email"), ("manager_name", "display_name"))
        )
        for height, columns in self._people.slices(TOLD):
            by = [columns.get(name) or repeat(None, height) for name in _MANAGER]
            managers = (number or emails[email] or names[name] for number, email, name in zip(*by, strict=True))
            columns["manager_id"] = [f"{self.source}:{manager}" if manager else None for manager in managers]
            told = {name: values for name, values in columns.items() if name in Identity.__struct_fields__}
            yield Rows(Identity, {"source": [self.source] * height, **told})

    def _engagement(self, place: int) -> Engagement:
        told = self._people.columns
        return Engagement(self._people.lines[place], **{name: told[name][place] for name in _FIELDS if name in told})

    def _write(self, place: int, values: Mapping[str, Any]) -> None:
        columns = self._people.columns
        for name in (*_FIELDS, "former_emails"):
            default = _DEFAULTS.get(name, ())
            if name in columns or values[name] != default:
                columns.setdefault(name, [default] * len(self._people))[place] = values[name]
