"""From when until when people are engaged, as rows of a source of truth say it, and so in which state they are."""

from __future__ import annotations

from datetime import datetime
from itertools import repeat
from operator import getitem
from typing import Final

from connectors.kit.engagements import state_of
from connectors.kit.instants import Calendar, Days
from connectors.kit.portions import Standing

DATES: Final = ("hire_date", "last_day_of_work", "termination_date", "contract_end_date")
READ: Final = ("hire_at", "ended_at", "ended_why", "contract_end", "state")  # what is made of them
MOST_WHYS: Final = 10_000


class Terms:
    """Reads the dates of rows, each day once in each zone."""

    def __init__(self, calendar: Calendar, now: datetime, *, last_day: bool, inactive: bool = False) -> None:
        """`last_day`: whether the date of a termination is the last day of work, else it is the first day without.

        `inactive`: whether `terminated` may stand for somebody who has not begun, as in systems that only know who is
        active.
        """
        self._calendar, self._now = calendar, now
        self._last_day, self._inactive = last_day, inactive
        self._days: dict[str | None, tuple[Days, Days]] = {}  # by the name of a known zone: first and last ones
        self._whys: dict[tuple[str, str, str], str] = {}

    def read(self, rows: Standing) -> None:
        """Add what is made of the dates; a row with one that cannot be read is refused.

        `status` (one of STATUSES) must be told; dates and `time_zone` may be. Where the last day of work says when
        somebody ends, the date of a termination is emptied: it is not looked at.
        """
        rows.columns |= self._zones(rows)
        self._date(rows, "hire_at", "first", "hire_date")
        self._end(rows)
        self._date(rows, "contract_end", "last", "contract_end_date")
        told = rows.columns
        hired = told.get("hire_at") or repeat(None)
        told["state"] = list(map(state_of, told["status"], hired, told["ended_at"], repeat(self._now)))

    def _end(self, rows: Standing) -> None:
        """When they end and what says so: the last day of work, else the date of termination."""
        self._date(rows, "ended_at", "last", "last_day_of_work")
        if any(rows.columns.get("ended_at", ())) and "termination_date" in rows.columns:
            pairs = zip(rows.columns["ended_at"], rows.columns["termination_date"], strict=True)
            rows.columns["termination_date"] = ["" if ended_at else text for ended_at, text in pairs]
        self._date(rows, "terminated_at", "last" if self._last_day else "first", "termination_date")
        told, none = rows.columns, [None] * len(rows)
        ended = told.get("terminated_at", none)
        if any(last_days := told.get("ended_at", ())):
            ended = [last_day or terminated for last_day, terminated in zip(last_days, ended, strict=True)]
        told["ended_at"] = ended
        statuses = told["status"] = list(told["status"])
        both = enumerate(zip(ended, statuses, strict=True))
        places = [place for place, (ended_at, status) in both if ended_at or status == "terminated"]
        if self._inactive and "hire_at" in told:
            hired = told["hire_at"]
            for place in places:
                if not ended[place] and hired[place] and hired[place] > self._now:
                    statuses[place] = "future"
        said = (told.get("last_day_of_work", none), told.get("termination_date", none))
        whys: list[str | None] = [None] * len(rows)
        for place in places:
            if ended[place] or statuses[place] == "terminated":
                whys[place] = self._why(statuses[place], *(texts[place] for texts in said))
        told["ended_why"] = whys

    def _zones(self, rows: Standing) -> dict[str, list[Days]]:
        """For each row the days of its zone, as first ones and as last ones."""
        names = rows.columns.get("time_zone") or ()
        if not any(names):  # the feed's own
            first, last = self._days.get(None) or self._of_zone(None)
            return {"first": [first] * len(rows), "last": [last] * len(rows)}
        known = self._days.get
        pairs = [known(name) or self._of_zone(name) for name in names]
        return {"first": [first for first, _ in pairs], "last": [last for _, last in pairs]}

    def _of_zone(self, name: str | None) -> tuple[Days, Days]:
        """Days in that zone, as first ones and as last ones."""
        zone = self._calendar.zone_named(name or "")
        if name in self._calendar.unknown_zones:
            name = ""  # the feed's own stands in for it; each row that names it is counted
        if name not in self._days:
            self._days[name] = Days(self._calendar, zone), Days(self._calendar, zone, last=True)
        return self._days[name]

    @staticmethod
    def _date(rows: Standing, into: str, days: str, column: str) -> None:
        if any(rows.columns.get(column, ())):
            rows.read(into, getitem, days, column)
        elif column in rows.columns:  # nobody has one
            rows.columns[into] = [None] * len(rows)

    def _why(self, status: str, last_day: str | None, termination: str | None) -> str:
        words, text = ("termination date", termination) if termination else ("last day of work", last_day or "")
        key = (status, words, text)
        if key not in self._whys:
            if len(self._whys) > MOST_WHYS:
                self._whys.clear()
            self._whys[key] = f"{status}, {words} {text}" if text else f"{status}, without a date"
        return self._whys[key]
