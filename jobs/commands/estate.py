"""The estate: accounts, identities, and what one identity has, now or at an earlier time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from governance.errors import ConfigurationError, DecisionError
from governance.house import House
from jobs.commands.options import (
    AsOf,
    Knowing,
    KnownWhen,
    Output,
    knowledge,
    looking_back,
    noun,
    say_when_read_first,
    state_population,
    the_house,
)
from jobs.commands.printing import Format, say, show

if TYPE_CHECKING:
    from governance.views.runs import Run

app = noun("The estate.")
Present = Annotated[
    bool, typer.Option("--present", help="Leave out what is remembered only: the last reading did not hold it.")
]
ACCOUNT = (
    *("application", "account_id", "username", "email", "display_name", "external_id", "employee_id", "kind", "active"),
    *("last_seen_at", "last_seen_known", "created_at", "mfa", "privileged", "present", "last_present_at"),
    *("owner_id", "owner_name", "owner_state", "owner_ended_at", "match", "match_key", "candidates"),
    *("provenance", "provenance_confidence", "provenance_because", "provenance_at_s", "provenance_by"),
    *("provenance_event", "provenance_subject", "provenance_together"),
)
IDENTITY = (
    *("identity_id", "source", "employee_id", "kind", "state", "ended_at", "ended_why", "contract_end", "hire_at"),
    *("display_name", "email", "aliases", "former_emails", "department", "title", "manager_id"),
    *("former_department", "moved_at", "present", "last_present_at"),
)


@app.command()
def accounts(
    as_of: AsOf = None, known: KnownWhen = None, present: Present = False, format: Output = Format.TABLE
) -> None:
    """List every account with whose it is and how that is known, also those that are remembered only."""
    house = the_house()
    with _estate(house, as_of, known) as run:
        rows = _still(_rows(run, "accounts", ACCOUNT, "application", "account_id"), "account", only=present)
    columns = (
        *("application", "username", "active", "owner_name", "owner_state", "match", "last_seen_at", "privileged"),
        "present",
    )
    show(rows, format, columns, empty="no account is known")


@app.command()
def identities(
    as_of: AsOf = None, known: KnownWhen = None, present: Present = False, format: Output = Format.TABLE
) -> None:
    """List everybody the sources of truth know or knew."""
    house = the_house()
    with _estate(house, as_of, known) as run:
        rows = _still(_rows(run, "identities", IDENTITY, "identity_id"), "identity", "identities", only=present)
    columns = ("identity_id", "display_name", "state", "ended_at", "department", "title", "email", "present")
    show(rows, format, columns, empty="no identity is known")


@app.command()
def access(
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="As source:employee_id, or an e-mail.")],
    as_of: AsOf = None,
    known: KnownWhen = None,
    format: Output = Format.TABLE,
) -> None:
    """List what one identity has: every account, with the entitlements it holds and how it came to be."""
    house = the_house()
    with _estate(house, as_of, known) as run:
        rows = _access(house, run, identity)
    columns = ("application", "username", "active", "entitlements", "last_seen_at", "match_key", "came")
    show(rows, format, columns, empty=f"{identity} has no account")


@contextlib.contextmanager
def _estate(house: House, as_of: str | None, known: Knowing | None) -> Iterator[Run]:
    """The newest stored estate, or one computed as of an earlier time and stored nowhere."""
    from governance.findings.time_travel import looked_back
    from governance.views.runs import Run

    if as_of is not None:
        instant, known_at = looking_back(as_of, known)
        with looked_back(house, instant, known_at) as seen:
            say(f"As of {instant:%Y-%m-%d %H:%M}Z, {knowledge(known)}.")
            say_when_read_first(house, instant)
            yield Run(id="", as_of=instant, finished_at=None, estate=seen.folder)
        return
    if known is not None:
        raise ConfigurationError("--known: of which day? give --as-of TIME")
    run = state_population(house)
    if run is None:
        raise DecisionError("there is no estate to look at")
    yield run


def _rows(run: Run, table: str, columns: tuple[str, ...], *order: str) -> list[dict[str, Any]]:
    frame = run.table(table)
    if frame is None:
        return []
    known = frame.collect_schema().names()
    return frame.select([name for name in columns if name in known]).sort(order).collect().to_dicts()


def _still(rows: list[dict[str, Any]], one: str, many: str = "", *, only: bool) -> list[dict[str, Any]]:
    """The rows, or only those that the last reading held; says how many are remembered, as the population has none."""
    from governance.views.words import count

    there = [row for row in rows if row.get("present") is not False]
    gone = len(rows) - len(there)
    if gone and not only:
        held = count(len(there), one, many or f"{one}s")
        say(f"{held} and {gone:,} remembered, no longer read (present is false); --present leaves those out.")
    return there if only else rows


def _access(house: House, run: Run, identity: str) -> list[dict[str, Any]]:
    from governance.views.earlier import held, named

    found = [row["identity_id"] for row in named(run, identity)]
    if not found:
        raise DecisionError(f"no identity is known as {identity!r}; expected source:employee_id or an e-mail")
    return held(run, found, {a.name: a.label for a in house.settings.application})
