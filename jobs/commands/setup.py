"""Setting up: the first file, what is in force, what is wrong, backup and restore."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from governance.errors import ConfigurationError
from jobs import home
from jobs.commands.options import Output, noun, the_house
from jobs.commands.printing import Format, document, plain, say, show

if TYPE_CHECKING:
    from governance.settings import Settings

app = noun("Setting up.")
HIDDEN: Final = 'hidden: a secret is never written here, name its place such as { env = "NAME" }'
_SECRET: Final = re.compile("token|secret|password|key|certificate|^url$")
# Of the address of a store it may hold `/` and `@`; what begins like a port is one.
_PASSWORD: Final = re.compile(r"(://[^/@\s:]*:)(?!\d{1,5}/)\S+@|([?&][\w-]*(?:password|token|secret|key)=)[^&\s]+")
EXAMPLE = Path(__file__).resolve().parents[2] / "data" / "leaverwatch.toml"


@app.command()
def init() -> None:
    """Write a commented leaverwatch.toml into LEAVERWATCH_HOME; never writes over one that is there."""
    folder = home.find_home(os.environ)
    file = folder / "leaverwatch.toml"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(EXAMPLE.read_text(encoding="utf-8"))
    except FileExistsError:
        raise ConfigurationError(f"{file} is there already and stays as it is") from None
    (folder / "feeds").mkdir(exist_ok=True)
    say(f"{file} is written: name your HR file and an application in it, then run leaverwatch doctor")


config = noun("The settings in force.")
app.add_typer(config, name="config")


@config.command("show")
def show_settings(
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value came from.")] = False,
    format: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.TABLE,
) -> None:
    """Print every setting in force. Secrets are named by their place and never printed."""
    folder = home.find_home(os.environ)
    settings, origins = home.read_settings(folder, os.environ)
    misplaced = _misplaced(settings)
    rows = [
        {"key": key, "value": _without_secrets(key, value, misplaced), "origin": _origin(key, origins)}
        for key, value in _flat("", settings.model_dump(mode="python"))
    ]
    if format is Format.TABLE:
        for row in rows:
            said = f"{row['key']} = {_written(row['value'])}"
            typer.echo(f"{said}    # {row['origin']}" if origin else said)
    elif origin:
        document(rows)
    else:
        document({row["key"]: row["value"] for row in rows})


def _misplaced(settings: Settings) -> set[str]:
    """Keys of connectors that hold a secret itself instead of its place: `pull` refuses them."""
    found = set()
    for table, feeds in (("source", settings.source), ("application", settings.application)):
        for feed in feeds:
            plain_ones = {
                key: bool(_SECRET.search(key)) for key, value in feed.options.items() if not isinstance(value, dict)
            }
            if any(plain_ones.values()):  # a connector takes long to import
                secret = plain_ones | _declared(feed.connector)
                found |= {f"{table}.{feed.name}.{key}" for key in plain_ones if secret[key]}
    return found


def _declared(connector: str) -> dict[str, bool]:
    """Whether each key of a connector holds a secret; of one that there is not nothing is known."""
    from connectors.kit.contract import connector_class

    try:
        return {field.name: field.kind == "secret" for field in connector_class(connector).fields}
    except ConfigurationError:
        return {}


def _without_secrets(key: str, value: Any, misplaced: set[str]) -> Any:
    if key in misplaced:
        return HIDDEN
    return _PASSWORD.sub(_hidden, value) if isinstance(value, str) else value


def _hidden(password: re.Match[str]) -> str:
    before, named = password.groups()
    return f"{before}***@" if before else f"{named}***"


def _flat(prefix: str, value: Any) -> list[tuple[str, Any]]:
    """Keys as people write them; entries of an array by name, else by position from 1."""
    if isinstance(value, dict) and value:
        parts = [_flat(f"{prefix}.{key}" if prefix else str(key), inner) for key, inner in value.items()]
    elif isinstance(value, (list, tuple)) and value and all(isinstance(inner, dict) for inner in value):
        parts = [_flat(f"{prefix}.{inner.get('name') or n}", inner) for n, inner in enumerate(value, 1)]
    else:
        return [] if value is None or value == {} else [(prefix, value)]
    return [pair for part in parts for pair in part]


def _origin(key: str, origins: dict[str, str]) -> str:
    """Where a key came from; a key inside a value written in one line came from that line."""
    parts = key.split(".")
    for end in range(len(parts), 0, -1):
        if found := origins.get(".".join(parts[:end])):
            return found
    return "default"


def _written(value: Any) -> str:
    import json

    return json.dumps(plain(value), ensure_ascii=False)


@app.command()
def doctor(format: Output = Format.TABLE) -> None:
    """Look at configuration, store, feeds, write access, clock and the age of the data; names what is wrong."""
    from jobs.doctor import examine

    house = the_house()
    found = list(examine(house, home.clock(), os.environ))
    words = {True: "ok", False: "FAILED", None: "note"}
    rows = [{"result": words[one.ok], "what": one.what, "says": one.says} for one in found]
    show(rows, format, ("result", "what", "says"))
    if failed := [one.what for one in found if one.ok is False]:
        say(f"{len(failed)} failed: {', '.join(failed)}")
        raise typer.Exit(1)


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Else `backups` in LEAVERWATCH_HOME.")] = None,
) -> None:
    """Copy the store while it is in use; prints the file. Snapshots are files: copy their folder as well."""
    from governance.store import backup as copy

    house = the_house()
    folder = to or house.home / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    typer.echo(copy(house.store, folder, home.clock()))


@app.command()
def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="As `backup` printed it.")]) -> None:
    """Put a backup in the place of the store; the store that is there is kept beside it."""
    from governance import audit
    from governance.store import open_store
    from governance.store import restore as put_back

    folder, now = home.find_home(os.environ), home.clock()
    url = home.store_url(home.read_settings(folder, os.environ)[0], folder, os.environ)
    kept = put_back(file, url, folder, now)
    if kept is not None:
        say(f"what was there is kept in {kept}")
    found = audit.verify(open_store(url, folder, now))
    if not found.ok:
        say(f"restored, but its audit chain is broken at entry {found.first_bad}: {found.why}")
        raise typer.Exit(1)
    say(f"restored; the audit chain of {found.entries:,} {'entry' if found.entries == 1 else 'entries'} is unbroken")
