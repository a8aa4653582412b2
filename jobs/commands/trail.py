"""The audit: prove that no entry was changed, removed or put in."""

from __future__ import annotations

from typing import Annotated

import typer

from jobs.commands.options import noun, the_house
from jobs.commands.printing import Format, document, say

app = noun("The audit.")
audit = noun("The append-only, hash-chained record of who did what and why.")
app.add_typer(audit, name="audit")


@audit.command()
def verify(
    since: Annotated[int, typer.Option(metavar="SEQ", min=0, help="Only entries after this one.")] = 0,
    tip: Annotated[
        str | None, typer.Option(metavar="SEQ:HASH", help="What an earlier run printed: shows a cut tail too.")
    ] = None,
    format: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.TABLE,
) -> None:
    """Recompute the chain; names the first entry that does not fit."""
    from governance import audit as chain

    found = chain.verify(the_house().store, since=since, tip=chain.parse_tip(tip) if tip else None)
    if format is Format.JSON:
        document(
            {"ok": found.ok, "entries": found.entries, "first_bad": found.first_bad, "why": found.why, "tip": found.tip}
        )
    elif found.ok:
        entries = "entry" if found.entries == 1 else "entries"
        typer.echo(f"{found.entries:,} {entries}, unbroken; the tip is {found.tip or 'none yet'}")
    if not found.ok:
        say(f"the chain is broken at entry {found.first_bad}: {found.why}")
        raise typer.Exit(1)
