"""Role mappings: try one sign-in, run a mapping over everybody, and compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from governance.errors import ConfigurationError
from jobs import home
from jobs.commands import mapping_changes as mapping_changes  # its commands belong to the same noun
from jobs.commands.mapping_options import Application, From, Into, Version, given, mapping
from jobs.commands.mapping_options import app as app
from jobs.commands.options import AsOf, Output, moment, the_house
from jobs.commands.printing import Format, document, say, show


@mapping.command("list")
def list_versions(
    application: Annotated[str | None, typer.Argument(metavar="[APPLICATION]")] = None, format: Output = Format.TABLE
) -> None:
    """List every version of the role mappings: who made it, who agreed, what is live."""
    from governance import mappings

    house = the_house()
    mappings.note(house, home.clock())
    found = mappings.history(house, application)
    if format is Format.TABLE:
        rows = [
            {
                "version": f"{v.application}/{v.number}",
                "status": v.status,
                "at": v.at,
                "by": v.actor,
                "agreed": v.decided_by or "",
                "why": v.reason,
                "changes": (v.changes or {}).get("sentence", ""),
            }
            for v in found
        ]
        show(rows, format, ("version", "status", "at", "by", "agreed", "why", "changes"))
        return
    show([version.model_dump() for version in found], format)


@mapping.command("show")
def show_mapping(application: Application, version: Version = None, format: Output = Format.TABLE) -> None:
    """Show the lines of a mapping; as CSV the table, as JSON the document that `--from` reads."""
    from governance.mappings.spreadsheet import rows_of
    from governance.provisioning.written import document as written
    from governance.provisioning.written import sentence

    found = given(the_house(), application, None, version)
    if format is Format.JSON:
        document(written(found))
    elif format is Format.CSV:
        show(rows_of(found), format)
    else:
        rows = [
            {"line": number, "who": sentence(line), "gives": ", ".join(line.gives)}
            for number, line in enumerate(found.lines, start=1)
        ]
        show(rows, format, ("line", "who", "gives"))
        otherwise = ", ".join(found.default) or "nothing"
        say(f"{found.matching} matching line counts; no line: {otherwise}; updates: {found.updates}")


@mapping.command("test")
def try_sign_in(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A SAML response or an id token; - is standard input.")],
    application: Annotated[str, typer.Option("--application", metavar="APPLICATION")],
    source: From = None,
    version: Version = None,
    format: Output = Format.TABLE,
) -> None:
    """Read an assertion, and say which line fires, what it would make here, and what is odd about it."""
    from governance.views.mappings import tried
    from governance.views.trials import rows, told

    house = the_house()
    try:
        pasted = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    used = given(house, application, source, version)
    trial, reading, by = tried(house, application, pasted, home.clock(), used)
    if format is Format.JSON:
        document(told(trial, reading, by, used))
        return
    show(rows(trial, reading, by, used), format, ("what", "said"))
    for warning in trial.warnings if trial else reading.warnings:
        say(f"! {warning}")


@mapping.command()
def simulate(
    application: Application, source: From = None, version: Version = None, as_of: AsOf = None,
    format: Output = Format.TABLE,
) -> None:  # fmt: skip
    """Run a mapping over everybody who works here: people per role and line, and what no line covers."""
    from governance.mappings.simulating import simulate as run
    from governance.provisioning.written import sentence
    from governance.views.mappings import everybody

    house = the_house()
    used = given(house, application, source, version)
    found = run(everybody(house, application, moment(as_of, "--as-of") if as_of else None), used)
    if format is Format.JSON:
        document(
            {
                "people": found.people.height,
                "roles": found.roles,
                "lines": [
                    {"line": n, "who": sentence(line), "gives": list(line.gives), "people": found.lines[n - 1]}
                    for n, line in enumerate(used.lines, start=1)
                ],
                "no_line": found.nobody,
                "default": found.fallen,
                "uncovered": [{name: getattr(one, name) for name in one.__slots__} for one in found.uncovered],
                "unknown": found.unknown,
                "overlapping": found.overlapping,
            }
        )
        return
    rows = [
        {"line": n, "who": sentence(line), "gives": ", ".join(line.gives), "people": found.lines[n - 1]}
        for n, line in enumerate(used.lines, start=1)
    ]
    if format is not Format.TABLE:
        show(rows, format)
        return
    rows.append({"line": "-", "who": "no line fires", "gives": ", ".join(used.default) or "nothing",
                 "people": found.nobody + found.fallen})  # fmt: skip
    show(rows, format, ("line", "who", "gives", "people"))
    for one in found.uncovered[:20]:
        hint = f" ({one.trap}; a line says “{one.like}”)" if one.trap else ""
        say(f"no line knows {one.attribute} “{one.value}”: {one.people:,} people{hint}")
    for attribute, people in found.unknown.items():
        say(f"“{attribute}” is not told of {people:,} people")


@mapping.command()
def diff(
    application: Application, source: From = None, version: Version = None, as_of: AsOf = None,
    format: Output = Format.TABLE,
) -> None:  # fmt: skip
    """Compare a mapping with what is live, person by person."""
    from governance.mappings.comparing import EFFECTS
    from governance.views.mappings import changes, compared, sentence

    house = the_house()
    draft = given(house, application, source, version)
    found = compared(house, application, draft, as_of=moment(as_of, "--as-of") if as_of else None)
    rows: list[dict[str, Any]] = list(found.people.iter_rows(named=True))
    if format is Format.JSON:
        document(changes(found) | {"changes": rows})
        return
    if format is not Format.TABLE:
        show(rows, format)
        return
    shown = [
        {
            "identity": row["display_name"], "department": row["department"], "title": row["title"],
            "live": ", ".join(row["before"]) or "no role", "draft": ", ".join(row["after"]) or "no role",
            "line": row["line"], "effect": EFFECTS[row["effect"]],
        }
        for row in rows
    ]  # fmt: skip
    show(shown, format, ("identity", "department", "title", "live", "draft", "line", "effect"))
    say(f"The draft {sentence(found)}.")
    for name in found.lockouts:
        say(f"! nobody with an account would hold “{name}” any more")


@mapping.command()
def drift(application: Application, format: Output = Format.TABLE) -> None:
    """Show what people hold against what the live mapping gives, and why they part."""
    from governance.mappings.comparing import CAUSES
    from governance.views.mappings import drifted

    found = drifted(the_house(), application)
    rows = list(found.rows.iter_rows(named=True))
    columns = ("display_name", "department", "title", "name", "privileged", "cause")
    show(rows, format, columns if format is Format.TABLE else tuple(found.rows.columns))
    if format is Format.TABLE:
        say("; ".join(f"{CAUSES[cause]}: {people:,} people" for cause, people in found.causes.items()))


@mapping.command()
def learn(application: Application, into: Into = None) -> None:
    """Propose a mapping from what people hold; writes the document that `--from` reads."""
    from governance.provisioning.written import document as written
    from governance.provisioning.written import sentence
    from governance.views.mappings import learned

    found = learned(the_house(), application)
    told = json.dumps(written(found.mapping), ensure_ascii=False, indent=1)
    for line, (holding, fit) in zip(found.mapping.lines, found.support, strict=True):
        say(f"{sentence(line)} → {', '.join(line.gives)}: {holding:,} of {fit:,} hold it")
    for name, holders in found.unexplained.items():
        say(f"nothing explains why {holders:,} people hold “{name}”")
    if into is None:
        typer.echo(told)
    else:
        into.write_text(told + "\n", encoding="utf-8")
        say(f"written to {into}: look at it, then `leaverwatch mapping diff {application} --from {into}`")
