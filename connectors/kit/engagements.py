"""Engagements of people as a source of truth lists them, and the one identity that several of them make."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple

KINDS: Final = {
    "employee": "employee",
    "intern": "employee",
    "contingent": "contractor",
    "vendor": "contractor",
    "guest": "guest",
}
STATUSES: Final = ("active", "leave", "terminated", "future")
_RANK: Final = {"current": 0, "leave": 1, "future": 2, "ended": 3}  # active if any engagement is


class Engagement(NamedTuple):
    """One row of a source of truth, read but not yet put together with the others."""

    line: int
    employee_id: str
    kind: str
    state: str
    ended_at: datetime | None = None
    ended_why: str | None = None
    contract_end: datetime | None = None
    hire_at: datetime | None = None
    display_name: str | None = None
    email: str | None = None
    aliases: tuple[str, ...] = ()
    department: str | None = None
    title: str | None = None
    manager_id: str | None = None  # the manager's employee id
    manager_email: str | None = None
    manager_name: str | None = None
    manager_key: str | None = None  # the manager's id of the vendor's own


def state_of(status: str, hire_at: datetime | None, ended_at: datetime | None, now: datetime) -> str:
    """What a row says about a person at `now`.

    An end that has not come yet is no end. `active` with a past end stays `current`: the source contradicts itself, and
    only people can say which of its two facts is true.
    """
    if status == "terminated":
        return "current" if ended_at is not None and ended_at > now else "ended"
    if status == "active":
        return "future" if hire_at is not None and hire_at > now else "current"
    return status


class Roster:
    """Some engagements of one source: several rows under one employee id become one person, or are refused."""

    def __init__(self) -> None:
        self.merged = 0  # rows that turned out to be a further engagement of somebody, or the same row again
        self._people: dict[str, Engagement] = {}
        self._more: dict[str, list[Engagement]] = {}  # only those with several rows
        self._former: dict[str, tuple[str, ...]] = {}

    def add(self, engagement: Engagement) -> None:
        """Take in one row."""
        first = self._people.setdefault(engagement.employee_id, engagement)
        if first is not engagement:
            self._more.setdefault(engagement.employee_id, [first]).append(engagement)

    def settle(self, doubtful: Container[int], refuse: Callable[[Engagement, str], None]) -> int:
        """Put the rows of each person together and return how many people there are.

        Rows on `doubtful` lines and rows that may be two people under one id go to `refuse`.
        """
        if doubtful:
            for employee_id, first in list(self._people.items()):
                self._drop(employee_id, [e for e in self._more.get(employee_id, [first]) if e.line in doubtful], refuse)
        for employee_id, rows in self._more.items():
            if len(rows) == 1 or _same_person(rows):
                self._people[employee_id], self._former[employee_id] = _joined(rows)
                self.merged += len(rows) - 1
            else:
                del self._people[employee_id]
                for row in rows:
                    refuse(row, "the same employee_id stands in another row with another e-mail and name")
        self._more.clear()
        return len(self._people)

    def settled(self) -> Iterator[tuple[Engagement, tuple[str, ...]]]:
        """Each person once, in the order of the file, with the e-mails of their rows that have ended."""
        for employee_id, engagement in self._people.items():
            yield engagement, self._former.get(employee_id, ())

    def _drop(self, employee_id: str, bad: list[Engagement], refuse: Callable[[Engagement, str], None]) -> None:
        for row in bad:
            refuse(row, "holds a date that reads two ways, and this file mixes both orders of day and month")
        if not bad:
            return
        rest = [e for e in self._more.pop(employee_id, []) if e not in bad]
        if not rest:
            del self._people[employee_id]
            return
        self._people[employee_id] = rest[0]
        if len(rest) > 1:
            self._more[employee_id] = rest


def _same_person(rows: list[Engagement]) -> bool:
    """Whether every row shares its e-mail or its name with another one, so that all hang together."""
    joined, apart = [rows[0]], rows[1:]
    while apart:
        near = [row for row in apart if any(_agree(row, other) for other in joined)]
        if not near:
            return False
        joined += near
        apart = [row for row in apart if row not in near]
    return True


def _agree(one: Engagement, other: Engagement) -> bool:
    pairs = ((one.email, other.email), (one.display_name, other.display_name))
    told = [(_folded(a), _folded(b)) for a, b in pairs if a and b]
    if any(a == b for a, b in told):
        return True
    # Where neither row tells an e-mail or a name, nothing speaks against the id.
    return not any(a or b for a, b in pairs)


def _joined(rows: list[Engagement]) -> tuple[Engagement, tuple[str, ...]]:
    """One engagement for all rows of a person, and the e-mails of those that have ended."""
    by_rank = sorted(rows, key=lambda e: (_RANK[e.state], -(e.hire_at.timestamp() if e.hire_at else 0), -e.line))
    best = by_rank[0]
    peers = [e for e in rows if e.state == best.state]
    main = _folded(best.email or "")
    other = {e.email: e for e in by_rank[1:] if e.email and _folded(e.email) != main}
    former = tuple(email for email, e in other.items() if e.state == "ended" and best.state != "ended")
    aliases = dict.fromkeys((*(a for e in by_rank for a in e.aliases), *(m for m in other if m not in former)))
    if best.state == "ended":
        dated = [e for e in peers if e.ended_at]
        last = max(dated, key=_end) if dated else best
    else:
        last = next((e for e in peers if e.ended_at is None), None) or max(peers, key=_end)
    ends = [e.contract_end for e in peers]
    return best._replace(
        ended_at=last.ended_at,
        ended_why=last.ended_why,
        contract_end=None if None in ends else max(end for end in ends if end),
        aliases=tuple(aliases),
        email=best.email or next((e.email for e in by_rank if e.email), None),
        display_name=best.display_name or next((e.display_name for e in by_rank if e.display_name), None),
    ), former


def _end(engagement: Engagement) -> float:
    return engagement.ended_at.timestamp() if engagement.ended_at else 0.0


class Holders(dict[str | None, str | None]):
    """Whose an e-mail or a name is, as it is written: the employee id; None where nobody or several people have it."""

    def __init__(self, wanted: Iterable[str | None], ids: Iterable[str], values: Iterable[str | None]) -> None:
        """`wanted`: what will be asked for. `values`: the e-mail or the name of each of `ids`."""
        super().__init__({None: None, "": None})
        keys = {_folded(value) for value in wanted if value}
        self._found: dict[str, str | None] = {}
        if not keys:
            return
        for employee_id, value in zip(ids, values, strict=True):
            key = _folded(value or "")
            if key in keys:
                self._found[key] = None if key in self._found else employee_id

    def __missing__(self, text: str) -> str | None:
        """Look up one that was not asked for before."""
        holder = self[text] = self._found.get(_folded(text))
        return holder


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
