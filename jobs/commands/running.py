"""Running: worker and dashboard, together or one by one, and the jobs they do."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from typing import Annotated, Any

import typer

from governance import sessions
from governance.errors import ConfigurationError, LeaverwatchError
from governance.house import House
from governance.rulebook import in_force
from jobs import front_door, home, up, work
from jobs.commands.options import Output, noun, the_house
from jobs.commands.printing import Format, say, show

app = noun("Running.")
Port = Annotated[int, typer.Option("--port", min=1, max=65_535)]
Address = Annotated[
    str, typer.Option("--address", metavar="IP", help="Where to listen; others than 127.0.0.1 need [sign_in].")
]


@app.command(name="up")
def start(port: Port = up.PORT, address: Address = up.ADDRESS) -> None:
    """Run worker and dashboard until Ctrl-C; stops both cleanly."""
    house = _opened(address)  # what is wrong with the configuration is said here, once
    if up.listening(port, address):
        raise LeaverwatchError(f"somebody listens on port {port} already: give another one with --port")
    link = sessions.make_link(house, home.clock()) if sessions.may_link(house.settings) else None
    house.store.close()

    def ready(reached: str) -> None:
        say(f"Leaverwatch is on {house.settings.sign_in.address or reached} (Ctrl-C ends it)")
        if link:
            say("Nobody may act yet. Once, within 15 minutes, this link makes you the local administrator:")
            say(f"{reached}/start?token={link}")

    with up.stopping() as stop:
        up.up(house.home, os.environ, port, stop, ready, address)


@app.command()
def dashboard(port: Port = up.PORT, address: Address = up.ADDRESS) -> None:
    """Run the dashboard alone."""
    house = _opened(address)
    house.store.close()
    up.become_dashboard(house.home, os.environ, port, address)


def _opened(address: str) -> House:
    """The house, when its dashboard may listen there; what is in force is written down."""
    house = the_house()
    front_door.refuse_open(house.settings, address)
    front_door.secrets_for_streamlit(house, os.environ)  # a secret that is missing is named now
    home.announce(house, home.clock())
    return house


@app.command()
def worker() -> None:
    """Run the worker: pulls by the clock, detects, carries out what was approved. A second one waits and takes over."""
    from jobs.worker import serve

    logging.getLogger("leaverwatch").setLevel(os.environ.get("LEAVERWATCH_LOG", "INFO").upper())
    house = the_house()
    in_force(
        house.rules, house.settings.policy, house.origin
    )  # a rule that cannot be used is named now, not when it would judge
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
