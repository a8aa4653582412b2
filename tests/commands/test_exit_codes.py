"""How a command ends: done, a named failure, wrong use, or stopped by a guard."""

from __future__ import annotations

import pytest
from homes import HR, process


class TestExitCodes:
    def test_0_even_when_findings_are_found(self, read_home):
        assert read_home.run("findings").code == 0

    def test_1_for_a_pull_that_failed_and_the_others_are_read(self, home):
        (home.folder / "hr.csv").unlink()
        answer = home.run("pull", "--format", "json")
        assert answer.code == 1
        assert [row["status"] for row in answer.json] == ["failed", "published"]
        assert "hr.csv" in answer.err

    def test_1_for_a_pull_that_failed_and_what_was_believed_before_is_judged(self, read_home):
        (read_home.folder / "hr.csv").unlink()
        answer = read_home.run("pull", "--detect")
        assert answer.code == 1
        assert "hr.csv" in answer.err
        assert "ghost" in answer.out

    @pytest.mark.parametrize(
        "arguments",
        [
            ("pull", "nope"),
            ("pull", "--detect", "--format", "csv"),
            ("pull", "--at", "yesterday"),
            ("findings", "--rule", "nope"),
            ("rules", "explain", "nope"),
            ("rules", "replay", "nope"),
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
