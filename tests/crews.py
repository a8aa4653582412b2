"""Several workers on one store, each a process of its own with its own copy of the feed, so that every pull tells whose it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import sqlalchemy as sa
from conftest import NOW
from sqlmodel import col, select

from governance.store import Store, open_store
from governance.store.transactions import lease_key
from governance.tables import JobRun, Lease, Pull
from jobs.worker import SILENT_S

ROOT = Path(__file__).resolve().parent.parent
TOLD = """
[store]
url = "{url}"
[snapshots]
url = "{snapshots}"
[[application]]
name = "crm"
connector = "app_csv"
path = "crm.csv"
every = "1s"
"""
CRM = "account_id,username,status\na1,a,active\na2,b,active\n"
WORKER = """
import logging, os, pathlib, sys
from jobs import home, up
from jobs.worker import serve
logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
logging.getLogger("apscheduler").setLevel("ERROR")
with up.stopping() as stop:
    serve(home.open_house(pathlib.Path(os.environ['LEAVERWATCH_HOME']), os.environ, home.clock()), stop, os.environ, silent_s=float(sys.argv[1]))
"""


@dataclass(frozen=True)
class Reign:
    """One time the lease was taken: by which worker, with which token, and from when on."""

    since: datetime
    worker: int
    pid: int
    token: int


@dataclass
class Crew:
    """Workers 0, 1, 2, … of one store; each may be killed, stopped and started again."""

    folder: Path
    url: str
    silent_s: float = SILENT_S  # another than the product's is for tests in a hurry
    running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    store: Store = field(init=False)

    def __post_init__(self) -> None:
        self.store = open_store(self.url, self.folder, NOW)

    def start(self, worker: int) -> None:
        own = self.folder / f"w{worker}"
        if not own.exists():
            own.mkdir()
            (own / "leaverwatch.toml").write_text(TOLD.format(url=self.url, snapshots=self.folder / "snapshots"))
            (own / "crm.csv").write_text(CRM)
        environ = {**os.environ, "LEAVERWATCH_HOME": str(own), "TZ": "UTC"}
        command = [sys.executable, "-m", "jobs", "worker"]
        if self.silent_s != SILENT_S:
            command = [sys.executable, "-c", WORKER, str(self.silent_s)]
        with (own / "log").open("a") as log:
            # A session of its own: the kernel wakes a stopped process whose group is left by the one that started it.
            self.running[worker] = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=log, start_new_session=True)

    def tell(self, worker: int, number: signal.Signals) -> None:
        """Send a signal; who is not to go on is waited for."""
        self.running[worker].send_signal(number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            self.running.pop(worker).wait(30)

    def end(self) -> None:
        """End every worker."""
        for process in self.running.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
        for process in self.running.values():
            process.wait(30)
        self.running.clear()

    def said(self, worker: int) -> str:
        return (self.folder / f"w{worker}" / "log").read_text()

    def reigns(self) -> list[Reign]:
        """Every time the lease was taken, as the workers said it, by token."""
        found = []
        for log in self.folder.glob("w*/log"):
            lines = re.findall(
                r"^(\S+ \S+) .* worker (\d+) holds the lease \(token (\d+)\)", log.read_text(), re.MULTILINE
            )
            for at, pid, token in lines:
                since = datetime.strptime(at, "%Y-%m-%d %H:%M:%S,%f").replace(tzinfo=UTC)
                found.append(Reign(since, int(log.parent.name[1:]), int(pid), int(token)))
        return sorted(found, key=lambda reign: reign.token)

    def holder(self) -> int | None:
        """The worker that took the lease last, if its process still runs."""
        last = self.reigns()[-1:]
        return next((r.worker for r in last if r.worker in self.running and self.running[r.worker].pid == r.pid), None)

    def succeeded(self, token: int, seconds: float = 60.0) -> float:
        """Wait until somebody holds the lease with a higher token; says for how long."""
        start = time.monotonic()
        while time.monotonic() < start + seconds:
            if self.reigns()[-1].token > token:
                return time.monotonic() - start
            time.sleep(0.1)
        raise AssertionError(f"nobody took over from token {token} within {seconds} s")

    def drop_lock(self) -> None:
        """Take away only what holds the lock: its connection in PostgreSQL, its file with SQLite."""
        with self.store.read() as session:
            token = session.exec(select(Lease.token).where(Lease.name == "worker")).one()
        if self.store.file is not None:
            self.store.file.with_name(f"{self.store.file.name}.worker.{token}.lock").unlink()
            return
        key = sa.text(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND (classid::bigint << 32 | objid::bigint) = :key"
        )
        with self.store.engine.connect() as connection:
            assert connection.execute(key, {"key": lease_key(f"worker.{token}")}).all() == [(True,)]

    def pulls(self) -> list[tuple[JobRun, str]]:
        """Every pull by its start, with the file it read; one that was interrupted tells no file."""
        with self.store.read() as session:
            rows = session.exec(
                select(JobRun, Pull.source).join(Pull, col(Pull.id) == JobRun.id).order_by(col(JobRun.started_at))
            )
            return [(run, source) for run, source in rows]

    def check(self) -> dict[str, float]:
        """No pull was started by anybody but the holder of the lease, and no two ran at a time. Gives the figures."""
        reigns, pulls = self.reigns(), self.pulls()
        assert [r.token for r in reigns] == sorted({r.token for r in reigns}), "one token was held twice"
        for run, source in pulls:
            if not source:
                assert "interrupted" in str(run.error), run
                continue
            holders = [r for r in reigns if r.since <= run.started_at] or reigns[:1]
            assert f"/w{holders[-1].worker}/" in source, f"{run.started_at} {source}: {holders[-1]} held the lease"
        for (first, _), (second, _) in pairwise(pulls):
            assert first.finished_at <= second.started_at, f"{first.id} and {second.id} ran at a time"
        starts = [run.started_at for run, _ in pulls]
        for reign, after in pairwise([*reigns, None]):
            own = [at for at in starts if reign.since <= at and (after is None or at < after.since)]
            # One a second; two schedulers would make twice as many.
            assert len(own) <= (own[-1] - own[0]).total_seconds() + 3 if own else True
        return {
            "takeovers": len(reigns) - 1,
            "pulls": len(pulls),
            "interrupted": sum(not source for _, source in pulls),
            "longest_gap_s": max((b - a).total_seconds() for a, b in pairwise(starts)),
        }
