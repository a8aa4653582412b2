"""What commands print: documents with promised keys, first words, and nothing that does harm."""

from __future__ import annotations

import csv
import io
import json

import pytest
from homes import CRM


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

    def test_of_a_pull_tells_the_first_rows_that_are_not_believed_and_how_many_more_there_are(self, home):
        (home.folder / "crm.csv").write_text(CRM + "b1,,,gone,,,\nb2,,,gone,,,\nb3,,,gone,,,\nb4,,,gone,,,\n")
        said = home.run("pull", "crm").err.splitlines()
        assert [line.split(": ")[:2] for line in said].count(["crm", "not believed"]) == 3
        assert "crm: and 1 more row; the feed's page shows it" in said

    def test_of_a_pull_that_judges_afterwards(self, home):
        both = home.do("pull", "--detect", "--format", "json").json
        assert list(both) == ["pulled", "detected"]
        assert [row["status"] for row in both["pulled"]] == ["published", "published"]
        assert list(both["detected"]) == ["as_of", "sentence", "counts", "not_evaluable"]
        assert both["detected"]["counts"]["ghost"] == 1
        assert [row["rule"] for row in home.do("findings", "--format", "json").json].count("ghost") == 1

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
        assert held[0]["came"] == "Unknown: its application does not tell when it was made"

    def test_of_accounts_and_identities_says_what_is_remembered_only_and_can_leave_it_out(self, read_home):
        assert "remembered" not in read_home.do("accounts").err, "nothing is"
        for name, gone in (("crm", "a2,"), ("hr", "2,")):
            file = read_home.folder / f"{name}.csv"
            file.write_text("".join(x for x in file.read_text().splitlines(keepends=True) if not x.startswith(gone)))
        read_home.do("pull", "--detect")
        for noun, held, population in (
            ("accounts", "2 accounts", "2 accounts"),
            ("identities", "4 id", "4 identities"),
        ):
            every = read_home.do(noun, "--format", "json")
            assert [row["present"] for row in every.json].count(False) == 1
            assert f"{population} " in every.err.splitlines()[0]
            assert f"{held}" in every.err.splitlines()[-1]
            assert "and 1 remembered, no longer read (present is false)" in every.err
            there = read_home.do(noun, "--present", "--format", "json")
            assert there.json == [row for row in every.json if row["present"]]
            assert "remembered" not in there.err

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
