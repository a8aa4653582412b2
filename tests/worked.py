"""A house with two files that are read every second, and the worker on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlmodel import col, select

from governance.access import Actor
from governance.house import House
from governance.tables import JobRun
from jobs import home, scheduler
from jobs.worker import serve

HR = "employee_id,status,work_email,termination_date\n1,active,a@x.example,\n2,terminated,b@x.example,2026-01-31\n"
CRM = "account_id,username,status,employee_id\na1,a,active,1\na2,b,active,2\n"
ADMIN = Actor(email="admin@x.example", name="A", roles=frozenset({"admin"}))
SECURITY = Actor(email="sec@x.example", name="S", roles=frozenset({"security"}))


def feeds(folder: Path, every: str = "1s", applications: tuple[str, ...] = ("crm",)) -> dict:
    (folder / "hr.csv").write_text(HR)
    (folder / "crm.csv").write_text(CRM)
    return {
        "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv", "date_format": "%Y-%m-%d", "every": every}],
        "application": [
            {"name": name, "connector": "app_csv", "path": "crm.csv", "every": every} for name in applications
        ],
    }


def runs(house: House, job: str = "pull", feed: str | None = None) -> list[JobRun]:
    wanted = select(JobRun).where(JobRun.job == job).order_by(col(JobRun.started_at))
    with house.store.read() as session:
        return list(session.exec(wanted.where(JobRun.feed == feed) if feed else wanted).all())


def wait_for(what, seconds: float = 60.0):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"nothing came within {seconds} s")


@contextmanager
def working(house: House, **options) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(house, stop), kwargs={"environ": {}, **options})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive()


def plan_of(house: House, job: str) -> datetime:
    """When this job is due first after a start."""
    clockwork = scheduler.build(house, home.clock(), lambda plan: None, lambda: None)
    clockwork.start(paused=True)
    try:
        return clockwork.get_job(job).next_run_time
    finally:
        clockwork.shutdown()
