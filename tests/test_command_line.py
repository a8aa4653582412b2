"""The command line as INTERFACES.md writes it: names, exit codes, one JSON document, exact keys, actors, times."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.sandbox.scim_server import ScimSandbox
from governance.errors import LeaverwatchError
from jobs.__main__ import MODULES, application, refused
from jobs.catalogue import rendered
from jobs.commands.options import moment

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
WIKI = """
[[application]]
name = "wiki"
connector = "scim"
base_url = "{url}"
token = {{ file = "wiki.token" }}
write_token = {{ file = "wiki.token" }}
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


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS)
    (tmp_path / "hr.csv").write_text(HR)
    (tmp_path / "crm.csv").write_text(CRM)
    return Home(tmp_path)


@pytest.fixture
def read_home(home: Home) -> Home:
    home.do("pull")
    home.do("detect")
    return home


@pytest.fixture
def wiki(home: Home) -> Iterator[ScimSandbox]:
    people = [
        {
            "userName": f"{name}@x.example",
            "active": True,
            "externalId": number,
            "emails": [{"value": f"{name}@x.example"}],
        }
        for number, name in enumerate(("ada", "bob", "cy", "dee", "eve"), 1)
    ]
    for person in people:
        person["externalId"] = str(person["externalId"])
    with ScimSandbox(people, token="t") as server:
        (home.folder / "wiki.token").write_text("t")
        (home.folder / "leaverwatch.toml").write_text(SETTINGS + WIKI.format(url=server.url))
        yield server


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


class TestJson:
    """`--format json` prints one document with exactly the promised keys."""

    def test_of_pull(self, home):
        rows = home.do("pull", "--format", "json").json
        keys = ["feed", "status", "rows_read", "kept", "rejected", "snapshot", "sha256"]
        assert [list(row) for row in rows] == [keys, keys]
        assert [(row["feed"], row["status"], row["kept"]) for row in rows] == [
            ("hr", "published", 5),
            ("crm", "published", 3),
        ]

    def test_of_detect(self, home):
        home.do("pull")
        answer = home.do("detect", "--format", "json")
        assert list(answer.json) == ["as_of", "sentence", "counts", "not_evaluable"]
        assert answer.json["as_of"].endswith("Z")
        assert answer.json["counts"]["ghost"] == 1
        assert answer.json["not_evaluable"]["crm"]["admin_without_mfa"].endswith("multi-factor authentication is on")

    def test_of_findings(self, read_home):
        rows = read_home.do("findings", "--format", "json").json
        assert list(rows[0]) == [
            *("rule", "severity", "score", "status", "application", "account_id", "username", "identity_id"),
            *("identity_name", "first_seen", "last_seen", "reopened", "reason", "evidence", "controls", "fingerprint"),
        ]
        ghost = next(row for row in rows if row["rule"] == "ghost")
        assert (ghost["account_id"], ghost["identity_id"], ghost["reopened"]) == ("a3", "hr:3", 0)
        assert len(ghost["fingerprint"]) == 16
        assert "NIST AC-2(3)" in ghost["controls"]
        assert ghost["first_seen"].endswith("Z")
        scores = [row["score"] for row in rows]
        assert scores == sorted(scores, reverse=True)

    def test_of_last_seen_is_the_last_run(self, read_home):
        run = read_home.do("detect", "--format", "json").json
        row = read_home.do("findings", "--rule", "ghost", "--format", "json").json[0]
        assert row["last_seen"] == run["as_of"] > row["first_seen"]

    def test_of_rules_and_connectors(self, home):
        rules = home.do("rules", "list", "--format", "json").json
        assert {tuple(row) for row in rules} == {("rule", "title", "severity", "controls", "signals")}
        connectors = home.do("connectors", "list", "--format", "json").json
        assert {tuple(row) for row in connectors} == {("name", "title", "kind", "capabilities", "tells", "scopes")}

    def test_of_remediations(self, read_home):
        read_home.do("remediate", "propose", "--rule", "ghost", "--reason", "left", "--actor", "sec@x.example")
        rows = read_home.do("remediate", "list", "--format", "json").json
        assert list(rows[0]) == [
            *(
                "id",
                "status",
                "application",
                "account_id",
                "action",
                "finding",
                "proposed_by",
                "approved_by",
                "evidence",
            )
        ]
        assert (rows[0]["status"], rows[0]["action"], rows[0]["proposed_by"]) == ("proposed", "manual", "sec@x.example")

    def test_of_accounts_identities_and_access(self, read_home):
        accounts = read_home.do("accounts", "--format", "json").json
        assert {row["account_id"]: row["owner_id"] for row in accounts} == {"a1": "hr:1", "a2": None, "a3": "hr:3"}
        people = read_home.do("identities", "--format", "json").json
        assert {row["identity_id"]: row["state"] for row in people}["hr:3"] == "ended"
        held = read_home.do("access", "ADA@x.example", "--format", "json").json
        assert [grant["name"] for grant in held[0]["entitlements"]] == ["Reader"]

    def test_stands_alone_when_there_is_nothing(self, home):
        assert home.do("findings", "--format", "json").json == []
        assert home.do("remediate", "list", "--format", "json").json == []

    @pytest.mark.parametrize("form", ["json", "jsonl", "csv"])
    def test_and_other_forms_keep_messages_off_standard_output(self, read_home, form):
        out = read_home.do("findings", "--format", form).out
        rows = {
            "json": json.loads,
            "jsonl": lambda text: [json.loads(line) for line in text.splitlines()],
            "csv": lambda text: list(csv.DictReader(io.StringIO(text))),
        }[form](out)
        assert {row["rule"] for row in rows} >= {"ghost", "orphaned"}


class TestFirstWords:
    def test_of_detect_are_one_sentence_and_the_population(self, home):
        home.do("pull")
        said = home.do("detect").err
        sentence, population = said.splitlines()[:2]
        assert sentence.endswith(".")
        assert "1 leaver still holds 1 active account" in sentence
        assert "3 accounts and 5 identities in 1 application" in population
        assert "5 rows about people (0 duplicate, 0 rejected) and 3 rows about accounts" in said

    def test_of_findings_are_the_population(self, read_home):
        assert "rows about people" in read_home.do("findings").err

    def test_and_most_severe_first(self, read_home):
        rules = [line.split()[0] for line in read_home.do("detect").out.splitlines()[1:]]
        assert rules == sorted(rules, key=["critical", "high", "medium", "low"].index)


class TestWhatFeedsSayIsHarmless:
    def test_in_a_spreadsheet(self, read_home):
        out = read_home.do("accounts", "--format", "csv").out
        names = {row["username"] for row in csv.DictReader(io.StringIO(out))}
        assert "'=cmd|' /C calc'!A0" in names

    def test_on_a_terminal(self, home):
        (home.folder / "crm.csv").write_text(CRM.replace("ada,ada", "\x1b[2Jada,ada").replace("a1,", "a1,", 1))
        home.do("pull")
        home.do("detect")
        assert "\x1b" not in home.do("accounts").out


class TestExitCodes:
    def test_0_even_when_findings_are_found(self, read_home):
        assert read_home.run("findings").code == 0

    def test_1_for_a_pull_that_failed_and_the_others_are_read(self, home):
        (home.folder / "hr.csv").unlink()
        answer = home.run("pull", "--format", "json")
        assert answer.code == 1
        assert [row["status"] for row in answer.json] == ["failed", "published"]
        assert "hr.csv" in answer.err

    @pytest.mark.parametrize(
        "arguments",
        [
            ("pull", "nope"),
            ("pull", "--at", "yesterday"),
            ("findings", "--rule", "nope"),
            ("findings", "--status", "nope"),
            ("findings", "--application", "nope"),
            ("findings", "--format", "xml"),
            ("remediate", "propose", "--reason", "x", "--actor", "sec@x.example"),
            ("jobs", "run", "nope"),
            ("no-such-verb",),
            ("exclude", "abc", "--until", "2026-12-01", "--reason", "x"),
        ],
    )
    def test_2_for_wrong_use(self, home, arguments):
        assert home.run(*arguments).code == 2

    def test_2_for_a_wrong_configuration_named_with_its_line(self, home):
        (home.folder / "leaverwatch.toml").write_text("[policy]\nstale_days = 0\n")
        answer = home.run("findings")
        assert answer.code == 2
        assert "leaverwatch.toml:2: policy.stale_days" in answer.err

    def test_2_for_a_feed_configured_wrong_and_the_others_are_read(self, home):
        configuration = home.folder / "leaverwatch.toml"
        configuration.write_text(configuration.read_text().replace('path = "crm.csv"', 'pth = "crm.csv"'))
        answer = home.run("pull", "--format", "json")
        assert [row["status"] for row in answer.json] == ["published", "failed"]
        assert answer.code == 2
        assert "pth: this key is not known" in answer.err

    def test_2_for_a_store_that_is_not_one(self, home):
        (home.folder / "leaverwatch.db").write_bytes(b"no database" * 50)
        assert home.run("findings").code == 2

    def test_3_for_a_guard_before_1_when_both(self, home):
        home.do("pull")
        (home.folder / "hr.csv").write_text("".join(HR.splitlines(keepends=True)[:2]))
        (home.folder / "crm.csv").unlink()
        answer = home.run("pull", "--format", "json")
        assert [row["status"] for row in answer.json] == ["held", "failed"]
        assert answer.code == 3

    def test_of_the_process_itself(self, home):
        done = process("findings", "--status", "nope", home=home.folder)
        out, err = done.communicate(timeout=30)
        assert (done.returncode, out) == (2, "")
        assert err.startswith("leaverwatch: --status: expected one of open")


class TestActors:
    def test_must_be_named(self, read_home):
        answer = read_home.run("remediate", "propose", "--rule", "ghost", "--reason", "left")
        assert (answer.code, "--actor" in answer.err) == (2, True)

    def test_come_from_the_environment_too(self, read_home):
        read_home.do("remediate", "propose", "--rule", "ghost", "--reason", "left", LEAVERWATCH_ACTOR="sec@x.example")

    @pytest.mark.parametrize("actor", ["app@x.example", "stranger@x.example"])
    def test_without_the_right_are_refused(self, read_home, actor):
        answer = read_home.run("remediate", "propose", "--rule", "ghost", "--reason", "left", "--actor", actor)
        assert answer.code == 1
        assert read_home.do("remediate", "list", "--format", "json").json == []

    def test_cannot_release_alone(self, home):
        home.do("pull")
        (home.folder / "hr.csv").write_text("".join(HR.splitlines(keepends=True)[:2]))
        assert home.run("pull", "hr").code == 3
        held = home.do("guard", "list", "--format", "json").json
        release = ("guard", "release", held[0]["id"], "--reason", "a merger")
        home.do(*release, "--actor", "sec@x.example")
        assert home.run(*release, "--actor", "sec@x.example").code == 1
        home.do(*release, "--actor", "admin@x.example")
        assert home.do("guard", "list", "--format", "json").json == []


class TestDeciding:
    def test_an_exclusion_and_a_pin(self, read_home):
        fingerprint = read_home.do("findings", "--rule", "orphaned", "--format", "json").json[0]["fingerprint"]
        until = ("--until", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400 * 30)))
        read_home.do("exclude", fingerprint, *until, "--reason", "a robot", "--actor", "sec@x.example")
        rows = read_home.do("findings", "--status", "excluded", "--format", "json").json
        assert [row["fingerprint"] for row in rows] == [fingerprint]
        read_home.do("pin", "crm/a2", "hr:2", "--reason", "it is Bob's", "--actor", "sec@x.example")
        read_home.do("detect")
        accounts = read_home.do("accounts", "--format", "json").json
        assert {row["account_id"]: row["match_key"] for row in accounts}["a2"] == "pinned"

    def test_from_proposal_to_proof_over_scim(self, home, wiki):
        home.do("pull")
        home.do("detect")
        found = home.do("findings", "--rule", "ghost", "--application", "wiki", "--format", "json").json
        propose = ("remediate", "propose", "--finding", found[0]["fingerprint"], "--reason", "left in January")
        ids = home.do(*propose, "--actor", "sec@x.example").out.split()
        approve = ("remediate", "approve", *ids, "--reason", "ok", "--actor")
        assert home.run(*approve, "sec@x.example").code == 1  # nobody approves what they proposed
        home.do(*approve, "app@x.example")
        rehearsed = home.do("remediate", "run", *ids, "--dry-run", "--format", "json").json
        assert [row["status"] for row in rehearsed] == ["planned"]
        account = found[0]["account_id"]
        assert wiki.users[account]["active"] is True
        done = home.do("remediate", "run", "--format", "json").json
        assert [(row["id"], row["status"], row["approved_by"]) for row in done] == [
            (ids[0], "verified", "app@x.example")
        ]
        assert wiki.users[account]["active"] is False
        home.do("verify")
        home.do("remediate", "undo", *ids, "--actor", "sec@x.example")
        assert wiki.users[account]["active"] is True
        assert "unbroken" in home.do("audit", "verify").out


class TestLookingBack:
    def test_stores_nothing_and_says_so(self, home):
        home.do("pull", "--at", "2026-03-01")
        home.do("detect")
        answer = home.do("detect", "--as-of", "2026-03-02")
        assert "nothing was stored" in answer.err
        held = home.do("access", "hr:3", "--as-of", "2026-03-02T12:00:00+01:00", "--format", "json")
        assert [row["application"] for row in held.json] == ["crm"]
        assert "As of 2026-03-02 11:00Z" in held.err
        assert home.do("accounts", "--as-of", "2026-02-01", "--format", "json").json == []

    def test_a_dry_run_stores_nothing(self, home):
        home.do("pull")
        assert "nothing was stored" in home.do("detect", "--dry-run").err
        assert home.do("findings", "--format", "json").json == []

    @pytest.mark.parametrize(
        ("text", "means"),
        [
            ("2026-03-31", "2026-03-31T00:00:00+00:00"),
            ("2026-03-31T12:30", "2026-03-31T12:30:00+00:00"),
            ("2026-03-31T12:30:00Z", "2026-03-31T12:30:00+00:00"),
            ("2026-03-31T01:00:00+02:00", "2026-03-30T23:00:00+00:00"),
        ],
    )
    def test_times_are_utc_unless_they_say_otherwise(self, text, means):
        assert moment(text, "--at").isoformat() == means


class TestSettingUp:
    def test_init_writes_a_file_that_works_and_never_writes_over_one(self, tmp_path):
        home = Home(tmp_path / "new")
        home.do("init")
        written = (tmp_path / "new" / "leaverwatch.toml").read_text()
        home.do("config", "show")
        assert home.run("init").code == 2
        assert (tmp_path / "new" / "leaverwatch.toml").read_text() == written

    def test_every_line_init_comments_out_is_true(self, tmp_path):
        text = (ROOT / "data" / "leaverwatch.toml").read_text()
        lines = [line[2:] for line in text.splitlines() if re.match(r"# (\[|[a-z_]+ = )", line)]
        assert len(lines) > 40
        home = Home(tmp_path)
        (tmp_path / "leaverwatch.toml").write_text("\n".join(lines))
        shown = {row["key"]: row["value"] for row in home.do("config", "show", "--origin", "--format", "json").json}
        assert shown["application.wiki.write_token.env"] == "WIKI_TOKEN"
        assert shown["act.enabled"] is True

    def test_config_show_says_where_each_value_came_from(self, home):
        out = home.do("config", "show", "--origin", LEAVERWATCH_POLICY__STALE_DAYS="45").out
        assert "policy.stale_days = 45    # LEAVERWATCH_POLICY__STALE_DAYS" in out
        assert f'application.crm.path = "crm.csv"    # {home.folder / "leaverwatch.toml"}:14' in out
        assert "policy.never_used_days = 14    # default" in out

    def test_doctor_names_what_fails(self, read_home):
        assert read_home.do("doctor").code == 0
        (read_home.folder / "crm.csv").unlink()
        answer = read_home.run("doctor", "--format", "json")
        assert answer.code == 1
        assert [row["what"] for row in answer.json if row["result"] == "FAILED"] == ["feed crm"]
        assert "1 failed: feed crm" in answer.err

    def test_doctor_names_a_feed_that_is_outdated(self, home):
        home.do("pull", "--at", "2026-03-01")
        answer = home.run("doctor", "--format", "json")
        assert "age of hr" in {row["what"] for row in answer.json if row["result"] == "FAILED"}

    def test_connectors_check(self, home):
        home.do("connectors", "check", "crm")
        (home.folder / "crm.csv").unlink()
        assert home.run("connectors", "check", "app_csv").code == 1
        assert home.run("connectors", "check", "nope").code == 2

    def test_backup_and_restore_bring_back_what_was_decided(self, read_home):
        read_home.do("remediate", "propose", "--rule", "ghost", "--reason", "left", "--actor", "sec@x.example")
        file = read_home.do("backup").out.strip()
        before = read_home.do("remediate", "list", "--format", "json").json
        read_home.do("remediate", "reject", before[0]["id"], "--reason", "no", "--actor", "app@x.example")
        assert "unbroken" in read_home.do("restore", file).err
        assert read_home.do("remediate", "list", "--format", "json").json == before

    def test_a_changed_audit_entry_is_named(self, read_home):
        import sqlite3

        read_home.do("remediate", "propose", "--rule", "ghost", "--reason", "left", "--actor", "sec@x.example")
        with sqlite3.connect(read_home.folder / "leaverwatch.db") as store:
            for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                store.execute(f'DROP TRIGGER "{name}"')
            store.execute("UPDATE auditentry SET reason = 'else' WHERE seq = 1")
        answer = read_home.run("audit", "verify", "--format", "json")
        assert (answer.code, answer.json["first_bad"]) == (1, 1)


class TestJobs:
    def test_run_by_hand_and_are_listed(self, home):
        for job in ("pull", "pull.crm", "detect", "remediate", "verify", "retention"):
            home.do("jobs", "run", job)
        rows = home.do("jobs", "list", "--format", "json").json
        assert {(row["job"], row["feed"], row["status"]) for row in rows} == {
            ("pull", "hr", "ok"),
            ("pull", "crm", "ok"),
            ("detect", None, "ok"),
            ("remediate", None, "ok"),
            ("verify", None, "ok"),
            ("retention", None, "ok"),
        }
        assert all(row["next"] is None or row["next"].endswith("Z") for row in rows)

    def test_that_fail_say_so(self, home):
        (home.folder / "hr.csv").unlink()
        answer = home.run("jobs", "run", "pull")
        assert (answer.code, "hr:" in answer.err) == (1, True)


class TestStartingUp:
    def test_imports_only_what_the_command_needs(self):
        heavy = ("streamlit", "pandas", "plotly", "apscheduler", "requests", "cryptography")
        code = f"import sys, jobs.__main__ as m; m.application(['pull']); import jobs.pull; print([x for x in {heavy} if x in sys.modules])"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_every_command_has_help(self, home):
        for name in (name for names in MODULES.values() for name in names):
            assert "Usage: " in home.do(name, "--help").out

    def test_the_modules_hold_exactly_the_commands_that_are_listed(self, home):
        import importlib

        for module, names in MODULES.items():
            app = importlib.import_module(f"jobs.commands.{module}").app
            held = {c.name or c.callback.__name__.replace("_", "-") for c in app.registered_commands}
            assert held | {group.name for group in app.registered_groups} == set(names), module

    def test_the_worker_ends_cleanly_when_asked(self, home):
        started = process("worker", home=home.folder)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            rows = home.do("jobs", "list", "--format", "json").json
            if any(row["job"] == "detect" and row["status"] == "ok" for row in rows):
                break
            time.sleep(0.3)
        started.send_signal(signal.SIGTERM)
        _, err = started.communicate(timeout=20)
        assert started.returncode == 0, err
        assert {row["rule"] for row in home.do("findings", "--format", "json").json} >= {"ghost"}


def test_the_readme_shows_what_rules_and_connectors_declare():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert rendered(readme) == readme
