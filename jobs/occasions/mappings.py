"""Changes of role mappings that wait, to those who may agree to them and did not ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session, select

from governance.access import Verb
from governance.correlation import fold
from governance.house import House
from governance.notices import Occasion, marks_told
from governance.tables import MappingVersion, Notice
from jobs.occasions.applications import label
from jobs.occasions.people import People

KINDS: Final = frozenset({"mapping_waiting"})
WHY: Final = "it was decided or withdrawn before anybody was told"


def gather(house: House, people: People, now: datetime) -> Iterator[Occasion]:
    """Every version that waits."""
    with house.store.read() as session:
        waiting = _waiting(session)
        told = marks_told(session, [_occasion(house, one) for one in waiting.values()])
    for one in waiting.values():
        o = _occasion(house, one)
        if o.mark not in told:
            to = people.who_may(Verb.MAP, application=one.application, but=(one.actor,))
            yield Occasion(o.kind, o.about, o.body, o.link, to, o.time)


def moot(house: House, notices: Sequence[Notice], now: datetime) -> Iterator[str]:
    """Notices about what does not wait any more, or what this one asked for."""
    with house.store.read() as session:
        still = _waiting(session)
    yield from (n.id for n in notices if n.about not in still or fold(still[n.about].actor) == fold(n.to))


def _waiting(session: Session) -> dict[str, MappingVersion]:
    return {one.id: one for one in session.exec(select(MappingVersion).where(MappingVersion.status == "waiting"))}


def _occasion(house: House, one: MappingVersion) -> Occasion:
    body = f"{label(house, one.application)}: version {one.number}"
    link = f"mapping_lab?application={one.application}&version={one.number}"
    return Occasion("mapping_waiting", one.id, body, link)
