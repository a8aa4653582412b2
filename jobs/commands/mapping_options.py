"""Which mapping a command is about: what is live, a version that is kept, a table or a document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from governance.errors import ConfigurationError
from jobs.commands.options import noun

if TYPE_CHECKING:
    from governance.house import House
    from governance.provisioning.mapping import RoleMap

app = noun("Mapping.")
mapping = noun("Role mappings: what a sign-in makes of whom, before it does.")
app.add_typer(mapping, name="mapping")

Application = Annotated[str, typer.Argument(metavar="APPLICATION")]
From = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="A mapping: a table (CSV, XLSX) or what `mapping show` writes (JSON)."),
]
Version = Annotated[int | None, typer.Option("--version", metavar="NUMBER", help="A version that is kept here.")]
Id = Annotated[str, typer.Argument(metavar="VERSION", help="APPLICATION/NUMBER, as `mapping list` shows it.")]
Into = Annotated[Path | None, typer.Option("--into", metavar="FILE")]


def given(house: House, application: str, file: Path | None, version: int | None) -> RoleMap:
    """The mapping that is meant: of a file, a kept version, or what is live."""
    from governance import mappings

    if file is not None and version is not None:
        raise ConfigurationError("give --from or --version, not both")
    if version is not None:
        return mappings.mapping_of(mappings.version(house, f"{application}/{version}"))
    own = mappings.live(house, application)
    return own if file is None else _of_file(file, application, own)


def _of_file(file: Path, application: str, own: RoleMap) -> RoleMap:
    """A table takes the place of the lines alone; a document says everything."""
    from dataclasses import replace

    from governance.mappings.spreadsheet import lines_of
    from governance.provisioning.written import undocumented

    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error
    if file.suffix.lower() != ".json":
        return replace(own, lines=lines_of(content, str(file)))
    try:
        told = json.loads(content)
        if not isinstance(told, dict):
            raise ValueError('expected {"lines": [...]}')
        return undocumented(told, application)
    except ValueError as error:
        raise ConfigurationError(f"{file}: {error}") from error
    except ConfigurationError as error:
        raise ConfigurationError(f"{file}: {error}") from error
