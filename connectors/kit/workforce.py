"""People as an HR system's API tells them: each vendor has its own words, the rules are those of an HR file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from connectors.kit.contract import Connector, Field
from connectors.kit.engagements import KINDS, STATUSES, Engagement, Roster, state_of
from connectors.kit.instants import Calendar, Days
from connectors.kit.options import text_option, values_option
from connectors.kit.quarantine import judge
from connectors.kit.resource import as_text
from governance.errors import ConfigurationError, IncompleteFeed
from governance.records import Identity, Rejected

TELLS: Final = frozenset({"source.read", "owner.state", "owner.ended_at", "owner.left_on", "owner.attributes"})
LONGEST_DAY: Final = len("2018-10-01T00:00:00+01:00")
MOST_DAYS: Final = 50_000
FEW_WORDS: Final = 1_000
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
        self._said: dict[str, str | None] = {}  # what was asked before: few words are said many times

    def status(self, said: str | None) -> str | None:
        """Our word, or None."""
        if said is None:
            return None
        try:
            return self._said[said]
        except KeyError:
            status = self.statuses.get(said.casefold())
            if len(self._said) < FEW_WORDS:
                self._said[said] = status
            return status

    def kind(self, said: str | None, *, counted: bool = True) -> str | None:
        """Our word; one that is not known is counted, unless the list it comes from is the company's own."""
        if said is None:
            return None
        kind = self.kinds.get(said) or self.kinds.get(said.casefold())
        if kind is None and counted and said:
            self.unknown_kinds[said] += 1
        return kind


class Workforce:
    """Everybody one pull tells of. `add` each engagement, then `identities` settles, judges and yields."""

    def __init__(self, feed: Connector, where: str, words: Words, *, rights: str = "", no_day: str = "") -> None:
        """`rights` says how to let more be seen, for a vendor that leaves out silently what may not be read.

        `no_day` is a day that means none.
        """
        self.days = DayTexts(no_day)
        self._feed, self._reading, self._place = feed, feed.reading, feed.feed.name
        self._now = feed.given.now
        self._words, self._rights = words, rights
        self.calendar = Calendar(text_option(feed.options, "time_zone", where), None, where)
        self._last_day = feed.options["termination_date_is_last_day"]
        if not isinstance(self._last_day, bool):
            raise ConfigurationError(f"{where}: termination_date_is_last_day: expected true or false")
        self._engagements: list[Engagement] = []
        self._ids: dict[str, str] = {}  # the vendor's id -> employee id
        self._same: dict[str | None, str | None] = {}  # departments and titles repeat: kept once
        self._days: dict[str | None, tuple[Days, Days, Days]] = {}  # by the name of a known zone

    def add(
        self,
        number: int,
        *,
        key: str,
        employee_id: str | None,
        status: str | None,
        said: str | None = None,
        kind: str | None = None,
        hire: str | None = None,
        last_day: str | None = None,
        termination: str | None = None,
        contract_end: str | None = None,
        name: str | None = None,
        email: str | None = None,
        department: str | None = None,
        title: str | None = None,
        manager_key: str | None = None,
        manager_id: str | None = None,
        manager_email: str | None = None,
        zone: str | None = None,
    ) -> bool:
        """Take in one engagement, or quarantine it. Dates are text (2026-11-23).

        `number` is where it stands in the list; `key` is the vendor's own id, and `manager_key` the manager's, while
        `manager_id` is the manager's employee id, where that is what the vendor tells; `status` is one of STATUSES and
        `said` the vendor's word for it, `kind` one of KINDS.
        """
        if not employee_id:
            return self.reject(number, "employee_id", "is empty")
        if status is None:
            reason = f"{said[:40]!r} is not known: translate it under values.status" if said else "is empty"
            return self.reject(number, "status", reason)
        first, last, termination_day = self._days.get(zone) or self._of_zone(zone)
        column = "hire_date"
        try:
            hire_at = first[hire] if hire else None
            column, text = "last_day_of_work", last_day
            ended_at = last[last_day] if last_day else None
            if ended_at is None and termination:
                column, text = "termination_date", termination
                ended_at = termination_day[termination]
            kept, column = column, "contract_end_date"
            contract_end_at = last[contract_end] if contract_end else None
        except ValueError as error:
            return self.reject(number, column, str(error))
        if status == "terminated" and ended_at is None and hire_at is not None and hire_at > self._now:
            status = "future"  # not active because they have not begun
        ended_why = None
        if ended_at is not None or status == "terminated":
            words = "last day of work" if kept == "last_day_of_work" else "termination date"
            ended_why = f"{status}, {words} {text}" if text else f"{status}, without a date"
        self._ids.setdefault(key, employee_id)
        same = self._same.setdefault
        engagement = Engagement(
            number, employee_id, KINDS.get(kind or "", "employee"), state_of(status, hire_at, ended_at, self._now),
            ended_at, ended_why, contract_end_at, hire_at, name, email, (), same(department, department),
            same(title, title), manager_id, manager_email, None, manager_key,
        )  # fmt: skip
        self._engagements.append(engagement)
        return True

    def _of_zone(self, name: str | None) -> tuple[Days, Days, Days]:
        """Days in that zone: as first ones, as last ones, and as the day of a termination."""
        zone = self.calendar.zone_named(name or "")
        if name in self.calendar.unknown_zones:
            name = None  # the feed's own stands in for it; each row that names it is counted
        if name not in self._days:
            first, last = Days(self.calendar, zone), Days(self.calendar, zone, last=True)
            self._days[name] = (first, last, last if self._last_day else first)
        return self._days[name]

    def reject(self, number: int, column: str | None, reason: str) -> bool:
        """Quarantine what stands at that place of the list."""
        self._reading.rejected.append(Rejected(f"{self._reading.source}#{number}", column, reason))
        return False

    def identities(self) -> Iterator[Identity]:
        """Everybody once; UnexpectedAnswer when too many cannot be believed, IncompleteFeed when nobody came."""
        reading = self._reading
        self._look_for_what_is_hidden()
        roster = Roster(self._place, self._ids)
        for engagement in self._engagements:
            roster.add(engagement)
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
        people = self._engagements
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
        self.reject(engagement.line, "employee_id", why)


class DayTexts(dict[Any, str | None]):
    """Values that mean a day, as text; days repeat from person to person, and each is looked at once.

    What is there and no text stays, so that it is quarantined and not taken for no date.
    """

    def __init__(self, *none: str) -> None:
        """`none`: texts that mean that there is no date."""
        super().__init__(dict.fromkeys((None, "", *none)))

    def of(self, values: Iterable[Any]) -> list[str | None]:
        """The text of each value."""
        told = list(values)
        try:
            return list(map(self.__getitem__, told))
        except TypeError:  # a list or an object stands where a day is expected
            return [self[v] if v is None or isinstance(v, str | int | float) else repr(v)[:40] for v in told]

    def __missing__(self, value: Any) -> str:
        """Read one that is new."""
        text = day_of(as_text(value)) or repr(value)[:40]
        if isinstance(value, str) and len(value) <= LONGEST_DAY:
            if len(self) > MOST_DAYS:
                return text
            self[value] = text
        return text


def day_of(text: str | None) -> str | None:
    """The day of a time that only means a day, such as 2018-10-01-07:00 or 2014-11-09T00:00:00+01:00; else as it is."""
    if text and len(text) > 10 and text[4:8:3] == "--" and text[10] in "T +-Z":
        return text[:10]
    return text


def _own(options: Mapping[str, Any], column: str, folded: Mapping[str, str]) -> dict[str, str]:
    """The spellings the configuration itself names: they go before the vendor's."""
    table = (options.get("values") or {}).get(column) or {}
    return {word: folded[word] for word in (str(theirs).strip().casefold() for theirs in table)}
