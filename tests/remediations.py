"""The verbs of acting as its tests use them: propose, approve, run, undo."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from acting import SAM, SUE, Ground
from conftest import NOW
from sqlmodel import select

from governance import remediation
from governance.access import Actor
from governance.house import House
from governance.tables import RunHold
from jobs import remediate
from jobs.outcomes import Outcome

WHY = "left on 20 Nov"


LATER = NOW + timedelta(hours=1)


def proposed(ground: Ground, *accounts: dict[str, Any], rule: str = "ghost") -> list[str]:
    prints = ground.stand(accounts, rule)
    return [r.id for r in remediation.propose(ground.house, SAM, NOW, prints, WHY)]


def approved(ground: Ground, *accounts: dict[str, Any]) -> list[str]:
    ids = proposed(ground, *accounts)
    remediation.approve(ground.house, SUE, NOW, ids, "agreed")
    return ids


def run(ground: Ground, ids: list[str] | None = None, *, dry_run: bool = False) -> list[Outcome]:
    return remediate.run(ground.house, ground.applications.connect, LATER, ids, dry_run)


def changed(house: House, **act: Any) -> House:
    """The same house after the operator edited [act]."""
    return replace(house, settings=house.settings.model_copy(update={"act": house.settings.act.model_copy(update=act)}))


def crowd(number: int, do: Callable[[int], object]) -> list[Exception | None]:
    """What each of so many threads got, when all begin at once."""
    gate, got = threading.Barrier(number), [None] * number

    def one(index: int) -> None:
        gate.wait()
        try:
            do(index)
        except Exception as error:  # noqa: BLE001 - compared by the test
            got[index] = error  # type: ignore[call-overload]

    threads = [threading.Thread(target=one, args=(index,)) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def capped(ground: Ground, limit: int) -> None:
    ground.house = ground.applications.house = changed(ground.house, max_per_run=limit)


def holds(ground: Ground) -> list[RunHold]:
    with ground.house.store.read() as session:
        return list(session.exec(select(RunHold).order_by(RunHold.id)).all())


# Undoing
def undo(ground: Ground, id: str, actor: Actor = SAM, after: timedelta = timedelta(days=1)) -> str:
    return remediate.undo(ground.house, ground.applications.connect, LATER + after, actor, id).status
