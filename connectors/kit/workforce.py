"""People as an HR system's API tells them: each vendor has its own words, the rules are those of an HR file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from connectors.kit.contract import Connector, Field
from connectors.kit.engagements import KINDS, STATUSES
from connectors.kit.instants import Calendar
from connectors.kit.options import text_option, values_option
from connectors.kit.portions import Meanings, Standing
from connectors.kit.quarantine import judge
from connectors.kit.resource import as_text
from connectors.kit.roll import Roll
from connectors.kit.terms import READ, Terms
from governance.errors import ConfigurationError, IncompleteFeed
from governance.records import Rejected, Rows

TELLS: Final = frozenset({"source.read", "owner.state", "owner.ended_at", "owner.left_on", "owner.attributes"})
LONGEST_DAY: Final = len("2018-10-01T00:00:00+01:00")
MOST_DAYS: Final = 50_000
FEW: Final = 50  # in a smaller company it is nothing strange that nobody has left yet
_KEPT: Final = (
    "employee_id", "kind", "display_name", "email", "key", "manager_key", "manager_id", "manager_email",
)  # fmt: skip
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
        self._kinds: Meanings[str | None] = Meanings(self._kind)

    def status(self, said: str | None) -> str | None:
        """Our word, or None."""
        return None if said is None else self.statuses.get(said.casefold())

    def read_kinds(self, rows: Standing, *, counted: bool = True) -> None:
        """Make of the vendor's word in the column `kind` the kind of an identity: an employee where it tells none.

        One that is not known is taken for an employee and counted, unless the list it comes from is the company's own.
        """
        said = rows.columns["kind"]
        kinds = rows.columns["kind"] = list(map(self._kinds.__getitem__, said))
        if not all(kinds):
            if counted:
                self.unknown_kinds.update(word for word, kind in zip(said, kinds, strict=True) if kind is None)
            rows.columns["kind"] = [kind or "employee" for kind in kinds]

    def _kind(self, said: str | None) -> str | None:
        if not said:
            return "employee"
        kind = self.kinds.get(said) or self.kinds.get(said.casefold())
        return KINDS[kind] if kind else None


class Workforce:
    """Everybody one pull tells of. `take` each portion, then `people` settles, judges and yields."""

    def __init__(self, feed: Connector, where: str, words: Words, *, rights: str = "", no_day: str = "") -> None:
        """`rights` says how to let more be seen, for a vendor that leaves out silently what may not be read.

        `no_day` is a day that means none.
        """
        self.days = DayTexts(no_day)
        self._reading, self._place = feed.reading, feed.feed.name
        self._words, self._rights = words, rights
        self.calendar = Calendar(text_option(feed.options, "time_zone", where), None, where)
        last_day = feed.options["termination_date_is_last_day"]
        if not isinstance(last_day, bool):
            raise ConfigurationError(f"{where}: termination_date_is_last_day: expected true or false")
        self._terms = Terms(self.calendar, feed.given.now, last_day=last_day, inactive=True)
        self._roll = Roll(self._place)
        self._same = Same()  # departments and titles repeat: kept once

    def take(self, rows: Standing, *, counted: bool = True) -> None:
        """Take in a portion of engagements, and quarantine those that cannot be believed.

        Columns: `employee_id`, `status` (one of STATUSES or None) and `said`, the vendor's word for it; `kind` as the
        vendor says it (`counted`: see Words); `key`, the vendor's own id, and `manager_key` the manager's, while
        `manager_id` is the manager's employee id; and what Terms and Engagement call them, dates as text (2026-11-23).
        """
        told, listed = rows.columns, (rows.lines, rows.columns["employee_id"])
        if not all(told["employee_id"]):
            rows.read("employee_id", _number, "employee_id")
        if not all(rows.columns["status"]):
            rows.read("status", _known, "said", "status")
        self._terms.read(rows)
        self._words.read_kinds(rows, counted=counted)
        told = rows.columns
        kept: dict[str, Sequence[Any]] = {name: told[name] for name in (*_KEPT, *READ) if name in told}
        for name in ("department", "title"):
            if name in told:
                kept[name] = list(map(self._same.__getitem__, told[name]))
        self._roll.add(rows.lines, kept)
        whose = dict(zip(*listed, strict=True)) if rows.refused else {}
        for number, column, reason in sorted(rows.refused):
            self.reject(number, column, reason, whose.get(number))

    def reject(self, number: int, column: str | None, reason: str, employee_id: str | None = None) -> None:
        """Quarantine what stands at that place of the list, with whom it is about where that could be read."""
        where = f"{self._reading.source}#{number}"
        self._reading.rejected.append(Rejected(where, column, reason, employee_id or None))

    def people(self) -> Iterator[Rows]:
        """Everybody once; UnexpectedAnswer when too many cannot be believed, IncompleteFeed when nobody came."""
        reading = self._reading
        self._look_for_what_is_hidden()
        roll = self._roll
        reading.kept = roll.settle((), lambda e, why: self.reject(e.line, "employee_id", why, e.employee_id))
        reading.duplicates += roll.merged
        judge(reading, self._place)
        if not reading.kept:
            raise IncompleteFeed(f"{self._place}: nobody is listed at all; that is not believed")
        if roll.merged:
            reading.notes.append(f"{roll.merged} entries are further engagements of somebody, or the same again")
        for name, count in sorted(self.calendar.unknown_zones.items()):
            known = self.calendar.zone.key
            reading.notes.append(f"time zone {name[:40]!r} is not known: {known} is used for {count} people")
        for name, count in sorted(self._words.unknown_kinds.items()):
            reading.notes.append(f"worker type {name[:40]!r} is not known: taken as employee for {count} people")
        yield from roll.rows()

    def _look_for_what_is_hidden(self) -> None:
        """Vendors that leave out silently what may not be read are found out by what nobody has."""
        told = self._roll.told
        many = len(self._roll)
        ends = [end for state, end in zip(told("state"), told("ended_at"), strict=True) if state == "ended"]
        undated = ends.count(None)
        if self._rights and many and all(hired is None for hired in told("hire_at")):
            raise IncompleteFeed(f"{self._place}: no hire date is told of anybody. {self._rights}")
        if self._rights and ends and undated == len(ends):
            raise IncompleteFeed(f"{self._place}: {undated} people have left and none has a date. {self._rights}")
        if undated:
            self._reading.notes.append(f"{undated} people have left without a date")
        if not ends and many >= FEW:
            self._reading.notes.append("nobody who has left is listed: may the credential see them?")
        if many and all(email is None for email in told("email")):
            self._reading.notes.append("no work e-mail is told of anybody: accounts are found by employee id alone")


class Same(dict[str | None, str | None]):
    """Texts that are kept once, however often they come."""

    def __missing__(self, text: str | None) -> str | None:
        """Keep one that is new."""
        self[text] = text
        return text


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


def keyed(rows: Standing, called: str) -> None:
    """Refuse rows without the vendor's own id (`key`), which the vendor calls that."""
    if not all(rows.columns["key"]):
        rows.read("key", _needed, "key", blamed=called)


def numbered(rows: Standing, vendor: str, by: str = "number") -> None:
    """Add `employee_id`: what `by` tells, else the vendor's own id with the vendor's name before it."""
    told = rows.columns
    told["employee_id"] = told[by]
    if not all(told[by]):
        told["employee_id"] = [ours or f"{vendor}-{own}" for ours, own in zip(told[by], told["key"], strict=True)]


def _needed(key: str | None) -> str:
    if key is None:
        raise ValueError("is missing or no text")
    return key


def _number(employee_id: str | None) -> str:
    if not employee_id:
        raise ValueError("is empty")
    return employee_id


def _known(said: str | None, status: str | None) -> str:
    if status is None:
        raise ValueError(f"{said[:40]!r} is not known: translate it under values.status" if said else "is empty")
    return status


def _own(options: Mapping[str, Any], column: str, folded: Mapping[str, str]) -> dict[str, str]:
    """The spellings the configuration itself names: they go before the vendor's."""
    table = (options.get("values") or {}).get(column) or {}
    return {word: folded[word] for word in (str(theirs).strip().casefold() for theirs in table)}
