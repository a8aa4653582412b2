"""Changing a role mapping: a draft, a second person who agrees, and the record of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jobs import home
from jobs.commands.mapping_options import Application, Id, Into, given, mapping
from jobs.commands.options import ActorEmail, Reason, the_actor, the_house
from jobs.commands.printing import say

if TYPE_CHECKING:
    pass


@mapping.command()
def draft(
    application: Application,
    source: Annotated[Path, typer.Option("--from", metavar="FILE", help="A table (CSV, XLSX) or a document (JSON).")],
    actor: ActorEmail = None,
) -> None:
    """Keep a mapping as a draft; prints its version."""
    from governance import mappings

    house = the_house()
    mappings.note(house, home.clock())
    made = given(house, application, source, None)
    kept = mappings.save(house, the_actor(house, actor), home.clock(), application, made)
    typer.echo(f"{application}/{kept.number}")


@mapping.command("import")
def import_mapping(
    application: Application,
    source: Annotated[str, typer.Option("--from", metavar="NAME", help="A connected system that tells it.")],
    into: Into = None,
    actor: ActorEmail = None,
) -> None:
    """Read what a system is set up to give in an application, and keep it as a draft; prints its version.

    With --into it is only written, as the document that `--from` of other commands reads.
    """
    from governance import mappings
    from governance.provisioning.written import document as written
    from jobs import importing

    house = the_house()
    mappings.note(house, home.clock())
    if into is not None:
        found = importing.read(house, application, source, os.environ)
        into.write_text(json.dumps(written(found.mapping), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        say(f"written to {into}: look at it, then `leaverwatch mapping diff {application} --from {into}`")
        left_out = found.left_out
    else:
        kept, left_out = importing.keep(house, the_actor(house, actor), application, source, os.environ)
        typer.echo(f"{application}/{kept.number}")
    for said in left_out:
        say(f"not a line: {said}")


@mapping.command()
def ask(version: Id, reason: Reason, actor: ActorEmail = None) -> None:
    """Ask a second person to agree to one's own draft."""
    from governance import mappings
    from governance.views.mappings import before, changes

    house = the_house()
    told = changes(before(house, mappings.version(house, version)))
    kept = mappings.ask(house, the_actor(house, actor), home.clock(), version, reason, told)
    say(f"{version} waits for a second person: it {kept.changes['sentence']}")


@mapping.command()
def approve(version: Id, reason: Reason, actor: ActorEmail = None) -> None:
    """Agree to somebody else's version and write it into leaverwatch.toml."""
    from governance import mappings
    from jobs.mappings import bring_in

    house = the_house()
    kept = mappings.agree(house, the_actor(house, actor), home.clock(), version, reason)
    live = bring_in(house, kept.id, os.environ)
    say(f"{version} is live: rules read it from the next detect run on; the applications themselves were not touched")
    typer.echo(live.digest)


@mapping.command()
def reject(version: Id, reason: Reason, actor: ActorEmail = None) -> None:
    """Refuse a version that waits, or withdraw one's own."""
    from governance import mappings

    house = the_house()
    kept = mappings.reject(house, the_actor(house, actor), home.clock(), version, reason)
    say(f"{version} is {kept.status}")


@mapping.command()
def export(version: Id, into: Into = None, actor: ActorEmail = None) -> None:
    """Write the sealed record of a change: what, who, why and for whom; `evidence verify` proves it."""
    from governance import mappings
    from governance.mappings.change_record import write_record
    from governance.views.mappings import before

    house = the_house()
    kept = mappings.version(house, version)
    where = into or Path(f"mapping-{kept.application}-{kept.number}.zip")
    typer.echo(str(write_record(house, the_actor(house, actor), home.clock(), kept, before(house, kept), where)))
