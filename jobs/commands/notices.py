"""Notices: what was told to whom, what did not arrive, and whether a channel works."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from governance.errors import ConfigurationError, NotDelivered
from jobs import home
from jobs.commands.options import ActorEmail, Output, noun, the_actor, the_house
from jobs.commands.printing import Format, say, show

app = noun("Notices.")
notices = noun("Notices: what was told to whom, and what did not arrive.")
app.add_typer(notices, name="notices")
ROW = (
    *("id", "status", "to", "kind", "about", "title", "body", "link", "made_at", "due_at", "sent_at", "attempts"),
    *("channels", "error"),
)
SHOWN = ("id", "status", "to", "title", "body", "due_at", "sent_at", "attempts", "error")
STATES = ("waiting", "sent", "failed", "dropped")


@notices.command("list")
def list_notices(
    status: Annotated[str | None, typer.Option(metavar="S", help=", ".join(STATES) + ".")] = None,
    to: Annotated[str | None, typer.Option(metavar="EMAIL", help="Only to this person, or room/NAME.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many, the newest first.")] = 1000,
    format: Output = Format.TABLE,
) -> None:
    """Show notices with what became of them, the newest first."""
    from governance.views.notices import listed

    if status is not None and status not in STATES:
        raise ConfigurationError(f"--status: {status!r} is no status; there are: {', '.join(STATES)}")
    rows: list[dict[str, Any]] = [notice.model_dump() for notice in listed(the_house(), status, to, limit)]
    show([{name: row[name] for name in ROW} for row in rows], format, SHOWN, empty="no notices")


@notices.command()
def retry(
    ids: Annotated[list[str], typer.Argument(metavar="ID…")],
    actor: ActorEmail = None,
) -> None:
    """Have notices tried again that have failed."""
    from governance import notices as told

    house = the_house()
    number = told.again(house, the_actor(house, actor), home.clock(), ids)
    say(f"{number} will be sent within half a minute by the worker, or now by: leaverwatch jobs run remind")


@notices.command("test")
def try_out(actor: ActorEmail = None) -> None:
    """Send a test over every channel, to yourself where it reaches persons; says what arrived and what did not."""
    from jobs.remind import try_out as tried

    house = the_house()
    if not house.settings.notify.channel:
        raise ConfigurationError(
            "no [[notify.channel]] is named: nobody is told anything; leaverwatch init writes examples"
        )
    failures = 0
    for channel, error in tried(house, the_actor(house, actor), os.environ):
        failures += error is not None
        say(f"{channel}: {error or 'taken'}")
    if failures:
        raise NotDelivered(f"{failures} of {len(house.settings.notify.channel)} channels did not take it")
