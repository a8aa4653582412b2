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
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

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
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - our own dashboard on loopback
            return
        except OSError:
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
