"""The demo, and the invented company it is made of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from governance.errors import ConfigurationError
from jobs import home, up
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
    house, wiki = demo.prepare(folder, os.environ, say)
    house.store.close()
    try:
        with up.stopping() as stop:
            up.up(house.home, os.environ, up.free_port(port), stop, _open)
    finally:
        wiki.stop()


def _open(address: str) -> None:
    say(f"\nNorthwind Labs is open on {address}   (Ctrl-C ends it)\n")


sandbox = noun("The invented company, by itself.")
app.add_typer(sandbox, name="sandbox")


@sandbox.command()
def start(
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="The next free one from here.")] = 5080,
) -> None:
    """Answer as the demo's SCIM application until Ctrl-C; prints its address."""
    from jobs import demo

    folder = _folder()
    with up.stopping() as stop:
        wiki = demo.serve_wiki(folder, up.free_port(port))
        try:
            typer.echo(wiki.url)
            stop.wait()
        finally:
            wiki.stop()


@sandbox.command()
def truth() -> None:
    """Print what a correct run finds in the invented company, as JSON."""
    import json

    document(json.loads((_folder() / "truth.json").read_text(encoding="utf-8")))


def _folder() -> Path:
    """The demo's folder; built without pulling when there is none."""
    from connectors.sandbox.company import build
    from jobs import demo

    folder = demo.folder_of(os.environ)
    if not (folder / demo.MARK).exists():
        if folder.exists() and any(folder.iterdir()):
            raise ConfigurationError(f"{folder} holds something that is not the demo: name another LEAVERWATCH_HOME")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        build(folder, home.clock())
    return folder
