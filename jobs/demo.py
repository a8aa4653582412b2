"""`leaverwatch demo`: an invented company of 500 people, read twice, judged, and shown with worker and dashboard."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from governance.errors import ConfigurationError, LeaverwatchError
from jobs import home, work
from jobs.up import free_port

if TYPE_CHECKING:
    from connectors.sandbox.running import Running
    from connectors.sandbox.serving import Sandbox
    from governance.house import House

FOLDER: Final = ".leaverwatch-demo"
MARK: Final = "truth.json"  # only a folder that the demo wrote holds it
PORT: Final = 5080
TRIES: Final = 5
OFFERED: Final = "salesforce"  # the application whose role mapping is to be changed
Say = Callable[[str], None]


def folder_of(environ: Mapping[str, str]) -> Path:
    """Where the demo lives: LEAVERWATCH_HOME, else `./.leaverwatch-demo`."""
    return Path(environ.get("LEAVERWATCH_HOME") or FOLDER).expanduser().absolute()


def clear(folder: Path) -> None:
    """Remove what an earlier demo left; ConfigurationError for a folder that is not a demo's."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ConfigurationError(f"{folder} holds something that is not the demo: name another LEAVERWATCH_HOME")
    shutil.rmtree(folder, ignore_errors=True)


def company_in(folder: Path, say: Say = lambda _: None) -> Running:
    """The company of that folder; one that is new has lived up to forty days ago."""
    from connectors.sandbox.running import Running

    if (folder / MARK).exists():
        return Running.resume(folder, home.clock)
    clear(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    say("inventing 500 people, who sign in to 15 applications")
    return Running.build(folder, home.clock)


def serve(running: Running, port: int | None = None) -> Sandbox:
    """Answer for the company's applications, in a thread, until `running.stop()`."""
    wanted = PORT if port is None else port
    for _ in range(TRIES):
        chosen = free_port(wanted) if port is None else port
        try:
            return running.serve(chosen)
        except OSError as error:  # another took the port between looking and listening
            refusal, wanted = error, chosen + 1
            if port is not None:
                break
    raise LeaverwatchError(f"the invented company could not start on port {chosen}: {refusal}") from refusal


def prepare(folder: Path, environ: Mapping[str, str], say: Say) -> tuple[House, Running]:
    """The demo's house with everything read and judged, and the running company. Kept between runs."""
    started = time.monotonic()
    if (folder / MARK).exists():
        say(f"the demo in {folder} goes on (--fresh begins anew)")
    running = company_in(folder, say)
    serve(running)
    try:
        house = home.open_house(folder, environ, home.clock())
        home.announce(house, home.clock())
        if running.earlier:
            earlier = running.company.at
            say(f"reading what it was like on {earlier:%Y-%m-%d}")
            _read(house, environ, say, at=earlier)
            running.come_to_now()
        _read(house, environ, say)
        say(work.detect(house, "demo").sentence)
        _begin_reviews(house, say)
        _offer_mapping(house, say)
    except BaseException:
        running.stop()
        raise
    say(f"ready after {time.monotonic() - started:.1f} s")
    return house, running


def _read(house: House, environ: Mapping[str, str], say: Say, at: datetime | None = None) -> None:
    """Pull everything side by side."""
    for result in work.pull(house, work.feed_names(house), "demo", at=at, environ=environ, progress=say):
        if result.error:
            say(f"{result.feed}: {result.error}")


def _begin_reviews(house: House, say: Say) -> None:
    """Two access reviews that the visitor finds running: what Finance may do, and privileged access everywhere."""
    from sqlmodel import select

    from governance import campaigns
    from governance.tables import Campaign

    with house.store.read() as session:
        if session.exec(select(Campaign.id).limit(1)).first() is not None:
            return
    by_role = {role: entry.email for entry in reversed(house.settings.actor) for role in entry.roles}
    security = home.actor_named(house, by_role["security"])
    fallback, now = by_role["approver"], home.clock()
    quarter = f"Q{(now.month + 2) // 3} {now.year}"
    privileged = campaigns.TEMPLATES["quarterly-privileged"]
    finance = {"departments": ["Finance"], "applications": ["salesforce", "expenses"]}
    wanted: tuple[tuple[str, str | None, dict[str, Any], dict[str, Any]], ...] = (
        (f"{quarter}: Finance applications", None, finance, {"levels": [["manager"]], "days": 21}),
        (f"{quarter}: privileged access", "quarterly-privileged", privileged.scope, privileged.plan),
    )
    for title, template, scope, plan in wanted:
        plan = {**plan, "fallback": fallback}
        made = campaigns.create(house, security, now, title, scope, plan, template=template)
        campaigns.launch(house, security, now, made.id)
    say("two access reviews have begun")


def _offer_mapping(house: House, say: Say) -> None:
    """A change of Salesforce's role mapping that waits for a second person: what it does is seen in the mapping lab."""
    from dataclasses import replace

    from governance import mappings
    from governance.provisioning import Condition, Line
    from governance.views.mappings import changes, compared

    mappings.note(house, home.clock())
    if len(mappings.history(house, OFFERED)) > 1:
        return
    admin = home.actor_named(house, next(one.email for one in house.settings.actor if "admin" in one.roles))
    live = mappings.live(house, OFFERED)
    planners = Line((Condition("department", ("Operations",), folded=False),), ("Finance User",))
    # Meant for systems administrators; it also finds everybody else with these letters in the title.
    wide = Line((Condition("title", ("Admin", "Analyst"), "contains", folded=False),), ("System Administrator",))
    kept = [line for line in live.lines if "System Administrator" not in line.gives]
    draft = replace(live, lines=(*(line for line in kept if line.when != planners.when), planners, wide))
    now = home.clock()
    saved = mappings.save(house, admin, now, OFFERED, draft)
    why = "Operations plans its own budget; analysts asked for reports"
    mappings.ask(house, admin, now, saved.id, why, changes(compared(house, OFFERED, draft)))
    say("a change of a role mapping waits for a second person")


def parse_days(text: str) -> timedelta:
    """How far a clock is moved, such as `30d` or `12h`."""
    from governance.settings import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(f"{text!r}: {error}") from None
