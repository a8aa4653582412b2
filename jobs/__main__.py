"""The command line: `leaverwatch VERB …`. Exit codes: 0 done, 1 a named failure, 2 wrong use, 3 stopped by a guard."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import Final

import typer

from governance.errors import ConfigurationError, GuardStopped, LeaverwatchError, StoreError
from jobs import garbage, logs

# Which module holds which command: only the module asked for is imported, so that starting stays fast.
MODULES: Final[dict[str, tuple[str, ...]]] = {
    "setup": ("init", "config", "doctor", "backup", "restore"),
    "running": ("up", "dashboard", "worker", "jobs"),
    "demo": ("demo", "sandbox"),
    "feeds": ("pull", "guard", "connectors"),
    "findings": ("detect", "findings", "exclude", "pin"),
    "rules": ("rules",),
    "policy": ("policy",),
    "estate": ("accounts", "identities", "access"),
    "radar": ("radar",),
    "comparing": ("compare",),
    "remediations": ("remediate", "verify"),
    "campaigns": ("campaign",),
    "evidence": ("evidence",),
    "notices": ("notices",),
    "trail": ("audit",),
    "mapping": ("mapping",),
    "sessions": ("sessions",),
    "bench": ("bench",),
}
LOG: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    garbage.seldom()
    given = list(sys.argv[1:] if arguments is None else arguments)
    logs.keep_lines()
    logging.basicConfig(level=os.environ.get("LEAVERWATCH_LOG", "WARNING").upper(), format=LOG, stream=sys.stderr)
    try:
        application(given)(given, prog_name="leaverwatch")
    except BrokenPipeError:  # `leaverwatch findings | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (LeaverwatchError, OSError) as error:
        sys.exit(refused(error))


def refused(error: LeaverwatchError | OSError) -> int:
    """Say what was refused, on standard error; the exit code that goes with it."""
    from jobs.commands.printing import say

    said = str(error) if str(error) else type(error).__name__
    say(f"leaverwatch: {said}")
    if isinstance(error, GuardStopped):
        return 3
    return 2 if isinstance(error, (ConfigurationError, StoreError)) else 1


def application(given: Sequence[str]) -> typer.Typer:
    """The application with the commands of one module, or of all of them for help and misspelled names."""
    wanted = [module for module, names in MODULES.items() if given and given[0] in names]
    commands = typer.Typer(
        help="Finds the accounts that single sign-on created and nobody removed, and gets them closed.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @commands.callback(invoke_without_command=True)
    def options(
        version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True, callback=_version),
    ) -> None:
        pass

    for module in () if given[:1] == ["--version"] else wanted or MODULES:
        commands.add_typer(importlib.import_module(f"jobs.commands.{module}").app)
    return commands


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"leaverwatch {version('leaverwatch')}")
        raise typer.Exit


if __name__ == "__main__":
    main()
