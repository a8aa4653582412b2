"""Whom the command line lets decide, and what comes of a decision."""

from __future__ import annotations

import time

import pytest
from homes import HR


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
        asked = read_home.do("exclude", fingerprint, *until, "--reason", "a robot", "--actor", "sec@x.example")
        assert "it takes two" in asked.err, "its account is privileged"
        assert "excluded until" not in asked.err
        assert read_home.do("findings", "--status", "excluded", "--format", "json").json == []
        with (read_home.folder / "leaverwatch.toml").open("a") as file:
            file.write('[[actor]]\nemail = "guard@x.example"\nroles = ["security"]\n')
        agreed = read_home.do("exclude", fingerprint, *until, "--reason", "a robot", "--actor", "guard@x.example")
        assert "then the finding opens again" in agreed.err
        rows = read_home.do("findings", "--status", "excluded", "--format", "json").json
        assert [row["fingerprint"] for row in rows] == [fingerprint]
        assert read_home.run("exclude", fingerprint, "--reason", "which?", "--actor", "sec@x.example").code == 2
        read_home.do("exclude", fingerprint, "--end", "--reason", "no robot", "--actor", "sec@x.example")
        assert read_home.do("findings", "--status", "excluded", "--format", "json").json == []
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
