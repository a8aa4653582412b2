"""The command line before and around the work: setting up, jobs, starting up, and what the README shows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from homes import CRM, HR, ROOT, SETTINGS, Home, process

from jobs.__main__ import MODULES
from jobs.catalogue import rendered


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

    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("postgresql://lw:s3c/r3t@db.example.com/lw", "postgresql://lw:***@db.example.com/lw"),
            ("postgresql://lw:s3c@r3t@db.example.com/lw", "postgresql://lw:***@db.example.com/lw"),
            ("postgresql://db/lw?user=lw&password=s3cr3t", "postgresql://db/lw?user=lw&password=***"),
            ("https://x.example:8443/of/me@x.example?page=1", "https://x.example:8443/of/me@x.example?page=1"),
        ],
    )
    def test_config_show_hides_the_password_in_an_address_and_nothing_else_of_it(self, home, url, shown):
        out = home.do("config", "show", LEAVERWATCH_STORE__URL=url).out
        assert f'store.url = "{shown}' in out
        assert not any(part in out for part in ("s3c", "r3t"))

    @pytest.mark.parametrize(("connector", "key"), [("no_such_thing", "token"), ("scim", "api_token")])
    def test_config_show_hides_what_sounds_like_a_secret_where_nobody_declares_that_key(self, home, connector, key):
        named = {"CONNECTOR": connector, key.upper(): "s3cr3t", "BASE_URL": "https://crm.example.com/"}
        given = {f"LEAVERWATCH_APPLICATION__CRM__{name}": value for name, value in named.items()}
        out = home.do("config", "show", **given).out
        assert "s3cr3t" not in out
        assert out.count("hidden: a secret is never written here") == 1
        assert 'application.crm.base_url = "https://crm.example.com/"' in out

    def test_config_show_says_where_each_value_came_from(self, home):
        out = home.do("config", "show", "--origin", LEAVERWATCH_POLICY__STALE_DAYS="45").out
        assert "policy.stale_days = 45    # LEAVERWATCH_POLICY__STALE_DAYS" in out
        assert f'application.crm.path = "crm.csv"    # {home.folder / "leaverwatch.toml"}:14' in out
        assert "policy.never_used_days = 14    # default" in out

    def test_config_show_hides_what_should_not_stand_there(self, home):
        wiki = {"TOKEN": "s3cr3t", "WRITE_TOKEN": "s3cr3t"}
        given = {f"LEAVERWATCH_APPLICATION__CRM__{key}": value for key, value in wiki.items()}
        given["LEAVERWATCH_APPLICATION__CRM__CONNECTOR"] = "scim"
        given["LEAVERWATCH_STORE__URL"] = "postgresql+psycopg://lw:s3cr3t@db.example.com/lw"
        for format in ("table", "json"):
            out = home.do("config", "show", "--format", format, **given).out
            assert "s3cr3t" not in out
            assert "postgresql+psycopg://lw:***@db.example.com/lw" in out
            assert out.count("hidden: a secret is never written here") == 2

    @pytest.mark.parametrize(
        ("variable", "value", "key"),
        [
            ("LEAVERWATCH_POLICY__RULES_OFF", "['gost']", "policy.rules_off"),
            ("LEAVERWATCH_POLICY__SEVERITY__GOST", "low", "policy.severity.gost"),
        ],
    )
    def test_a_rule_that_is_none_is_told_of_the_variable_or_the_line_that_names_it(self, home, variable, value, key):
        said = f"{key}: no rule is named 'gost'"
        assert f"{variable}: {said}" in home.run("detect", **{variable: value}).err
        [rules] = [
            row
            for row in home.run("doctor", "--format", "json", **{variable: value}).json
            if row["what"] == "rules" and row["result"] == "FAILED"
        ]
        assert rules["says"].startswith(f"{variable}: ")
        file = home.folder / "leaverwatch.toml"
        written = f"rules_off = {value}" if "off" in key else f'severity.gost = "{value}"'
        file.write_text(f"[policy]\n{written}\n{SETTINGS}")
        assert f"{file}:2: {said}" in home.run("detect").err

    def test_evidence_that_is_not_there_says_what_was_expected(self, home):
        answer = home.run("evidence", "verify", "nowhere.zip")
        assert (answer.code, "Errno" in answer.err) == (2, False)
        assert "nowhere.zip: there is no evidence file of that name; expected one as" in answer.err
        answer = home.run("evidence", "verify", str(home.folder))
        assert (answer.code, "cannot be read: Is a directory" in answer.err) == (2, True)
        answer = home.run("evidence", "verify", "nowhere.zip", "--key", "nowhere.pem")
        assert (answer.code, "expected the public key as it was handed over" in answer.err) == (2, True)

    def test_doctor_names_what_fails(self, read_home):
        assert read_home.do("doctor").code == 0
        (read_home.folder / "crm.csv").unlink()
        answer = read_home.run("doctor", "--format", "json")
        assert answer.code == 1
        assert [row["what"] for row in answer.json if row["result"] == "FAILED"] == ["feed crm"]
        assert "1 failed: feed crm" in answer.err

    def test_doctor_says_what_nobody_has_named_yet(self, tmp_path, home):
        new = Home(tmp_path / "new")
        new.do("init")
        notes = {row["what"] for row in new.do("doctor", "--format", "json").json if row["result"] == "note"}
        assert {"sources", "applications"} <= notes
        assert not {"sources", "applications"} & {row["what"] for row in home.run("doctor", "--format", "json").json}

    @pytest.mark.parametrize("role", ["approver", "application_owner"])
    def test_doctor_says_whose_tasks_they_cannot_note_as_done(self, home, role):
        settings = f'{SETTINGS}\n[[actor]]\nemail = "olga@x.example"\nroles = ["{role}"]\n'
        own = settings.replace('name = "crm"\n', 'name = "crm"\nowner = "Olga@x.example"\n', 1)
        (home.folder / "leaverwatch.toml").write_text(own)
        notes = [row["what"] for row in home.run("doctor", "--format", "json").json if row["result"] == "note"]
        assert ("owner of crm" in notes) == (role == "approver")

    def test_doctor_knows_an_owner_under_all_their_addresses(self, home):
        actor = '\n[[actor]]\nemail = "bob@x.example"\nroles = ["application_owner"]\n'
        own = (SETTINGS + actor).replace('name = "crm"\n', 'name = "crm"\nowner = "Robert@x.example"\n', 1)
        (home.folder / "leaverwatch.toml").write_text(own)
        header, *people = HR.splitlines()
        aliases = [f"{line},{'robert@x.example' if 'bob@' in line else ''}" for line in people]
        (home.folder / "hr.csv").write_text("\n".join((f"{header},aliases", *aliases)))
        for known in (False, True):
            notes = [row["what"] for row in home.do("doctor", "--format", "json").json if row["result"] == "note"]
            assert ("owner of crm" in notes) == (not known)
            home.do("pull")
            home.do("detect")

    def test_doctor_names_a_feed_that_is_outdated(self, home):
        home.do("pull", "--at", "2026-03-01")
        answer = home.run("doctor", "--format", "json")
        assert "age of hr" in {row["what"] for row in answer.json if row["result"] == "FAILED"}

    def test_connectors_check(self, home):
        home.do("connectors", "check", "crm")
        (home.folder / "crm.csv").unlink()
        assert home.run("connectors", "check", "app_csv").code == 1
        assert home.run("connectors", "check", "nope").code == 2

    def test_a_connector_no_feed_uses_is_explained(self, home):
        said = home.do("connectors", "check", "ldap").out
        for words in ("[[application]]", "bind_dn *", "Least rights", "revoke_grant: write member", "Active Directory"):
            assert words in said

    def test_the_table_of_connectors_fits_a_terminal(self, home):
        table = home.do("connectors", "list").out.splitlines()
        assert max(map(len, table)) <= 120
        [ldap] = [line for line in table if line.startswith("ldap")]
        assert ldap.split()[-3:] == ["accounts,", "entitlements", "mfa"]

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
        assert read_home.run("audit", "verify", "--since", "-4").code == 2, "a number before the first is no entry"


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


# What takes long to import, or is a part of the program that reading and judging do without.
HEAVY = (
    *("streamlit", "pandas", "plotly", "apscheduler", "requests", "cryptography", "alembic", "tomlkit", "pyarrow"),
    *("openpyxl", "lxml", "authlib", "apprise", "governance.campaigns", "governance.evidence"),
)


class TestStartingUp:
    def test_imports_only_what_the_command_needs_and_leaves_a_closed_store(self, home):
        for command, other in (("pull", "governance.findings"), ("detect", "connectors.kit.http")):
            code = (
                "import atexit, sys\nfrom jobs.__main__ import main\n"
                f"atexit.register(lambda: print('loaded:', *sorted({ {*HEAVY, other} } & set(sys.modules))))\n"
                f"main([{command!r}])"
            )
            done = subprocess.run(
                [sys.executable, "-c", code],
                cwd=ROOT,
                env={**os.environ, "LEAVERWATCH_HOME": str(home.folder)},
                capture_output=True,
                text=True,
            )
            assert (done.returncode, done.stdout.splitlines()[-1].strip()) == (0, "loaded:"), done.stderr
            assert not [path.name for path in home.folder.glob("leaverwatch.db-*")]

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
