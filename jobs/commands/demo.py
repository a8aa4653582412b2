"""The demo, and the invented company it is made of."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from governance.errors import ConfigurationError, LeaverwatchError
from jobs import up
from jobs.commands.options import noun
from jobs.commands.printing import document, say

app = noun("The demo.")


@app.command(name="demo")
def run(
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew instead of going on.")] = False,
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The next free one from here.")] = up.PORT,
) -> None:
    """Show Leaverwatch on an invented company of 500 people; in the foreground, ends on Ctrl-C."""
    from jobs import demo

    folder = demo.folder_of(os.environ)
    if fresh:
        demo.clear(folder)
    house, company = demo.prepare(folder, os.environ, say)
    house.store.close()
    try:
        with up.stopping() as stop:
            up.up(house.home, os.environ, up.free_port(port), stop, _open)
    finally:
        company.stop()


def _open(address: str) -> None:
    say(f"\nNorthwind Labs is open on {address}   (Ctrl-C ends it)\n")


sandbox = noun("The invented company, by itself.")
app.add_typer(sandbox, name="sandbox")


@sandbox.command()
def start(
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The next free one from here.")] = 5080,
    fault: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME=FAULT", help="Let an application misbehave, such as okta=429-storm."),
    ] = None,
) -> None:
    """Answer as the fifteen applications of the demo until Ctrl-C; prints an address for each."""
    from jobs import demo

    asked = [_fault(text) for text in fault or ()]
    company = demo.company_in(demo.folder_of(os.environ), say)
    if company.earlier:
        company.come_to_now()
    with up.stopping() as stop:
        serving = demo.serve(company, up.free_port(port))
        try:
            for name, faults in asked:
                if name not in serving.applications:
                    raise ConfigurationError(
                        f"--fault: there is no application {name!r}: {', '.join(serving.applications)}"
                    )
                serving.faults[name] = faults
            for name in serving.applications:
                typer.echo(f"{name:12} {serving.url(name)}")
            stop.wait()
        finally:
            company.stop()


@sandbox.command()
def advance(
    by: Annotated[str, typer.Argument(help="How far, such as 30d.", metavar="TIME")],
) -> None:
    """Move the company's clock on and live through the days in between, also while it answers."""
    from jobs import demo

    step = demo.parse_days(by)
    folder = _folder()
    told = _ask_running(folder, "advance", {"days": step / timedelta(days=1)})
    if told is None:
        told = demo.company_in(folder).advance(step)
    say(f"it is {told['now'][:16].replace('T', ' ')} UTC at Northwind Labs")


@sandbox.command()
def fault(
    application: Annotated[str, typer.Argument(help="One of the fifteen, such as okta.")],
    kind: Annotated[str, typer.Argument(help="What goes wrong, such as 429-storm; none ends it.")],
) -> None:
    """Let an application of the running company misbehave."""
    told = _ask_running(_folder(), f"faults/{application}", None if kind == "none" else {"fault": kind})
    if told is None:
        raise LeaverwatchError("the invented company does not run: start it with leaverwatch demo or sandbox start")
    say(f"{application}: {kind}")


@sandbox.command()
def truth() -> None:
    """Print what is truly wrong in the invented company, as JSON."""
    document(json.loads((_folder() / "truth.json").read_text(encoding="utf-8")))


def _folder() -> Path:
    """The demo's folder; built without pulling when there is none."""
    from jobs import demo

    folder = demo.folder_of(os.environ)
    if not (folder / demo.MARK).exists():
        demo.company_in(folder).come_to_now()
    return folder


def _fault(text: str) -> tuple[str, Any]:
    from connectors.sandbox.control import faults_of

    name, separator, kind = text.partition("=")
    if not separator:
        raise ConfigurationError(f"--fault: {text!r}: expected NAME=FAULT, such as okta=429-storm")
    try:
        return name, faults_of({"fault": kind})
    except ValueError as error:
        raise ConfigurationError(f"--fault: {error}") from None


def _ask_running(folder: Path, what: str, body: dict[str, Any] | None) -> Any:
    """What the running company's switchboard answers; None when it does not run."""
    from connectors.sandbox.control import ask

    try:
        return ask(folder, what, body)
    except ValueError as error:
        raise ConfigurationError(str(error)) from None
