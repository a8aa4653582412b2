"""The whole job over SCIM servers that are not ours: pull, find the ghost, approve, deactivate, verify, let back in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import foreign_servers
import pytest
from foreign_servers import TOKEN, hire, is_active, running

from tests.homes import Home

PEOPLE = 23
GHOST = "person7"
CONFIGURATION = """
[act]
enabled = true
[[actor]]
email = "ana@nwl.example"
roles = ["security"]
[[actor]]
email = "abe@nwl.example"
roles = ["approver"]
[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"
[[application]]
name = "wiki"
connector = "scim"
base_url = "{base}"
page_size = 10
token = {{ env = "WIKI_TOKEN" }}
write_token = {{ env = "WIKI_TOKEN" }}
"""


Told = tuple[int, str, str]  # exit code, standard output, standard error


def as_processes(home: Path, arguments: tuple[str, ...], environ: dict[str, str]) -> Told:
    """Each command a process, as a person runs it."""
    done = subprocess.run(
        [Path(sys.executable).parent / "leaverwatch", *arguments],
        env=os.environ | {"LEAVERWATCH_HOME": str(home)} | environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def in_this_one(home: Path, arguments: tuple[str, ...], environ: dict[str, str]) -> Told:
    """The same commands without starting a process for each."""
    answer = Home(home).run(*arguments, **environ)
    return answer.code, answer.out, answer.err


def command_line(how: Callable[[Path, tuple[str, ...], dict[str, str]], Told]):
    """`leaverwatch(home, ...)`: the JSON on its standard output, or the words there."""

    def leaverwatch(home: Path, *arguments: str, actor: str = "", code: int = 0):
        ended, out, said = how(home, arguments, {"WIKI_TOKEN": TOKEN, "LEAVERWATCH_ACTOR": actor})
        assert ended == code, out + said
        assert TOKEN not in out + said
        return json.loads(out) if "json" in arguments else out

    return leaverwatch


@pytest.mark.parametrize(("server", "how"), [("scim2-server", as_processes), ("canaille", in_this_one)])
def test_a_ghost_is_found_closed_verified_and_let_back_in(server, how, tmp_path):
    leaverwatch = command_line(how)
    if reason := foreign_servers.missing(server):
        pytest.skip(reason)
    with running(server, tmp_path) as base:
        ids = hire(base, PEOPLE)
        home = tmp_path / "home"
        home.mkdir()
        (home / "leaverwatch.toml").write_text(CONFIGURATION.format(base=base))
        rows = [
            f"{n:05},{'terminated' if f'person{n}' == GHOST else 'active'},person{n}@nwl.example,"
            f"{'2026-11-04' if f'person{n}' == GHOST else ''}"
            for n in range(PEOPLE)
        ]
        (home / "hr.csv").write_text("\n".join(["employee_id,status,work_email,last_day_of_work", *rows]) + "\n")

        pulled = leaverwatch(home, "pull", "--format", "json")
        assert [(p["feed"], p["status"], p["kept"]) for p in pulled] == [
            ("hr", "published", PEOPLE),
            ("wiki", "published", PEOPLE),
        ]
        leaverwatch(home, "detect")
        [finding] = leaverwatch(home, "findings", "--rule", "ghost", "--format", "json")
        assert finding["account_id"] == ids[GHOST]

        given = ("--finding", finding["fingerprint"], "--reason", "left on 4 November")
        proposed = leaverwatch(home, "remediate", "propose", *given, actor="ana@nwl.example")
        number = proposed.strip()
        leaverwatch(home, "remediate", "approve", number, "--reason", "mine", actor="ana@nwl.example", code=1)
        assert is_active(base, ids[GHOST])
        leaverwatch(home, "remediate", "approve", number, "--reason", "right", actor="abe@nwl.example")
        leaverwatch(home, "remediate", "run", "--dry-run", number)
        assert is_active(base, ids[GHOST]), "a dry run changes nothing"
        leaverwatch(home, "remediate", "run", number)
        assert not is_active(base, ids[GHOST])
        assert all(is_active(base, id) for name, id in ids.items() if name != GHOST)
        [done] = leaverwatch(home, "remediate", "list", "--format", "json")
        assert (done["status"], done["approved_by"]) == ("verified", "abe@nwl.example")
        # That the accounts were made after the last day is true, and stays so.
        assert leaverwatch(home, "findings", "--rule", "ghost", "--status", "open", "--format", "json") == []

        leaverwatch(home, "remediate", "undo", number, actor="ana@nwl.example")
        assert is_active(base, ids[GHOST])
        [undone] = leaverwatch(home, "remediate", "list", "--format", "json")
        assert undone["status"] == "undone"
        leaverwatch(home, "audit", "verify")
