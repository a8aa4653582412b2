"""Fifty reviewers deciding at once, each in a session of their own with a real dashboard over HTTP and WebSocket.

They speak what Streamlit's browser side speaks: a rerun with the state of the review grid, and its answer. Every press
has a nonce; at the end each that was acknowledged stands in the store exactly once.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import requests
from sqlmodel import col, select

from governance import campaigns
from governance.house import House
from governance.tables import ReviewDecision, ReviewItem
from jobs.bench import Figure

REVIEWERS: Final = 50
SECONDS: Final = 300.0
PRESSES: Final = 5  # decisions told together, as the grid does with quick keys
THINKS_S: Final = (6.0, 14.0)  # between two of these
WORDS: Final = ("keep", "keep", "keep", "remove")
READY_S: Final = 60.0
PATIENCE_S: Final = 60.0


@dataclass
class Reviewer:
    """One session: what it was shown, what it told, and how long each answer took."""

    email: str
    campaign: str
    grid: str = ""  # id of the component in this session
    rows: list[dict[str, Any]] = field(default_factory=list)
    saved: set[str] = field(default_factory=set)
    told: dict[str, tuple[int, str]] = field(default_factory=dict)  # nonce -> number, word, in their order
    took: list[float] = field(default_factory=list)


@contextmanager
def dashboard(home: Path) -> Iterator[str]:
    """A dashboard of its own process over this folder; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = os.environ | {"LEAVERWATCH_HOME": str(home), "LEAVERWATCH_DASHBOARD": f"127.0.0.1:{port}"}
    root = Path(__file__).parent.parent
    process = subprocess.Popen(
        [sys.executable, "app.py"], cwd=root, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            requests.get(url, timeout=1).raise_for_status()
            return
        except requests.RequestException:
            time.sleep(0.1)
    raise RuntimeError("the dashboard did not start")


def decide_at_once(address: str, emails: list[str], campaign: str, seconds: float = SECONDS) -> list[Reviewer]:
    """Let all of them decide for so long; gives what each told and how long the answers took."""
    people = [Reviewer(email, campaign) for email in emails]

    async def everybody() -> None:
        async with asyncio.TaskGroup() as group:
            for place, person in enumerate(people):
                group.create_task(_review(address, person, place, seconds))

    asyncio.run(everybody())
    return people


async def _review(address: str, person: Reviewer, place: int, seconds: float) -> None:
    from websockets.asyncio.client import connect
    from websockets.typing import Origin, Subprotocol

    chance = random.Random(place)  # noqa: S311 - a pace, not a secret
    await asyncio.sleep(place * THINKS_S[0] / REVIEWERS)
    async with connect(
        f"ws://{address}/_stcore/stream",
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
        origin=Origin(f"http://{address}"),
    ) as line:
        await line.send(_asks(person))
        await _hear(line, person, lambda: bool(person.rows))
        until = time.monotonic() + seconds
        count = 0
        while time.monotonic() < until:
            await asyncio.sleep(chance.uniform(*THINKS_S))
            count += 1
            batch = _batch(person, chance, count)
            nonces = {one["nonce"] for one in batch}
            began = time.perf_counter()
            await line.send(_asks(person, {"count": count, "decisions": batch}))
            await _hear(line, person, lambda wanted=nonces: wanted <= person.saved)
            person.took.append(time.perf_counter() - began)


def _batch(person: Reviewer, chance: random.Random, count: int) -> list[dict[str, Any]]:
    """The next presses: rows that are open, or any of the page once all are decided, as people change their minds."""
    left = [row for row in person.rows if row["decision"] is None] or person.rows
    chosen = left[:PRESSES]
    found = []
    for place, row in enumerate(chosen):
        nonce = f"{person.email.partition('@')[0]}-{count:06}-{place}"
        word = chance.choice(WORDS)
        person.told[nonce] = (row["number"], word)
        found.append(
            {"number": row["number"], "decision": word, "reason": "", "seconds": 2.0, "bulk": False, "nonce": nonce}
        )
    return found


def _asks(person: Reviewer, batch: dict[str, Any] | None = None) -> bytes:
    """A rerun of the page, with the state of the grid once it is known."""
    from streamlit.proto.BackMsg_pb2 import BackMsg

    asked = BackMsg()
    asked.rerun_script.query_string = f"as={person.email}&campaign={person.campaign}"
    asked.rerun_script.page_name = "my_reviews"
    if batch is not None:
        state = asked.rerun_script.widget_states.widgets.add()
        state.id = person.grid
        state.json_value = json.dumps({"batch": batch})
    return bytes(asked.SerializeToString())


async def _hear(line: Any, person: Reviewer, done: Any) -> None:
    """Take in what the server sends until `done` and the script is at rest."""
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    until = time.monotonic() + PATIENCE_S
    while True:
        raw = await asyncio.wait_for(line.recv(), until - time.monotonic())
        told = ForwardMsg()
        told.ParseFromString(raw)
        if told.WhichOneof("type") == "delta":
            element = told.delta.new_element
            if element.WhichOneof("type") == "bidi_component" and "review" in element.bidi_component.component_name:
                data = json.loads(element.bidi_component.json)
                person.grid, person.rows = element.bidi_component.id, data["rows"]
                person.saved |= set(data["saved"])
        elif told.WhichOneof("type") == "script_finished" and done():
            return


def percentile(values: list[float], share: float) -> float:
    """The value that so many of them do not exceed."""
    return statistics.quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]


def run(folder: Path, items: int, now: datetime, database: str | None = None) -> Iterator[Figure]:
    """Fifty reviewers in a campaign of so many items, on SQLite or that PostgreSQL; RuntimeError when one is lost."""
    house, emails, campaign = _prepared(folder, items, now, database)
    with dashboard(folder) as address:
        began = time.perf_counter()
        people = decide_at_once(address, emails, campaign, float(os.environ.get("LEAVERWATCH_BENCH_SECONDS", SECONDS)))
        seconds = time.perf_counter() - began
    told = {nonce for person in people for nonce in person.told}
    lost, doubled = _kept(house, campaign, people)
    took = [one for person in people for one in person.took]
    house.store.close()
    if lost or doubled:
        raise RuntimeError(f"of {len(told):,} decisions {lost:,} were lost and {doubled:,} stored twice")
    note = f"{len(told):,} decisions of {len(people)} reviewers in {seconds:,.0f} s, 0 lost, 0 doubled"
    yield Figure("answer to a batch, median", statistics.median(took), None, 0.0, note)
    yield Figure("answer to a batch, 95 of 100", percentile(took, 0.95), None, 0.0, f"slowest {max(took):,.2f} s")


def _prepared(folder: Path, items: int, now: datetime, database: str | None) -> tuple[House, list[str], str]:
    """A house on the disk, as the dashboard opens it, with one running campaign spread over the reviewers."""
    from governance.access import Actor
    from governance.findings import evaluated, record
    from jobs import home
    from jobs.bench import write
    from jobs.bench_reviews import GRANTS, spread
    from jobs.seeded import APPLICATIONS, Seeded

    emails = [f"reviewer{n}@example.com" for n in range(REVIEWERS)]
    lines = [f'[store]\nurl = "{database}"\n'] if database else []
    lines.append('[[source]]\nname = "hr"\nconnector = "hr_csv"\npath = "hr.csv"\n')
    lines += [
        f'[[application]]\nname = "app{n:02d}"\nconnector = "app_csv"\npath = "a.csv"\nowner = "{emails[n]}"\n'
        for n in range(APPLICATIONS)
    ]
    lines += [f'[[actor]]\nemail = "{email}"\nroles = ["application_owner"]\n' for email in emails]
    (folder / "leaverwatch.toml").write_text("\n".join(lines), encoding="utf-8")
    house = home.open_house(folder, {}, now)
    house.snapshots.mkdir(exist_ok=True)
    write(house, Seeded(items // GRANTS, now), now)
    with evaluated(house, now) as evaluation:
        record(house, evaluation, now, now)
    sec = Actor(email="sec@example.com", name="Sec", roles=frozenset({"security"}))
    plan = {"levels": [["application_owner"]], "fallback": emails[-1], "days": 21}
    made = campaigns.create(house, sec, now, "Everything", {}, plan)
    campaigns.launch(house, sec, now, made.id)
    spread(house, made.id, emails)
    return house, emails, made.id


def _kept(house: House, campaign: str, people: list[Reviewer]) -> tuple[int, int]:
    """How many acknowledged decisions are not in the store, and how many are there twice or not as they were told."""
    with house.store.read() as session:
        log = session.exec(select(ReviewDecision).where(ReviewDecision.campaign == campaign)).all()
        items = session.exec(
            select(ReviewItem).where(ReviewItem.campaign == campaign, col(ReviewItem.decision).is_not(None))
        ).all()
    stored = {one.id: (one.number, one.decision) for one in log}
    told = {nonce: said for person in people for nonce, said in person.told.items() if nonce in person.saved}
    lost = sum(nonce not in stored for nonce in told)
    last = {number: word for person in people for number, word in person.told.values()}
    wrong = sum(last.get(item.number) != item.decision for item in items)
    return lost, len(log) - len(stored) + sum(stored.get(n, said) != said for n, said in told.items()) + wrong
