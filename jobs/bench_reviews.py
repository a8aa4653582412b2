"""The figures of access reviews: launch, grid, decisions, close and evidence of one large campaign."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlmodel import select

from governance import campaigns, evidence
from governance.access import Actor
from governance.campaigns import Decision
from governance.errors import DecisionError
from governance.findings import evaluated, record
from governance.house import House
from governance.settings import ActorSettings
from governance.store import open_store
from governance.tables import ReviewItem
from governance.views import previews, reviews
from jobs.bench import Figure, Meter, write
from jobs.seeded import Seeded

GRANTS: Final = 5
REVIEWERS: Final = 50
TURNS: Final = 30
BULK: Final = 500


def run(folder: Path, items: int, now: datetime) -> Iterator[Figure]:
    """A campaign over so many grants, decided whole by fifty reviewers, closed and proved."""
    estate, store = Seeded(items // GRANTS, now), open_store("sqlite:///leaverwatch.db", folder, now)
    names = [f"reviewer{n}@example.com" for n in range(REVIEWERS)]
    settings = estate.settings()
    owned = tuple(one.model_copy(update={"owner": names[place]}) for place, one in enumerate(settings.application))
    actors = tuple(ActorSettings(email=name, roles=("application_owner",)) for name in names)
    house = House(
        folder, settings.model_copy(update={"application": owned, "actor": actors}), store, folder / "snapshots", {}
    )
    house.snapshots.mkdir()
    write(house, estate, now)
    with evaluated(house, now) as evaluation:
        record(house, evaluation, now, now)
    sec = Actor(email="sec@example.com", name="Sec", roles=frozenset({"security"}))
    plan = {"levels": [["application_owner"]], "fallback": names[-1], "days": 21}
    meter = Meter(folder)
    figure, _ = meter.step(
        "preview",
        lambda: previews.foreseen(house, sec, now, {}, plan),
        lambda seen: f"{seen.numbers.items:,} items",
    )
    yield figure
    yield from _foreseen(house, sec, now, plan, names[0])
    made = campaigns.create(house, sec, now, "Everything", {}, plan)
    figure, _ = meter.step("launch", partial(campaigns.launch, house, sec, now, made.id))
    yield figure
    spread(house, made.id, names)
    first = Actor(email=names[0], name="One", roles=frozenset({"application_owner"}))
    yield from _grid(house, first, now, made.id)
    figure, _ = meter.step("refresh recommendations", partial(campaigns.refresh, house, now + timedelta(days=1)))
    yield figure
    figure, count = meter.step("decide everything", partial(_decide, house, now, made.id, names))
    yield replace(figure, note=f"{count:,} decisions, {figure.seconds / max(1, count) * 1000:.2f} ms each")
    figure, _ = meter.step("close", partial(campaigns.close, house, sec, now + timedelta(days=2), made.id))
    yield figure
    with store.read() as session:
        worked = [asdict(one) for one in campaigns.quality(session, made.id)]
    file = folder / "evidence.zip"
    figure, _ = meter.step("evidence", partial(evidence.build, house, now, made.id, worked, file))
    yield replace(figure, note=f"{file.stat().st_size / 2**20:,.0f} MiB")
    pem = evidence.public_key_file(house.home).read_bytes()
    figure, proof = meter.step("verify evidence", partial(evidence.verify, file, pem))
    if not proof.ok:
        raise DecisionError(f"the evidence does not hold: {'; '.join(proof.problems)}")
    yield figure
    store.close()


def spread(house: House, id: str, names: list[str]) -> None:
    """Every reviewer has the same share, as the managers of a large company do."""
    import sqlalchemy as sa

    from governance.store.rows import table_of

    own = table_of(ReviewItem)
    with house.store.write() as session:
        for place, name in enumerate(names):
            chosen = sa.update(own).where(own.c.campaign == id, own.c.number % len(names) == place)
            session.connection().execute(chosen.values(reviewer=name))


def _grid(house: House, actor: Actor, now: datetime, id: str) -> Iterator[Figure]:
    """What the page asks of the store for one turn of the grid, and for one decision."""
    turns, decided = [], []
    with house.store.read() as session:
        mine = session.exec(
            select(ReviewItem.number).where(ReviewItem.campaign == id, ReviewItem.reviewer == actor.email)
        ).all()
    for place in range(TURNS):
        started = time.perf_counter()
        reviews.board(house, actor, now, id, "all", "identity", 1 + place % 10)
        turns.append(time.perf_counter() - started)
        started = time.perf_counter()
        campaigns.decide(house, actor, now + timedelta(seconds=place), id, [Decision(mine[place], "keep")])
        decided.append(time.perf_counter() - started)
    yield Figure("grid: one turn", statistics.median(turns), None, 0.0, f"slowest {max(turns) * 1000:,.0f} ms")
    yield Figure("grid: one decision", statistics.median(decided), None, 0.0, f"slowest {max(decided) * 1000:,.0f} ms")


def _foreseen(house: House, actor: Actor, now: datetime, plan: dict[str, Any], reviewer: str) -> Iterator[Figure]:
    """What a reviewer's list takes before the review begins: when they are chosen, and each turn after it."""
    turns = []
    for place in range(TURNS):
        started = time.perf_counter()
        page = previews.as_reviewer(house, actor, now, {}, plan, reviewer, 1 + place % 10)
        turns.append(time.perf_counter() - started)
    yield Figure("preview: a reviewer chosen", turns[0], None, 0.0, f"{page.total:,} items")
    slowest = max(turns[1:]) * 1000
    yield Figure("preview: one turn", statistics.median(turns[1:]), None, 0.0, f"slowest {slowest:,.0f} ms")


def _decide(house: House, now: datetime, id: str, names: list[str]) -> int:
    """Each reviewer decides as is recommended, in portions of one recommendation."""
    count = 0
    for name in names:
        actor = Actor(email=name, name=name, roles=frozenset({"application_owner"}))
        with house.store.read() as session:
            rows = session.exec(
                select(ReviewItem.number, ReviewItem.recommendation).where(
                    ReviewItem.campaign == id, ReviewItem.reviewer == name
                )
            ).all()
        wanted = [
            Decision(number, "remove" if advice == "remove" else "keep", "as recommended") for number, advice in rows
        ]
        for start in range(0, len(wanted), BULK):
            count += len(campaigns.decide(house, actor, now + timedelta(hours=1), id, wanted[start : start + BULK]))
    return count
