"""The radar: who fills each application, what came of two writers, and what happens there when somebody leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jobs.commands.options import Output, noun, state_population, the_house
from jobs.commands.printing import Format, say, show

if TYPE_CHECKING:
    from governance.views.radar import Provisioned

app = noun("Radar.")
SHOWN = ("application", "writers", "consequences", "when_somebody_leaves")


@app.command()
def radar(
    application: Annotated[str | None, typer.Option(metavar="A", help="Only this application.")] = None,
    format: Output = Format.TABLE,
) -> None:
    """Show who fills each application, what came of two writers with the steps that end it, and what leavers keep."""
    from governance.views.applications import closable
    from governance.views.radar import provisioned, ways_out

    house = the_house()
    if application is not None:
        house.settings.application_named(application)
    state_population(house)
    every = provisioned(house)
    found = [one for name, one in every.items() if application in (None, name)]
    if format is not Format.TABLE:
        show([_row(one) for one in found], format)
        return
    show([_line(one) for one in found], format, SHOWN, empty="no application has been judged yet")
    for one in found:
        for consequence in one.found:
            say(f"\n{one.title}: {consequence.title}. {consequence.sentence}")
            for number, step in enumerate(consequence.steps, 1):
                say(f"  {number}. {step}")
    ways = ways_out(every.values(), closable(house))
    if ways.share is not None:
        say(f"\n{ways.share:.0f} % of {ways.born:,} accounts made by a sign-in (JIT) have a removal path.")


def _line(one: Provisioned) -> dict[str, Any]:
    return {
        "application": one.application,
        "writers": ", ".join(writer.name for writer in one.writers) or "unknown",
        "consequences": ", ".join(found.kind for found in one.found) or _nothing(one),
        "when_somebody_leaves": one.said or "not yet seen",
    }


def _nothing(one: Provisioned) -> str:
    return f"{len(one.unknown)} not evaluable" if one.unknown else "none"


def _row(one: Provisioned) -> dict[str, Any]:
    return {
        "application": one.application,
        "writers": [
            {"writer": w.name, "since": w.since, "last": w.last, "accounts": w.accounts, "told": w.told}
            for w in one.writers
        ],
        "consequences": [
            {"kind": f.kind, "accounts": f.accounts, "since": f.since, "sentence": f.sentence, "steps": list(f.steps)}
            | {"examples": list(f.examples)}
            for f in one.found
        ],
        "not_evaluable": {kind: why for kind, _, why in one.unknown},
        "leaving": {"said": one.said, "tone": one.leaving.tone, **one.leaving.kept()} if one.leaving else None,
        "born_by_sign_in": one.born,
        "reached_by_push": one.reached,
    }
