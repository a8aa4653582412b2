"""A home folder to run the command line in, in this process or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from typer.testing import CliRunner

from governance.errors import LeaverwatchError
from jobs.__main__ import application, refused

ROOT = Path(__file__).resolve().parent.parent


HR = """employee_id,status,work_email,display_name,hire_date,termination_date,department
1,active,ada@x.example,Ada,2020-01-01,,Finance
2,active,bob@x.example,Bob,2020-01-01,,Finance
3,terminated,cy@x.example,Cy,2020-01-01,2026-01-31,Finance
4,active,dee@x.example,Dee,2020-01-01,,Finance
5,active,eve@x.example,Eve,2020-01-01,,Finance
"""


CRM = """account_id,username,email,status,employee_id,last_login_at,entitlements
a1,ada,ada@x.example,active,1,2026-11-20,Reader
a2,"=cmd|' /C calc'!A0",nobody@x.example,active,,2026-11-20,Reader;Admin!
a3,cy,cy@x.example,active,3,2026-11-20,Reader
"""


SETTINGS = """
[act]
enabled = true

[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"
date_format = "%Y-%m-%d"

[[application]]
name = "crm"
connector = "app_csv"
path = "crm.csv"

[[actor]]
email = "sec@x.example"
roles = ["security"]

[[actor]]
email = "app@x.example"
roles = ["approver"]

[[actor]]
email = "admin@x.example"
roles = ["admin"]
"""


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@dataclass
class Home:
    """A folder with a configuration, and the command line on it."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **environ: str) -> Answer:
        """One command in this process; errors become the exit code that `main` gives them."""
        env = {"LEAVERWATCH_HOME": str(self.folder), "LEAVERWATCH_ACTOR": None, **self.environ, **environ}
        result = CliRunner().invoke(application(arguments), list(arguments), env=env)
        code, said = result.exit_code, ""
        if isinstance(result.exception, (LeaverwatchError, OSError)):
            said = str(result.exception)
            with_code = io.StringIO()
            keep, sys.stderr = sys.stderr, with_code
            try:
                code = refused(result.exception)
            finally:
                sys.stderr = keep
        elif result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Answer(code, result.stdout, result.stderr + said)

    def do(self, *arguments: str, **environ: str) -> Answer:
        """A command that must succeed."""
        answer = self.run(*arguments, **environ)
        assert answer.code == 0, answer
        return answer


def process(*arguments: str, home: Path, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "jobs", *arguments],
        cwd=ROOT,
        env={**os.environ, "LEAVERWATCH_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
