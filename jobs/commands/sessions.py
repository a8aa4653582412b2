"""Sessions: who is signed in to the dashboard, ending them, and the link of the first start."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from governance import sessions as kept
from jobs import home, up
from jobs.commands.options import ActorEmail, Output, noun, the_actor, the_house
from jobs.commands.printing import Format, say, show

app = noun("Sessions.")
sessions = noun("Who is signed in to the dashboard.")
app.add_typer(sessions, name="sessions")
COLUMNS = ("session", "email", "issuer", "started_at", "authenticated_at", "seen_at")


@sessions.command("list")
def list_(
    email: Annotated[str, typer.Argument(metavar="[EMAIL]", help="Everybody's without one.")] = "*",
    actor: ActorEmail = None,
    format: Output = Format.TABLE,
) -> None:
    """Show the sessions that may still be used, the last used first."""
    house = the_house()
    rows = kept.listed(house, the_actor(house, actor), home.clock(), email)
    show([_row(row) for row in rows], format, COLUMNS)


@sessions.command()
def end(email: Annotated[str, typer.Argument(metavar="EMAIL")], actor: ActorEmail = None) -> None:
    """End every session of this person: they are out at their next step."""
    house = the_house()
    ended = kept.end_all(house, the_actor(house, actor), home.clock(), email)
    say(f"{ended} session{'' if ended == 1 else 's'} of {email} ended")


@sessions.command()
def link(
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Where the dashboard listens.")] = up.PORT,
) -> None:
    """Print a link that makes whoever opens it the local administrator, once; only where nobody may act yet."""
    house = the_house()
    typer.echo(f"http://{up.ADDRESS}:{port}/start?token={kept.make_link(house, home.clock())}")


def _row(row: Any) -> dict[str, Any]:
    return {"session": row.id[:16], **row.model_dump(include=set(COLUMNS) - {"session"})}
