"""Remediations: propose, approve, run, prove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlmodel import col, select

from governance.errors import ConfigurationError
from governance.house import House
from governance.tables import Finding, Remediation
from jobs import home, work
from jobs.commands.options import ActorEmail, Output, Reason, noun, one_of, the_actor, the_house
from jobs.commands.printing import Format, say, show

if TYPE_CHECKING:
    from jobs.remediate import Outcome

app = noun("Remediations.")
remediate = noun("Carrying out a removal, from proposal to proof.")
app.add_typer(remediate, name="remediate")
Ids = Annotated[list[str], typer.Argument(metavar="ID…")]
ROW = ("id", "status", "application", "account_id", "action", "finding", "proposed_by", "approved_by", "evidence")
SHOWN = ("id", "status", "application", "account_id", "action", "proposed_by", "approved_by")
STATES = (
    *("proposed", "approved", "scheduled", "executing", "executed", "verified"),
    *("rejected", "expired", "failed", "cancelled", "undone"),
)


@remediate.command()
def propose(
    reason: Reason,
    finding: Annotated[list[str] | None, typer.Option(metavar="FINGERPRINT", help="May be given again.")] = None,
    rule: Annotated[str | None, typer.Option(metavar="R", help="Every open finding of this rule.")] = None,
    application: Annotated[str | None, typer.Option(metavar="A", help="With --rule: only there.")] = None,
    actor: ActorEmail = None,
) -> None:
    """Propose to close the accounts of these findings; prints the ids of the remediations."""
    from governance import remediation

    if bool(finding) == bool(rule) or (application and not rule):
        raise ConfigurationError("give either --finding FINGERPRINT… or --rule R [--application A]")
    house = the_house()
    who = the_actor(house, actor)
    home.announce(house, home.clock())  # whether an application can be changed is read from what connectors declare
    fingerprints = list(finding or ()) or _open(house, str(rule), application)
    if not fingerprints:
        say("no open finding fits: nothing was proposed")
        return
    for proposed in remediation.propose(house, who, home.clock(), fingerprints, reason):
        typer.echo(proposed.id)


def _open(house: House, rule: str, application: str | None) -> list[str]:
    one_of(house.rules, rule, "--rule")
    wanted = select(Finding.fingerprint).where(Finding.rule == rule, Finding.status == "open")
    if application:
        house.settings.application_named(application)
        wanted = wanted.where(Finding.application == application)
    with house.store.read() as session:
        return list(session.exec(wanted.order_by(col(Finding.score).desc(), col(Finding.fingerprint))).all())


@remediate.command()
def approve(ids: Ids, reason: Reason, actor: ActorEmail = None) -> None:
    """Approve what somebody else proposed, bound to the exact plan."""
    from governance import remediation

    house = the_house()
    remediation.approve(house, the_actor(house, actor), home.clock(), ids, reason)
    _told(house, ids)


@remediate.command()
def reject(ids: Ids, reason: Reason, actor: ActorEmail = None) -> None:
    """Reject what was proposed; its finding is open again."""
    from governance import remediation

    house = the_house()
    remediation.reject(house, the_actor(house, actor), home.clock(), ids, reason)
    _told(house, ids)


@remediate.command()
def run(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]…", help="Else every approved one.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    format: Output = Format.TABLE,
) -> None:
    """Carry out what is approved and read each account back at once."""
    house = the_house()
    home.audit_act(house, home.clock())
    outcomes = work.remediate(house, ids or None, "command line", dry_run)
    _tell(house, outcomes, format, "nothing is approved")
    if dry_run:
        say("dry run: no call was made and nothing was stored")


def _tell(house: House, outcomes: Sequence[Outcome], format: Format, empty: str) -> None:
    """The remediations as this run leaves them; exit code 1 names those that are not proved."""
    rows = {row["id"]: row for row in _rows(house, [outcome.id for outcome in outcomes])}
    show([rows[o.id] | {"status": o.status} for o in outcomes if o.id in rows], format, SHOWN, empty=empty)
    for outcome in outcomes:
        if outcome.message:
            say(f"{outcome.id}: {outcome.application}/{outcome.account_id}: {outcome.message}")
    if any(outcome.status not in ("verified", "planned") for outcome in outcomes):
        raise typer.Exit(1)


@remediate.command()
def done(id: Annotated[str, typer.Argument(metavar="ID")], actor: ActorEmail = None) -> None:
    """Note that a manual task is done; the next file of the application proves it."""
    from governance import remediation

    house = the_house()
    remediation.done(house, the_actor(house, actor), home.clock(), id)
    _told(house, [id])


@remediate.command()
def undo(id: Annotated[str, typer.Argument(metavar="ID")], actor: ActorEmail = None) -> None:
    """Let the account sign in again."""
    house = the_house()
    home.audit_act(house, home.clock())
    work.undo(house, the_actor(house, actor), id)
    _told(house, [id])


@remediate.command("list")
def list_remediations(
    status: Annotated[str | None, typer.Option(metavar="S", help=", ".join(STATES))] = None,
    format: Output = Format.TABLE,
) -> None:
    """List remediations, the newest first."""
    if status is not None and status not in STATES:
        raise ConfigurationError(f"--status: expected one of {', '.join(STATES)}, not {status!r}")
    house = the_house()
    wanted = select(Remediation).order_by(col(Remediation.id).desc())
    if status:
        wanted = wanted.where(Remediation.status == status)
    with house.store.read() as session:
        rows = [_row(row) for row in session.exec(wanted)]
    show(rows, format, SHOWN, empty="there is no remediation")


@app.command()
def verify(format: Output = Format.TABLE) -> None:
    """Read every executed remediation's account again: inactive or gone is verified."""
    house = the_house()
    _tell(house, work.verify(house, "command line"), format, "nothing waits for its proof")


def _rows(house: House, ids: Sequence[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    with house.store.read() as session:
        for start in range(0, len(ids), 500):
            some = col(Remediation.id).in_(ids[start : start + 500])
            found += [_row(row) for row in session.exec(select(Remediation).where(some).order_by(Remediation.id))]
    return found


def _row(row: Remediation) -> dict[str, Any]:
    return {key: getattr(row, key) for key in ROW}


def _told(house: House, ids: Sequence[str]) -> None:
    for row in _rows(house, ids):
        say(f"{row['id']}: {row['application']}/{row['account_id']} is {row['status']}")
