"""Running: worker and dashboard, together or one by one, and the jobs they do."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from typing import Annotated, Any

import typer

from governance.errors import ConfigurationError, LeaverwatchError
from governance.rulebook import in_force
from jobs import home, up, work
from jobs.commands.options import Output, noun, the_house
from jobs.commands.printing import Format, say, show

app = noun("Running.")
Port = Annotated[int, typer.Option("--port", min=1, max=65_535, help="On 127.0.0.1.")]


@app.command(name="up")
def start(port: Port = up.PORT) -> None:
    """Run worker and dashboard until Ctrl-C; stops both cleanly."""
    house = the_house()  # what is wrong with the configuration is said here, once
    home.announce(house, home.clock())
    house.store.close()
    if up.listening(port):
        raise LeaverwatchError(f"somebody listens on port {port} already: give another one with --port")
    with up.stopping() as stop:
        up.up(house.home, os.environ, port, stop, lambda address: say(f"Leaverwatch is on {address} (Ctrl-C ends it)"))


@app.command()
def dashboard(port: Port = up.PORT) -> None:
    """Run the dashboard alone, on 127.0.0.1."""
    house = the_house()
    home.announce(house, home.clock())
    house.store.close()
    up.become_dashboard(house.home, os.environ, port)


@app.command()
def worker() -> None:
    """Run the worker: pulls by the clock, detects, carries out what was approved. A second one waits and takes over."""
    from jobs.worker import serve

    logging.getLogger("leaverwatch").setLevel(os.environ.get("LEAVERWATCH_LOG", "INFO").upper())
    house = the_house()
    in_force(house.rules, house.settings.policy)  # a rule that cannot be used is named now, not when it would judge
    with up.stopping() as stop:
        serve(house, stop, os.environ)


jobs = noun("Jobs: what runs by the clock, and how it went.")
app.add_typer(jobs, name="jobs")


@jobs.command("list")
def list_jobs(format: Output = Format.TABLE) -> None:
    """Show every job with its last run and when it is due next."""
    show(_jobs(), format, ("job", "feed", "every", "status", "started_at", "seconds", "next", "error"))


def _jobs() -> list[dict[str, Any]]:
    from sqlmodel import col, select

    from governance.tables import JobRun
    from jobs.scheduler import last_runs, planned

    house, now = the_house(), home.clock()
    last = last_runs(house)
    rows = []
    for plan in [*planned(house.settings), *_unplanned(last)]:
        newest = select(JobRun).where(JobRun.job == plan.job, JobRun.feed == plan.feed)
        with house.store.read() as session:
            run = session.exec(newest.order_by(col(JobRun.started_at).desc()).limit(1)).first()
        due: datetime | str = plan.first(last.get((plan.job, plan.feed)), now)
        rows.append(
            {
                "job": plan.job,
                "feed": plan.feed,
                "every": "on approval" if plan.job == "remediate" else plan.every or "daily",
                "status": run.status if run else None,
                "started_at": run.started_at if run else None,
                "seconds": round((run.finished_at - run.started_at).total_seconds(), 1)
                if run and run.finished_at
                else None,
                "by": run.by if run else None,
                "counts": run.counts if run else None,
                "error": run.error if run else None,
                "next": None if plan.job == "remediate" else due,
            }
        )
    return rows


def _unplanned(last: dict[tuple[str, str | None], datetime]) -> list[Any]:
    from jobs.scheduler import Planned

    return [Planned("remediate")] if ("remediate", None) in last else []


@jobs.command()
def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help=", ".join(work.JOBS) + "; or pull.FEED.")],
) -> None:
    """Run one job now, in this process."""
    house = the_house()
    job, _, feed = name.partition(".")
    if job not in work.JOBS or (feed and job != "pull"):
        raise ConfigurationError(f"no job is named {name!r}; there are: {', '.join(work.JOBS)} and pull.FEED")
    if job == "remediate":
        home.audit_act(house, home.clock())
    work.run(house, job, {"feeds": [feed]} if feed else {}, "command line")
    say(f"{name}: done")
