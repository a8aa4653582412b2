"""Campaigns: begin an access review, decide in it, close it."""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlmodel import col, select

from governance.errors import ConfigurationError, DecisionError
from governance.house import House
from governance.tables import Campaign, ReviewItem
from jobs import home
from jobs.commands.options import ActorEmail, Output, Reason, moment, noun, the_actor, the_house
from jobs.commands.printing import Format, document, say, show

if TYPE_CHECKING:
    from governance.campaigns import Decision

app = noun("Campaigns.")
campaign = noun("Access reviews: who may keep what.")
app.add_typer(campaign, name="campaign")
Id = Annotated[str, typer.Argument(metavar="ID")]
Title = Annotated[str, typer.Option("--title", help="What the reviewers read.")]
TemplateName = Annotated[str | None, typer.Option("--template", help="Begin with this scope and plan.")]
ScopeFile = Annotated[Path | None, typer.Option("--scope", metavar="FILE", help="The scope as TOML or JSON.")]
Applications = Annotated[list[str] | None, typer.Option("--application", metavar="A", help="May be given again.")]
Privileged = Annotated[bool, typer.Option("--privileged", help="Only privileged access.")]
Accounts = Annotated[bool, typer.Option("--accounts", help="Decide about accounts, not about each grant.")]
Level = Annotated[
    list[str] | None,
    typer.Option(
        "--level", metavar="WAYS", help="manager, application_owner, entitlement_owner or e-mails, comma-separated."
    ),
]
Fallback = Annotated[str | None, typer.Option("--fallback", metavar="EMAIL", help="Who decides where nobody is found.")]
Days = Annotated[int | None, typer.Option("--days", help="How long reviewers have.")]
Undecided = Annotated[str | None, typer.Option("--undecided", help="escalate, keep or remove at close.")]
ROW = ("id", "title", "status", "items", "decided", "launched_at", "due_at", "closed_at")


@campaign.command()
def create(
    title: Title,
    template: TemplateName = None,
    scope: ScopeFile = None,
    application: Applications = None,
    privileged: Privileged = False,
    accounts: Accounts = False,
    level: Level = None,
    fallback: Fallback = None,
    days: Days = None,
    undecided: Undecided = None,
    actor: ActorEmail = None,
) -> None:
    """Draft a campaign; prints its id. Nobody is asked before it is launched."""
    from governance import campaigns

    house = the_house()
    wanted, plan = _told(template, scope, application, privileged, accounts, level, fallback, days, undecided)
    made = campaigns.create(house, the_actor(house, actor), home.clock(), title, wanted, plan, template=template)
    typer.echo(made.id)


@campaign.command()
def preview(id: Id, actor: ActorEmail = None, output: Output = Format.TABLE) -> None:
    """What a launch would begin now, and every item nobody could decide."""
    from dataclasses import asdict

    from governance import campaigns

    house = the_house()
    draft = campaigns.load(house, id)
    seen = campaigns.preview(house, the_actor(house, actor), home.clock(), draft.scope, draft.plan)
    if output is not Format.TABLE:
        document({**asdict(seen), "left_out": [_named(row) for row in seen.left_out]})
        return
    from governance.findings.headline import count

    say(
        f"{count(seen.items, 'item', 'items')}: {count(seen.accounts, 'account', 'accounts')} of"
        f" {count(seen.people, 'person', 'people')}, {seen.privileged:,} privileged"
    )
    for email, number in list(seen.reviewers.items())[:20]:
        say(f"  {email}: {number:,}")
    for why, number in seen.fallbacks.items():
        say(f"  {number:,} {'goes' if number == 1 else 'go'} to the fallback: {why}")
    for one in seen.asked:
        say(f"  {one.said}")
    for row in seen.left_out:
        say(f"  left out: {row['application']}/{row['username']}: {row['left_out']}")
    for row in seen.unresolved:
        say(f"  nobody may decide {row['application']}/{row['username']}: {row['why']}")
    if seen.unknown:
        say(f"  without a role in the settings: {', '.join(seen.unknown)}")


@campaign.command()
def launch(id: Id, actor: ActorEmail = None) -> None:
    """Freeze the population and ask the reviewers."""
    from governance import campaigns

    house = the_house()
    made = campaigns.launch(house, the_actor(house, actor), home.clock(), id)
    for one in campaigns.asked_besides(house, id):
        say(f"note: {one.said}")
    say(f"“{made.title}” runs until {made.due_at:%Y-%m-%d}; population SHA-256 {made.population_sha256}")


@campaign.command()
def decide(
    id: Id,
    number: Annotated[list[int] | None, typer.Option("--number", metavar="N", help="May be given again.")] = None,
    decision: Annotated[str | None, typer.Option("--decision", help="keep, remove, change, not_mine or undo.")] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="CSV", help="application, account_id, entitlement, decision, reason: a row each."
        ),
    ] = None,
    actor: ActorEmail = None,
) -> None:
    """Decide items that are yours: by number, or many from a file."""
    from governance import campaigns

    if bool(number) == bool(file) or (number and not decision):
        raise ConfigurationError("give either --number N… with --decision WORD, or --file CSV")
    house = the_house()
    who = the_actor(house, actor)
    wanted = [campaigns.Decision(n, str(decision), reason) for n in number or ()] or list(_from_file(house, id, file))
    done = 0
    for start in range(0, len(wanted), 2_000):
        done += len(campaigns.decide(house, who, home.clock(), id, wanted[start : start + 2_000]))
    say(f"{done:,} {'decision' if done == 1 else 'decisions'} noted")


def _from_file(house: House, id: str, file: Path | None) -> Iterator[Decision]:
    from governance.campaigns import Decision

    with house.store.read() as session:
        items = session.exec(select(ReviewItem).where(ReviewItem.campaign == id))
        known = {(item.application, item.account_id, item.entitlement or ""): item.number for item in items}
    if file is None:
        return
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{file}: this is no CSV file in UTF-8") from error
    for place, row in enumerate(rows, start=2):
        key = (row.get("application") or "", row.get("account_id") or "", row.get("entitlement") or "")
        if key not in known:
            raise DecisionError(f"{file}: line {place}: this campaign has no item {'/'.join(filter(None, key))}")
        yield Decision(known[key], (row.get("decision") or "").strip(), row.get("reason") or "")


@campaign.command()
def close(id: Id, actor: ActorEmail = None) -> None:
    """End a campaign: removals are proposed, evidence is built by the worker or by `evidence export`."""
    from governance import campaigns

    house = the_house()
    home.announce(house, home.clock())  # whether an application can be changed is read from what connectors declare
    made = campaigns.close(house, the_actor(house, actor), home.clock(), id)
    say(f"“{made.title}” is closed: {json.dumps(made.outcome, sort_keys=True)}")


@campaign.command()
def remind(
    id: Id,
    reviewer: Annotated[str | None, typer.Option("--reviewer", metavar="EMAIL", help="This one alone.")] = None,
    actor: ActorEmail = None,
) -> None:
    """Remind everybody who has open items; within an hour nobody is reminded twice."""
    from governance import campaigns

    house = the_house()
    told = campaigns.remind(house, the_actor(house, actor), home.clock(), id, reviewer)
    say(f"{len(told.now):,} reminded{': ' if told.now else ''}{', '.join(told.now)}")
    if told.lately:
        say(f"not again within an hour: {', '.join(told.lately)}")


@campaign.command()
def cancel(id: Id, reason: Reason, actor: ActorEmail = None) -> None:
    """End a campaign without an outcome."""
    from governance import campaigns

    house = the_house()
    campaigns.cancel(house, the_actor(house, actor), home.clock(), id, reason)


@campaign.command()
def delegate(
    deputy: Annotated[str, typer.Option("--to", metavar="EMAIL", help="Who decides in the other's place.")],
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="A date or a time, at most 90 days away.")],
    reason: Reason,
    of: Annotated[
        str | None, typer.Option("--of", metavar="EMAIL", help="Whose reviews; your own if not given.")
    ] = None,
    actor: ActorEmail = None,
) -> None:
    """Let somebody decide your reviews for a time; security may arrange it for others."""
    from governance import campaigns

    house = the_house()
    who = the_actor(house, actor)
    made = campaigns.delegate(house, who, home.clock(), deputy, moment(until, "--until"), reason, of=of)
    say(f"{made.deputy} decides the reviews of {made.actor} until {made.until:%Y-%m-%d %H:%M}Z")


@campaign.command()
def schedule(
    title: Title,
    every_months: Annotated[int, typer.Option("--every-months", help="1 to 24.")],
    template: TemplateName = None,
    scope: ScopeFile = None,
    application: Applications = None,
    privileged: Privileged = False,
    accounts: Accounts = False,
    level: Level = None,
    fallback: Fallback = None,
    days: Days = None,
    undecided: Undecided = None,
    first: Annotated[str | None, typer.Option("--first", metavar="TIME", help="When; now if not given.")] = None,
    actor: ActorEmail = None,
) -> None:
    """Begin such a campaign again and again, once the data are fresh enough; prints the id of the schedule."""
    from governance import campaigns

    house = the_house()
    wanted, plan = _told(template, scope, application, privileged, accounts, level, fallback, days, undecided)
    begin = moment(first, "--first") if first else None
    made = campaigns.schedule(
        house, the_actor(house, actor), home.clock(), title, wanted, plan, every_months, template=template, first=begin
    )
    typer.echo(made.id)


@campaign.command("list")
def list_(output: Output = Format.TABLE) -> None:
    """Every campaign, the newest first."""
    from governance.campaigns import ASKED

    house = the_house()
    kept = col(Campaign.template).is_distinct_from(ASKED)  # single removals that managers asked for are no reviews
    with house.store.read() as session:
        rows = session.exec(select(Campaign).where(kept).order_by(col(Campaign.id).desc())).all()
        counted = _counted(house)
    show([_row(row, counted) for row in rows], output, ROW)


def _counted(house: House) -> dict[str, tuple[int, int]]:
    import sqlalchemy as sa

    query = select(ReviewItem.campaign, sa.func.count(), sa.func.count(col(ReviewItem.decision))).where(
        col(ReviewItem.control).is_(False)
    )
    with house.store.read() as session:
        rows = session.exec(query.group_by(col(ReviewItem.campaign))).all()
    return {id: (int(items), int(decided)) for id, items, decided in rows}


def _row(row: Campaign, counted: dict[str, tuple[int, int]]) -> dict[str, Any]:
    items, decided = counted.get(row.id, (0, 0))
    return {**row.model_dump(), "items": items, "decided": decided}


def _named(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("application", "account_id", "username", "entitlement", "left_out")}


def _told(
    template: str | None,
    file: Path | None,
    application: list[str] | None,
    privileged: bool,
    accounts: bool,
    level: list[str] | None,
    fallback: str | None,
    days: int | None,
    undecided: str | None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The scope and the plan of the options: what a template says, below what is given."""
    from governance.campaigns import TEMPLATES

    if template is not None and template not in TEMPLATES:
        raise ConfigurationError(f"--template: {template!r}; there are: {', '.join(TEMPLATES)}")
    base = TEMPLATES[template] if template else None
    scope = {**(base.scope if base else {}), **(_scope_in(file) if file else {})}
    plan = dict(base.plan if base else {})
    scope |= {"applications": application} if application else {}
    scope |= {"privileged": True} if privileged else {}
    scope |= {"items": "accounts"} if accounts else {}
    plan |= {"levels": [[way.strip() for way in one.split(",")] for one in level]} if level else {}
    given = {"fallback": fallback, "days": days, "undecided": undecided}
    if "@" not in str(fallback or plan.get("fallback") or ""):
        raise ConfigurationError("--fallback: name who decides where no reviewer is found, by their e-mail")
    return scope, plan | {key: value for key, value in given.items() if value is not None}


def _scope_in(file: Path) -> dict[str, Any]:
    try:
        text = file.read_text(encoding="utf-8")
        return dict(json.loads(text) if file.suffix == ".json" else tomllib.loads(text))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: expected a scope as TOML or JSON: {error}") from error
