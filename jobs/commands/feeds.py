"""Feeds: pull them, look at their connectors, release what the guard holds."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from governance.errors import ConfigurationError, LeaverwatchError
from jobs import home, work
from jobs.commands.options import ActorEmail, Output, Reason, moment, noun, the_actor, the_house
from jobs.commands.printing import Format, document, say, show

if TYPE_CHECKING:
    from governance.house import House

app = noun("Feeds.")
PULLED = ("feed", "status", "rows_read", "kept", "rejected", "snapshot", "sha256")


@app.command()
def pull(
    feeds: Annotated[list[str] | None, typer.Argument(metavar="[FEED]…", help="Every feed when none is named.")] = None,
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Stamp a historical snapshot.")] = None,
    incremental: Annotated[bool, typer.Option(help="Read only what changed, where a feed tells that.")] = False,
    detect: Annotated[bool, typer.Option("--detect", help="Then judge everything, as `leaverwatch detect`.")] = False,
    format: Output = Format.TABLE,
) -> None:
    """Read feeds; what they say becomes a snapshot unless it is incomplete or the guard holds it.

    With --detect the run judges afterwards, also where a feed failed: then by what was last believed of it.
    """
    if detect and format is Format.CSV:
        raise ConfigurationError("--detect: csv holds one table; take json or jsonl for both")
    house = the_house()
    stamp = moment(at, "--at") if at else None
    if stamp is not None and stamp > home.clock():  # its snapshot would stand above every later one
        raise ConfigurationError(f"--at: {stamp:%Y-%m-%d %H:%M}Z has not come yet; a snapshot says what was")
    names = feeds or work.feed_names(house)
    if not names:
        say("no feed is configured: leaverwatch.toml has no [[source]] and no [[application]]")
    results = work.pull(house, names, "command line", stamp, progress=say, incremental=incremental)
    rows = [{key: getattr(result, key) for key in PULLED} for result in results]
    if not (detect and format is Format.JSON):
        show(rows, format, PULLED[:5])
    for result in results:
        if result.error:
            say(f"{result.feed}: {result.error}")
        for said in result.first_rejected:
            say(f"{result.feed}: not believed: {said}")
        if (more := result.rejected - len(result.first_rejected)) > 0:
            word, them = ("row", "it") if more == 1 else ("rows", "them")
            say(f"{result.feed}: and {more:,} more {word}; the feed's page shows {them}")
    if detect:
        _detect(house, rows, format)
    else:
        _doubts(house, [result.feed for result in results])
    if any(result.status == "held" for result in results):
        say("a guard holds what is marked held: `leaverwatch guard list` says why and how to release it")
        raise typer.Exit(3)
    if any(result.error_kind == ConfigurationError.__name__ for result in results):
        raise typer.Exit(2)
    if any(result.status != "published" for result in results):
        raise typer.Exit(1)


def _doubts(house: House, feeds: list[str]) -> None:
    """Say whose absence from these feeds does not count; a detect run says so itself."""
    from governance.snapshots import doubts

    with house.store.read() as session:
        found = doubts(session, [house.settings.feed(name) for name in feeds])
    for doubt in found.values():
        say(doubt.says)


def _detect(house: House, pulled: list[dict[str, Any]], format: Format) -> None:
    """Judge what was read, and print it; as JSON with what was pulled in one document."""
    from jobs.commands import findings

    found = work.detect(house, "command line")
    if format is Format.JSON:
        document({"pulled": pulled, "detected": findings.answer(found)})
    else:
        findings.report(house, found, format)


guard = noun("What the guard holds, until two different actors release exactly that.")
app.add_typer(guard, name="guard")
HELD = ("id", "kind", "what", "why", "at", "sha256", "released_by")


@guard.command("list")
def list_held(format: Output = Format.TABLE) -> None:
    """Show what waits for a release."""
    from governance import guards

    held = guards.list_held(the_house())
    rows = [{key: getattr(one, key) for key in HELD} for one in held]
    show(rows, format, ("id", "kind", "what", "why", "released_by"), empty="the guard holds nothing")
    if format is Format.TABLE:
        for one in held:
            say(f"{one.id}: {one.how}")


@guard.command()
def release(
    id: Annotated[str, typer.Argument(metavar="ID", help="As `guard list` shows it.")],
    reason: Reason,
    actor: ActorEmail = None,
) -> None:
    """Release exactly what is held under this id; it counts when a second, different actor has released it too."""
    from governance import guards, remediation

    house, now = the_house(), home.clock()
    held = guards.release(house, the_actor(house, actor, home.identities_told), now, id, reason)
    given = len(held.released_by)
    if given > 1 and held.kind == "feed":
        remediation.settle_by_snapshot(house, now, held.what)
    say(f"{held.what}: released by {' and '.join(held.released_by)}; " + ("it counts now" if given > 1 else "one more"))


connectors = noun("Connectors: what can be read, and whether it answers.")
app.add_typer(connectors, name="connectors")


@connectors.command("list")
def list_connectors(format: Output = Format.TABLE) -> None:
    """Show every connector with what it can do, what it tells and the least scopes it needs."""
    rows = declared()
    if format is Format.TABLE:
        rows = [{**row, "closes": closes(row), "does not tell": untold(row)} for row in rows]
        show(rows, format, ("name", "title", "kind", "closes", "does not tell"))
        say("`leaverwatch connectors check NAME` shows settings, least rights, plans and limits of one")
        return
    show(rows, format)


def declared() -> list[dict[str, Any]]:
    """Every connector as it declares itself."""
    from connectors.kit.contract import connector_class, connector_names

    return [
        {
            "name": name,
            "title": kind.title,
            "kind": kind.kind,
            "capabilities": list(kind.capabilities()),
            "tells": sorted(kind.tells),
            "scopes": {capability: list(scopes) for capability, scopes in kind.scopes.items()},
        }
        for name, kind in ((name, connector_class(name)) for name in connector_names())
    ]


CLOSES = {
    "deactivate": "accounts",
    "revoke_grant": "entitlements",
    "end_sessions": "sessions",
    "credentials": "tokens",
}
TOLD = {  # by kind: what a feed of it could tell at best
    "application": ("account.active", "account.last_seen", "account.mfa", "account.grants", "account.created_at"),
    "source": ("owner.state", "owner.ended_at", "owner.left_on", "owner.attributes"),
}


def closes(row: dict[str, Any]) -> list[str]:
    """What of an account can be taken away through this connector."""
    return [word for capability, word in CLOSES.items() if capability in row["capabilities"]]


def untold(row: dict[str, Any]) -> list[str]:
    """What it cannot tell: rules that need it are not evaluable."""
    return [signal.partition(".")[2] for signal in TOLD[row["kind"]] if signal not in row["tells"]]


@connectors.command()
def check(name: Annotated[str, typer.Argument(metavar="NAME", help="A configured feed, or a connector.")]) -> None:
    """Prove that a feed, or every feed of that connector, can be reached; a connector no feed uses is explained."""
    from connectors.kit.contract import connector_names

    house = the_house()
    feeds = [feed for feed in work.feed_names(house) if name in (feed, house.settings.feed(feed).connector)]
    if not feeds and name in connector_names():
        _explain(name)
        return
    if not feeds:
        house.settings.feed(name)  # says which names there are
    failed = False
    for feed in feeds:
        try:
            with contextlib.closing(home.connect(house, feed, home.clock())) as connector:
                checked = connector.check()
        except LeaverwatchError as error:
            failed = True
            say(f"{feed}: {type(error).__name__}: {error}")
        else:
            say(f"{feed}: can be read")
            for word, told in (
                ("missing", checked.missing),
                ("more than needed", checked.excess),
                ("note", checked.notes),
            ):
                for one in told:
                    say(f"{feed}: {word}: {one}")
    if failed:
        raise typer.Exit(1)


def _explain(name: str) -> None:
    """Print what a connector declares: settings, least rights, what it reads, plans and limits."""
    from connectors.kit.contract import connector_class

    kind = connector_class(name)
    table = "source" if kind.kind == "source" else "application"
    typer.echo(f'{kind.title}: connector = "{name}" under [[{table}]]; no feed uses it\n\nSettings')
    for one in kind.fields:
        default = f" (default: {one.default})" if one.default is not None else ""
        typer.echo(f"  {one.name}{' *' if one.required else ''}: {one.help}{default}")
    parts: dict[str, list[str]] = {
        "Least rights": [f"{capability}: {', '.join(names)}" for capability, names in kind.scopes.items() if names],
        "Reads": list(kind.covers),
        "Plans and licences": list(kind.plans),
        "What its pushes leave open": [manner.text for manner in kind.manners],
        "Published limits": [f"{limit.requests} in {limit.per_s:g} s {limit.match}".rstrip() for limit in kind.limits],
    }
    for title, lines in parts.items():
        if lines:
            typer.echo("\n".join([f"\n{title}", *(f"  {line}" for line in lines)]))
