"""What stands in the log: one record a line, whatever names and answers from outside say."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from homes import ROOT

FORGED = "2026-11-28 00:00:00,000 WARNING leaverwatch: everything was approved"
SAY = """
import logging, sys
from jobs import logs
from jobs.__main__ import LOG
from connectors.kit.redaction import guard_logs
logs.keep_lines(); logs.keep_lines(); guard_logs(["s3cr3t!"])
logging.basicConfig(level="INFO", format=LOG, stream=sys.stdout)
told = sys.argv[1].encode().decode("unicode_escape")
logging.getLogger("leaverwatch.worker").warning("%s: %s", "acting", told)
logging.getLogger("leaverwatch").warning(told)
logging.getLogger("another").info("two\\nlines")
logging.getLogger("leaverwatch").info("plain %d", 7)
"""


@pytest.mark.parametrize("sign", ["\\n", "\\r", "\\r\\n", "\\x0b", "\\x0c", "\\x85", "\\u2028", "\\x1e"])
def test_no_sign_from_outside_begins_a_line_that_looks_like_a_record(sign):
    told = f"a{sign}{FORGED}{sign}s3cr3t!\\x1b[31m\\u202e"
    said = subprocess.run(
        [sys.executable, "-c", SAY, told], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert [line for line in said.splitlines() if line.startswith("2026-11-28 00:00")] == []
    assert said.count(f"  | {FORGED}") == 2
    assert not {"\x1b", "\u202e"} & set(said)
    assert "[secret]\\x1b[31m\\u202e" in said
    assert said.endswith("leaverwatch: plain 7\n")


def test_every_command_and_the_dashboard_write_their_log_so(tmp_path):
    code = "import logging\nfrom jobs import __main__, logs\n{}\nassert isinstance(logging.getLogRecordFactory(), logs._Lines)"
    (tmp_path / "leaverwatch.toml").write_text("")
    for start in ("try:\n    __main__.main(['config', 'show'])\nexcept SystemExit:\n    pass", "import app"):
        done = subprocess.run(
            [sys.executable, "-c", code.format(start)],
            cwd=ROOT,
            env={**os.environ, "LEAVERWATCH_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
