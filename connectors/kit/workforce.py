"""People as an HR system's API tells them: each vendor has its own words, the rules are those of an HR file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from connectors.kit.contract import Connector, Field
from connectors.kit.engagements import KINDS, STATUSES, Engagement, Roster, state_of
from connectors.kit.instants import Calendar
from connectors.kit.options import text_option, values_option
from connectors.kit.quarantine import judge
from governance.errors import ConfigurationError, IncompleteFeed
from governance.records import Identity, Rejected

TELLS: Final = frozenset({"source.read", "owner.state", "owner.ended_at", "owner.left_on", "owner.attributes"})
FEW: Final = 50  # in a smaller company it is nothing strange that nobody has left yet
FIELDS: Final = (
    Field("time_zone", "Where a day begins and ends, such as Europe/Berlin.", default="UTC"),
    Field("values", "Where the company has words of its own: [source.values.status] Retired = 'terminated'.", "table"),
    Field(
        "termination_date_is_last_day",
        "Whether the termination date is the last day of work (else the first day without).",
        "flag",
        default=True,
    ),
    Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
)


class Told(NamedTuple):
    """One engagement. Dates are text (2026-11-23); `key` is the vendor's own id, and `manager_key` the manager's."""

    key: str
    employee_id: str | None
    status: str | None  # one of STATUSES
    kind: str | None = None  # one of KINDS
    hire: str | None = None
    last_day: str | None = None
    termination: str | None = None
    contract_end: str | None = None
    name: str | None = None
    email: str | None = None
    department: str | None = None
    title: str | None = None
    manager_key: str | None = None
    manager_id: str | None = None  # the manager's employee id, where that is what the vendor tells
    manager_email: str | None = None
    zone: str | None = None
    aliases: tuple[str, ...] = ()


class Words:
    """What the values of one vendor mean, and what the configuration says instead."""

    def __init__(
        self, options: Mapping[str, Any], where: str, status: Mapping[str, str], worker_type: Mapping[str, str]
    ) -> None:
        configured = values_option(options, where, {"status": STATUSES, "worker_type": KINDS})
        self.statuses = {**configured["status"], **status, **_own(options, "status", configured["status"])}
        self.kinds = {
            **configured["worker_type"],
            **worker_type,
            **_own(options, "worker_type", configured["worker_type"]),
        }
        self.unknown_kinds: Counter[str] = Counter()

    def status(self, said: str | None) -> str | None:
        """Our word, or None."""
        return self.statuses.get(said.casefold()) if said else None

    def kind(self, said: str | None, *, counted: bool = True) -> str | None:
        """Our word; one that is not known is counted, unless the list it comes from is the company's own."""
        kind = self.kinds.get(said.casefold()) if said else None
        if said and kind is None and counted:
            self.unknown_kinds[said] += 1
        return kind


class Workforce:
    """Everybody one pull tells of. `add` each engagement, then `identities` settles, judges and yields."""

    def __init__(self, feed: Connector, where: str, words: Words, *, rights: str = "") -> None:
        """`rights` says how to let more be seen, for a vendor that leaves out silently what may not be read."""
        self._feed, self._reading, self._place = feed, feed.reading, feed.feed.name
        self._now = feed.given.now
        self._words, self._rights = words, rights
        self.calendar = Calendar(text_option(feed.options, "time_zone", where), None, where)
        self._last_day = feed.options["termination_date_is_last_day"]
        if not isinstance(self._last_day, bool):
            raise ConfigurationError(f"{where}: termination_date_is_last_day: expected true or false")
        self._engagements: list[tuple[Engagement, str | None]] = []
        self._ids: dict[str, str] = {}  # the vendor's id -> employee id
        self._places: list[str] = []
        self._same: dict[str, str] = {}  # departments and titles repeat: kept once

    def add(self, place: str, told: Told, said: str | None = None) -> bool:
        """Take in one engagement, or quarantine it; `said` is the vendor's word where the status is not known."""
        if not told.employee_id:
            return self.reject(place, "employee_id", "is empty")
        if told.status is None:
            reason = f"{said[:40]!r} is not known: translate it under values.status" if said else "is empty"
            return self.reject(place, "status", reason)
        zone = self.calendar.zone_named(told.zone or "")
        column = "hire_date"
        try:
            hire_at = self._day(told.hire, zone)
            column, ended_at, text = "last_day_of_work", self._day(told.last_day, zone, last=True), told.last_day
            if ended_at is None and told.termination:
                column, text = "termination_date", told.termination
                ended_at = self._day(text, zone, last=self._last_day)
            kept, column = column, "contract_end_date"
            contract_end = self._day(told.contract_end, zone, last=True)
        except ValueError as error:
            return self.reject(place, column, str(error))
        status = told.status
        if status == "terminated" and ended_at is None and hire_at is not None and hire_at > self._now:
            status = "future"  # not active because they have not begun
        words = "last day of work" if kept == "last_day_of_work" else "termination date"
        ended_why = None
        if ended_at is not None or status == "terminated":
            ended_why = f"{status}, {words} {text}" if text else f"{status}, without a date"
        self._ids.setdefault(told.key, told.employee_id)
        self._places.append(place)
        engagement = Engagement(
            len(self._places) - 1,
            told.employee_id,
            KINDS.get(told.kind or "", "employee"),
            state_of(status, hire_at, ended_at, self._now),
            ended_at,
            ended_why,
            contract_end,
            hire_at,
            told.name,
            told.email,
            told.aliases,
            self._once(told.department),
            self._once(told.title),
            told.manager_id,
            told.manager_email,
        )
        self._engagements.append((engagement, told.manager_key))
        return True

    def reject(self, place: str, column: str | None, reason: str) -> bool:
        """Quarantine what stands at that place."""
        self._reading.rejected.append(Rejected(place, column, reason))
        return False

    def identities(self) -> Iterator[Identity]:
        """Everybody once; UnexpectedAnswer when too many cannot be believed, IncompleteFeed when nobody came."""
        reading = self._reading
        self._look_for_what_is_hidden()
        roster = Roster(self._place)
        for engagement, manager in self._engagements:
            manager_id = engagement.manager_id or self._ids.get(manager or "")
            roster.add(engagement._replace(manager_id=manager_id) if manager_id else engagement)
        self._engagements.clear()
        reading.kept = roster.settle((), lambda e, why: self._refuse(e, why))
        reading.duplicates += roster.merged
        judge(reading, self._place)
        if not reading.kept:
            raise IncompleteFeed(f"{self._place}: nobody is listed at all; that is not believed")
        if roster.merged:
            reading.notes.append(f"{roster.merged} entries are further engagements of somebody, or the same again")
        for name, count in sorted(self.calendar.unknown_zones.items()):
            known = self.calendar.zone.key
            reading.notes.append(f"time zone {name[:40]!r} is not known: {known} is used for {count} people")
        for name, count in sorted(self._words.unknown_kinds.items()):
            reading.notes.append(f"worker type {name[:40]!r} is not known: taken as employee for {count} people")
        yield from roster.identities()

    def _look_for_what_is_hidden(self) -> None:
        """Vendors that leave out silently what may not be read are found out by what nobody has."""
        people = [engagement for engagement, _ in self._engagements]
        ended = [e for e in people if e.state == "ended"]
        undated = sum(e.ended_at is None for e in ended)
        if self._rights and people and all(e.hire_at is None for e in people):
            raise IncompleteFeed(f"{self._place}: no hire date is told of anybody. {self._rights}")
        if self._rights and ended and undated == len(ended):
            raise IncompleteFeed(f"{self._place}: {undated} people have left and none has a date. {self._rights}")
        if undated:
            self._reading.notes.append(f"{undated} people have left without a date")
        if not ended and len(people) >= FEW:
            self._reading.notes.append("nobody who has left is listed: may the credential see them?")
        if people and all(e.email is None for e in people):
            self._reading.notes.append("no work e-mail is told of anybody: accounts are found by employee id alone")

    def _refuse(self, engagement: Engagement, why: str) -> None:
        self.reject(self._places[engagement.line], "employee_id", why)

    def _once(self, text: str | None) -> str | None:
        return self._same.setdefault(text, text) if text else None

    def _day(self, text: str | None, zone: ZoneInfo, *, last: bool = False) -> datetime | None:
        if not text:
            return None
        return self.calendar.day_after(text, zone) if last else self.calendar.instant(text, zone)


def day_of(text: str | None) -> str | None:
    """The day of a time that only means a day, such as 2018-10-01-07:00 or 2014-11-09T00:00:00+01:00; else as it is."""
    if text and len(text) > 10 and text[4:8:3] == "--" and text[10] in "T +-Z":
        return text[:10]
    return text


def _own(options: Mapping[str, Any], column: str, folded: Mapping[str, str]) -> dict[str, str]:
    """The spellings the configuration itself names: they go before the vendor's."""
    table = (options.get("values") or {}).get(column) or {}
    return {word: folded[word] for word in (str(theirs).strip().casefold() for theirs in table)}
