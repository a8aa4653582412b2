"""Comparing two days: what came and went between them, in access and in findings."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from governance.errors import ConfigurationError
from jobs.commands.options import (
    KnownWhen,
    Output,
    knowledge,
    looking_back,
    noun,
    say_when_read_first,
    the_house,
)
from jobs.commands.printing import Format, document, say, show

if TYPE_CHECKING:
    from governance.findings.comparison import Comparison, Pictured
    from governance.house import House

app = noun("Two days side by side.")
LISTED: Final = ("change", "application", "username", "identity_name", "entitlement", "rule", "before", "after")


@app.command()
def compare(
    since: Annotated[str, typer.Argument(metavar="FROM", help="The earlier time.")],
    until: Annotated[str, typer.Argument(metavar="TO", help="The later time.")],
    application: Annotated[str | None, typer.Option(metavar="A", help="Only of this application.")] = None,
    identity: Annotated[
        str | None, typer.Option(metavar="I", help="Only of this identity: source:employee_id.")
    ] = None,
    known: KnownWhen = None,
    format: Output = Format.TABLE,
) -> None:
    """Show what changed between two times: accounts, grants, identities, and findings of the rules of today.

    A table counts the changes, or lists them for one identity; json tells both, csv and jsonl hold every change.
    """
    house = the_house()
    if application is not None:
        house.settings.application_named(application)
    first, last = (looking_back(text, known, name) for text, name in ((since, "FROM"), (until, "TO")))
    if first[0] >= last[0]:
        raise ConfigurationError(f"FROM {since} is not before TO {until}")
    found = _compared(house, first, last).of(application, identity)
    say(f"From {first[0]:%Y-%m-%d %H:%M}Z to {last[0]:%Y-%m-%d %H:%M}Z, {knowledge(known)}.")
    say_when_read_first(house, first[0])
    unread = [feed.name for feed in house.settings.feeds if feed.name not in found.compared]
    for feed in unread:
        times = "only one" if feed in found.not_comparable else "neither"
        say(f"not comparable: {house.settings.feed(feed).label} had been read by {times} of the two times")
    if format is Format.JSON:
        told = {"counts": found.counts, "rules": found.rules, "changes": found.changes.to_dicts()}
        document({"from": first[0], "to": last[0], "known": known, "not_comparable": sorted(unread), **told})
        return
    compared = application in found.compared if application else bool(found.compared)
    nothing = "nothing changed" if compared else "nothing could be compared"
    if identity is not None or format is not Format.TABLE:
        rows = found.changes.iter_rows(named=True)
        show(rows, format, LISTED if format is Format.TABLE else found.changes.columns, empty=nothing)
    else:
        _count(found, nothing)


def _compared(house: House, first: tuple[Any, Any], last: tuple[Any, Any]) -> Comparison:
    from governance.findings import evaluated
    from governance.findings.comparison import Pictured, compare

    def pictured(stack: ExitStack, instant: Any, known_at: Any) -> Pictured:
        seen = stack.enter_context(evaluated(house, instant, known_at=known_at))
        return Pictured(seen.estate, seen.verdict, frozenset(seen.facts.snapshots))

    with ExitStack() as stack:
        return compare(pictured(stack, *first), pictured(stack, *last))


def _count(found: Comparison, nothing: str) -> None:
    counts = [{"change": kind.replace("_", " "), "count": n} for kind, n in found.counts.items() if n]
    show(counts, Format.TABLE, ("change", "count"), empty=nothing)
    rules = [{"rule": name, **numbers} for name, numbers in found.rules.items()]
    if rules:
        show(rules, Format.TABLE, ("rule", "opened", "closed", "not_evaluable"))
