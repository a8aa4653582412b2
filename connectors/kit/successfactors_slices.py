"""The slices of time that SuccessFactors tells of each employment: what is effective today, and what will change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from connectors.kit.lasting import Lasting
from connectors.kit.portions import PORTION, Portion, Standing

_TEXTS: Final = frozenset({"key", "employee_id", "display_name", "email", "manager_key"})
_NOT_KEPT: Final = frozenset({"first", "last", "named"})


class Slices:
    """All slices of one list, in columns; `begins` is the first day of each, as text (2026-11-23)."""

    def __init__(self, today: date) -> None:
        self.further = 0  # slices beyond the one of each employment
        self._today = today.isoformat()
        self._slices = Lasting(_TEXTS)

    def add(self, rows: Standing) -> None:
        """Take in some."""
        told = {name: told for name, told in rows.columns.items() if name not in _NOT_KEPT}
        self._slices.add(rows.lines, {"line": rows.lines, **told})

    def employments(self) -> Iterator[Standing]:
        """Each employment once, as it is today; one that has not begun as it will be at first."""
        for places in self._slices.repeated("key").values():
            self._settle(places)
        today = self._today
        for _, told in self._slices.slices(PORTION):
            statuses, hired, begins = told["status"], told["hire_date"], told["begins"]
            told["status"] = [
                "future" if day > today and status in ("active", "leave") else status
                for status, day in zip(statuses, begins, strict=True)
            ]
            told["hire_date"] = [
                said or (day if day > today else None) for said, day in zip(hired, begins, strict=True)
            ]
            yield Standing(Portion(told.pop("line"), told))

    def _settle(self, places: list[int]) -> None:
        """Keep the slice that is effective today; where a later one says that they have left, its day is the end."""
        told, today = self._slices.columns, self._today
        begins, statuses = told["begins"], told["status"]
        ordered = sorted((begins[place], place) for place in places)
        begun = [place for day, place in ordered if day <= today]
        effective = begun[-1] if begun else ordered[0][1]
        self._slices.drop(set(places) - {effective})
        self.further += len(places) - 1
        coming = next((day for day, place in ordered if day > today and statuses[place] == "terminated"), None)
        if coming and statuses[effective] != "terminated" and told["termination_date"][effective] is None:
            last = date.fromisoformat(coming) - timedelta(days=1)  # the status changes on the day after the last one
            self._slices.change(effective, {"termination_date": last.isoformat()})
