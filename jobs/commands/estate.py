"""The estate: accounts, identities, and what one identity has, now or at an earlier time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from governance.errors import DecisionError
from governance.house import House
from jobs.commands.options import AsOf, Output, moment, noun, state_population, the_house
from jobs.commands.printing import Format, say, show

if TYPE_CHECKING:
    from governance.views.runs import Run

app = noun("The estate.")
ACCOUNT = (
    *("application", "account_id", "username", "email", "display_name", "external_id", "employee_id", "kind", "active"),
    *("last_seen_at", "last_seen_known", "created_at", "mfa", "privileged", "present", "last_present_at"),
    *("owner_id", "owner_name", "owner_state", "owner_ended_at", "match", "match_key", "candidates"),
    *("provenance", "provenance_confidence"),
)
IDENTITY = (
    *("identity_id", "source", "employee_id", "kind", "state", "ended_at", "ended_why", "contract_end", "hire_at"),
    *("display_name", "email", "aliases", "former_emails", "department", "title", "manager_id"),
    *("former_department", "moved_at", "present", "last_present_at"),
)


@app.command()
def accounts(as_of: AsOf = None, format: Output = Format.TABLE) -> None:
    """List every account with whose it is and how that is known."""
    house = the_house()
    with _estate(house, as_of) as run:
        rows = _rows(run, "accounts", ACCOUNT, "application", "account_id")
    columns = ("application", "username", "active", "owner_name", "owner_state", "match", "last_seen_at", "privileged")
    show(rows, format, columns, empty="no account is known")


@app.command()
def identities(as_of: AsOf = None, format: Output = Format.TABLE) -> None:
    """List everybody the sources of truth know or knew."""
    house = the_house()
    with _estate(house, as_of) as run:
        rows = _rows(run, "identities", IDENTITY, "identity_id")
    columns = ("identity_id", "display_name", "state", "ended_at", "department", "title", "email", "present")
    show(rows, format, columns, empty="no identity is known")


@app.command()
def access(
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="As source:employee_id, or an e-mail.")],
    as_of: AsOf = None,
    format: Output = Format.TABLE,
) -> None:
    """List what one identity has: every account, with the entitlements it holds."""
    house = the_house()
    with _estate(house, as_of) as run:
        rows = _access(run, identity)
    columns = ("application", "username", "active", "entitlements", "last_seen_at", "match_key")
    show(rows, format, columns, empty=f"{identity} has no account")


@contextlib.contextmanager
def _estate(house: House, as_of: str | None) -> Iterator[Run]:
    """The newest stored estate, or one computed as of an earlier time and stored nowhere."""
    from governance.findings import evaluated
    from governance.views.runs import Run

    if as_of is not None:
        with evaluated(house, moment(as_of, "--as-of")) as evaluation:
            say(f"As of {evaluation.as_of:%Y-%m-%d %H:%M}Z, from what the feeds had said by then.")
            yield Run(id="", as_of=evaluation.as_of, finished_at=None, estate=evaluation.folder)
        return
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


def _access(run: Run, identity: str) -> list[dict[str, Any]]:
    import polars as pl

    people, accounts = run.table("identities"), run.table("accounts")
    named = (pl.col("identity_id") == identity) | (pl.col("email").str.to_lowercase() == identity.lower())
    found = [] if people is None else people.filter(named).select("identity_id").collect()["identity_id"].to_list()
    if not found or accounts is None:
        raise DecisionError(f"no identity is known as {identity!r}; expected source:employee_id or an e-mail")
    columns = ("application", "account_id", "username", "active", "privileged", "last_seen_at", "match", "match_key")
    own = accounts.filter(pl.col("owner_id").is_in(found)).select(columns).sort("application", "account_id").collect()
    held = _held(run, own.lazy())
    return [row | {"entitlements": held.get((row["application"], row["account_id"]), Held())} for row in own.to_dicts()]


def _held(run: Run, own: Any) -> dict[tuple[str, str], Held]:
    grants, entitlements = run.table("grants"), run.table("entitlements")
    found: dict[tuple[str, str], Held] = {}
    if grants is None or entitlements is None:
        return found
    key = ["application", "account_id"]
    named = grants.join(entitlements, on=["application", "entitlement_id"], how="left").join(own.select(key), on=key)
    for row in named.select(*key, "name", "privileged", "how", "since").sort(*key, "name").collect().to_dicts():
        grant = {name: row[name] for name in ("name", "privileged", "how", "since")}
        found.setdefault((row["application"], row["account_id"]), Held()).append(grant)
    return found


class Held(list[dict[str, Any]]):
    """What an account holds: names in a table, everything in the other forms."""

    def __str__(self) -> str:
        return ", ".join(f"{grant['name']}{'!' if grant['privileged'] else ''}" for grant in self)
