"""Manual tasks: given to the owner of the application, reminded of after three days and then every week."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlmodel import col, select

from governance.house import House
from governance.notices import Occasion, marks_told
from governance.tables import Notice, Remediation
from jobs.occasions.applications import label
from jobs.occasions.people import People

KINDS: Final = frozenset({"task_given", "task_reminder"})
WHY: Final = "the task was done before anybody was told"
FIRST: Final = timedelta(days=3)
THEN: Final = timedelta(days=7)


def gather(house: House, people: People, now: datetime) -> Iterator[Occasion]:
    """Tasks nobody was told of, and those whose reminder is due; one said to be done waits for the next file."""
    tasks = _tasks(house)
    found = [_occasion(house, task, now) for task in tasks.values()]
    with house.store.read() as session:
        told = marks_told(session, found)
    fresh = [occasion for occasion in found if occasion.mark not in told]
    claimed = _claimed(house, [occasion.about for occasion in fresh])
    for o in fresh:
        if o.about not in claimed:
            yield Occasion(o.kind, o.about, o.body, o.link, people.owners_of(tasks[o.about].application), o.time)


def moot(house: House, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    """Notices about tasks that were done since, or are said to be."""
    tasks = _tasks(house)
    claimed = _claimed(house, [notice.about for notice in notices])
    yield from (notice.id for notice in notices if notice.about not in tasks or notice.about in claimed)


def reminder(given_at: datetime, now: datetime) -> int:
    """How many reminders of a task are due by now; only the newest is told."""
    return 0 if now < given_at + FIRST else 1 + (now - given_at - FIRST) // THEN


@dataclass(frozen=True)
class _Task:
    id: str
    application: str
    given_at: datetime


def _occasion(house: House, task: _Task, now: datetime) -> Occasion:
    number = reminder(task.given_at, now)
    body, link = label(house, task.application), f"approvals?id={task.id}"
    if number:
        return Occasion("task_reminder", task.id, body, link, time=str(number))
    return Occasion("task_given", task.id, body, link)


def _tasks(house: House) -> dict[str, _Task]:
    r = Remediation
    manual = sa.select(r.id, r.application, r.executing_at, r.proposed_at).where(*_OPEN)  # type: ignore[call-overload]
    with house.store.read() as session:
        return {row[0]: _Task(row[0], row[1], row[2] or row[3]) for row in session.execute(manual.order_by(col(r.id)))}


def _claimed(house: House, ids: Sequence[str]) -> set[str]:
    """Those of which somebody says that they are done."""
    found: set[str] = set()
    with house.store.read() as session:
        for start in range(0, len(ids), 500):
            some = select(Remediation.id, Remediation.evidence).where(
                *_OPEN, col(Remediation.id).in_(ids[start : start + 500])
            )
            found |= {id for id, evidence in session.exec(some) if "claimed" in (evidence or {})}
    return found


_OPEN: Final = (Remediation.status == "executing", Remediation.action == "manual")
