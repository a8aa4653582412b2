"""What several commands share: the house of this call, the actor, times, and the options that give them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from governance.errors import ConfigurationError
from jobs import home
from jobs.commands.printing import Format, say

if TYPE_CHECKING:
    from governance.access import Actor
    from governance.declaration import Rule
    from governance.house import House
    from governance.views.runs import Run

Output = Annotated[Format, typer.Option("--format", help="The form of the output.")]
ActorEmail = Annotated[str | None, typer.Option("--actor", metavar="EMAIL", help="Who decides, or LEAVERWATCH_ACTOR.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the audit.")]
AsOf = Annotated[str | None, typer.Option("--as-of", metavar="TIME", help="Look back: a date (00:00 UTC) or a time.")]


# Ids begin with the time since 1970, and thresholds of many years are added to a time or taken from it.
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 9000


class Knowing(StrEnum):
    """Which of what was ever known about an earlier day counts."""

    THEN = "then"
    NOW = "now"


KnownWhen = Annotated[
    Knowing | None,
    typer.Option(
        "--known",
        help="Of that day, what was known by then; or what is known now: readings made and pins given since, and what"
        " the source of truth said later about leavings. Without it: readings of that day whenever they were made,"
        " with the pins of then and nothing said later.",
    ),
]


def noun(help: str) -> typer.Typer:
    """A group of commands, with plain help and plain errors."""
    return typer.Typer(
        help=help, no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )


def the_house() -> House:
    """The house that LEAVERWATCH_HOME names."""
    return home.open_house(home.find_home(os.environ), os.environ, home.clock())


def the_rules() -> dict[str, Rule]:
    """The rules shipped, and those of one's own where LEAVERWATCH_HOME has any; needs no settings and no store."""
    from governance.house import rules_of

    return rules_of(home.find_home(os.environ))


def one_of(rules: Mapping[str, Rule], name: str, option: str = "") -> Rule:
    """The rule of that name; one that there is not is wrong use, and the names are told."""
    if name not in rules:
        said = f"no rule is named {name!r}; there are: {', '.join(sorted(rules))}"
        raise ConfigurationError(f"{option}: {said}" if option else said)
    return rules[name]


def the_actor(house: House, email: str | None, known: Callable[[House], Any] | None = None) -> Actor:
    """Whoever decides; without one the call is wrong use, an unknown one is NotAllowed. `known`: identities."""
    named = email or os.environ.get("LEAVERWATCH_ACTOR")
    if not named:
        raise ConfigurationError("who decides? give --actor EMAIL or set LEAVERWATCH_ACTOR")
    return home.actor_named(house, named, known)


def moment(text: str, option: str) -> datetime:
    """An instant from an ISO date (00:00 UTC) or date-time (UTC unless it says otherwise)."""
    try:
        if len(text) <= 10:
            value = datetime.combine(date.fromisoformat(text), time(), UTC)
        else:
            value = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{option}: {text!r} is not a time; expected an ISO date such as 2026-03-31 or 2026-03-31T12:00:00Z"
        ) from None
    if not FIRST_YEAR < value.year < LAST_YEAR:  # years apart, so that no zone leads out of it
        raise ConfigurationError(
            f"{option}: {text!r} is outside of what can be reckoned with: {FIRST_YEAR + 1} to {LAST_YEAR - 1}"
        )
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def looking_back(as_of: str, known: Knowing | None, option: str = "--as-of") -> tuple[datetime, datetime | None]:
    """The instant looked back to, and until when what was known counts."""
    from governance.findings.time_travel import known_at

    instant = moment(as_of, option)
    return instant, known_at(known.value if known else None, instant, home.clock())


def say_when_read_first(house: House, instant: datetime) -> None:
    """Say that nothing had been read by then, and since when something is: an empty answer is else taken for one."""
    from sqlmodel import col, func, select

    from governance.tables import Snapshot

    with house.store.read() as session:
        first = session.exec(select(func.min(col(Snapshot.at))).where(Snapshot.status == "published")).one()
    if first is None:
        say("no feed has been read yet: run leaverwatch pull")
    elif first > instant:
        say(f"no feed had been read by {instant:%Y-%m-%d %H:%M}Z; the first snapshot is of {first:%Y-%m-%d %H:%M}Z")


def knowledge(known: Knowing | None) -> str:
    """What counts, in words."""
    words = {None: "from what the feeds said up to then", Knowing.THEN: "as known then", Knowing.NOW: "as known now"}
    return words[known]


def state_population(house: House) -> Run | None:
    """Say what the last detect run looked at and how old it is: without this a list could be half of one."""
    from governance.views.population import population
    from governance.views.runs import last_run

    run = last_run(house)
    if run is None:
        say("nothing has been detected yet: run leaverwatch pull, then leaverwatch detect")
    else:
        seen = population(house, home.clock())
        say(f"As of {run.as_of:%Y-%m-%d %H:%M}Z: {seen.looked_at}; {seen.unjudged}.\n{seen.read}.")
        for more in (seen.left_behind, *seen.doubts):
            if more:
                say(f"{more}.")
    return run
