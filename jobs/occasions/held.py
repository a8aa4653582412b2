"""What a guard holds, to those who may release it and have not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from governance import guards
from governance.access import Verb
from governance.house import House
from governance.notices import Occasion, marks_told
from governance.tables import Notice
from jobs.occasions.applications import label
from jobs.occasions.people import People

KINDS: Final = frozenset({"guard_held"})
WHY: Final = "it was released or replaced before anybody was told"


def gather(house: House, people: People, now: datetime) -> Iterator[Occasion]:
    """Everything that is held; once more after the first release, for the second."""
    found = {held.id: held for held in guards.list_held(house)}
    occasions = [_occasion(house, held) for held in found.values()]
    with house.store.read() as session:
        told = marks_told(session, occasions)
    for o in occasions:
        if o.mark not in told:
            to = people.who_may(Verb.RELEASE, but=found[o.about].released_by)
            yield Occasion(o.kind, o.about, o.body, o.link, to, o.time)


def moot(house: House, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    """Notices about what is not held any more, or what this one has released."""
    still = {held.id: held.released_by for held in guards.list_held(house)}
    yield from (n.id for n in notices if n.about not in still or n.to in still[n.about])


def _occasion(house: House, held: guards.Held) -> Occasion:
    needs = "one more release is needed" if held.released_by else "two releases are needed"
    what = label(house, held.what) if held.kind == "feed" else f"A run of {held.what}"
    return Occasion("guard_held", held.id, f"{what}: {needs}", "jobs", time=str(len(held.released_by) + 1))
