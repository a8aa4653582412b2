"""Everybody a list tells of, column by column. Only those with several rows are put together one by one."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from itertools import compress, repeat
from typing import Any, Final

from connectors.kit.engagements import Engagement, Holders, Roster
from connectors.kit.lasting import Lasting
from connectors.kit.portions import TOLD, Meanings
from governance.records import Identity, Rows

_FIELDS: Final = Engagement._fields[1:]  # a list tells them; `line` stands apart
_DEFAULTS: Final = Engagement._field_defaults
_TEXTS: Final = frozenset(
    {"employee_id", "display_name", "email", "key", "manager_id", "manager_email", "manager_name", "manager_key"}
)
_MANAGER: Final = ("manager_id", "manager_key", "manager_email", "manager_name")


class Roll:
    """All engagements of one source, in columns called as the fields of an engagement; what is left out is None.

    `key` is the vendor's own id of each, where managers are told by it (`manager_key`).
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.merged = 0  # rows that turned out to be a further engagement of somebody, or the same row again
        self._people = Lasting(_TEXTS)
        self._numbers: dict[str | None, str] = {}  # the employee id of each `manager_key`

    def __len__(self) -> int:
        """How many rows, and once they are settled how many people there are."""
        return len(self._people)

    def add(self, lines: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> None:
        """Take in some rows."""
        self._people.add(lines, columns)

    def told(self, name: str) -> Iterable[Any]:
        """What one column tells of every row, and once they are settled of every person."""
        return self._people.kept(name)

    def settle(self, doubtful: Container[int], refuse: Callable[[Engagement, str], None]) -> int:
        """Put the rows of each person together and return how many people there are.

        Rows on `doubtful` lines and rows that may be two people under one id go to `refuse`.
        """
        managers = set(filter(None, self.told("manager_key")))
        if managers:
            pairs = zip(self.told("key"), self.told("employee_id"), strict=True)
            for key, employee_id in compress(pairs, map(managers.__contains__, self.told("key"))):
                self._numbers.setdefault(key, employee_id)
        lines = self._people.lines
        several = self._people.repeated("employee_id")
        apart = [place for place, line in enumerate(lines) if line in doubtful] if doubtful else []
        places = sorted({*apart, *(place for rows in several.values() for place in rows)})
        if not places:
            return len(lines)
        roster = Roster()
        first: dict[str, int] = {}
        for place, engagement in zip(places, self._engagements(places), strict=True):
            first.setdefault(engagement.employee_id, place)
            roster.add(engagement)
        roster.settle(doubtful, refuse)
        self.merged = roster.merged
        kept = set()
        for engagement, former in roster.settled():
            place = first[engagement.employee_id]
            self._change(place, {**engagement._asdict(), "former_emails": former})
            kept.add(place)
        self._people.drop(set(places) - kept)
        return len(self._people)

    def rows(self) -> Iterator[Rows]:
        """Each person once, in the order of the list. Empties the roll, so that memory is given back on the way."""
        found = self._managers()
        named = Meanings(lambda by: f"{self.source}:{manager}" if (manager := found(by)) else None)
        for height, columns in self._people.slices(TOLD):
            by = zip(*(columns.get(name) or repeat(None, height) for name in _MANAGER), strict=True)
            columns["manager_id"] = list(map(named.__getitem__, by))
            told = {name: values for name, values in columns.items() if name in Identity.__struct_fields__}
            yield Rows(Identity, {"source": [self.source] * height, **told})

    def _managers(self) -> Callable[[tuple[str | None, ...]], str | None]:
        """What tells the manager of somebody: by employee id or the vendor's id, else by an e-mail or name of one."""
        known = self._numbers.get
        if not {"manager_email", "manager_name"} & self._people.columns.keys():
            return lambda by: by[0] or known(by[1])
        lone = [by for by in zip(*map(self.told, _MANAGER), strict=True) if not (by[0] or known(by[1]))]
        emails = Holders({email for _, _, email, _ in lone}, self.told("employee_id"), self.told("email"))
        names = Holders({name for *_, name in lone}, self.told("employee_id"), self.told("display_name"))
        return lambda by: by[0] or known(by[1]) or emails[by[2]] or names[by[3]]

    def _engagements(self, places: Sequence[int]) -> Iterator[Engagement]:
        told = {name: column for name, column in self._people.columns.items() if name in _FIELDS}
        for place in places:
            yield Engagement(self._people.lines[place], **{name: column[place] for name, column in told.items()})

    def _change(self, place: int, values: Mapping[str, Any]) -> None:
        told = self._people.columns
        for name in (*_FIELDS, "former_emails"):
            default = _DEFAULTS.get(name, ())
            if name not in told and values[name] != default:
                self._people.widen(name, default)
        self._people.change(place, {name: value for name, value in values.items() if name in told})
