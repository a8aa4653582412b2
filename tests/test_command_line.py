"""The command line: what it prints, whom it lets decide, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import CRM, HR, SETTINGS, Home, process

from connectors.sandbox.scim_server import ScimSandbox
from jobs.commands.options import moment

WIKI = """
[[application]]
name = "wiki"
connector = "scim"
base_url = "{url}"
token = {{ file = "wiki.token" }}
write_token = {{ file = "wiki.token" }}
"""


def begun(folder: Path) -> Home:
    (folder / "leaverwatch.toml").write_text(SETTINGS)
    (folder / "hr.csv").write_text(HR)
    (folder / "crm.csv").write_text(CRM)
    return Home(folder)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return begun(tmp_path)


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was read and judged. Nothing is changed in this folder."""
    made = begun(tmp_path_factory.mktemp("judged"))
    made.do("pull")
    made.do("detect")
    return made.folder


@pytest.fixture
def read_home(judged: Path, tmp_path: Path) -> Home:
    """A copy of one's own."""
    return Home(Path(shutil.copytree(judged, tmp_path, dirs_exist_ok=True)))


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
        found = {row["rule"]: row for row in read_home.do("findings", "--format", "json").json}
        until = ("--until", time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400 * 30)))
        privileged = found["orphaned"]["fingerprint"]
        asked = read_home.do("exclude", privileged, *until, "--reason", "a robot", "--actor", "sec@x.example")
        assert "it takes two" in asked.err
        assert "excluded until" not in asked.err
        assert read_home.do("findings", "--status", "excluded", "--format", "json").json == [], (
            "it takes a second actor"
        )
        fingerprint = found["ghost"]["fingerprint"]
        read_home.do("exclude", fingerprint, *until, "--reason", "a robot", "--actor", "sec@x.example")
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

    def test_a_time_that_has_not_come_is_judged_but_never_stored_nor_read(self, read_home):
        answer = read_home.do("detect", "--as-of", "2999-01-01")
        assert "as of a time that has not come yet (2999-01-01 00:00Z): nothing was stored" in answer.err
        assert "nothing was stored" not in read_home.do("detect").err, "or no run would ever count again"
        refused = read_home.run("pull", "--at", "2999-01-01")
        assert refused.code == 2
        assert "has not come yet" in refused.err

    def test_a_day_before_the_first_snapshot_is_not_taken_for_an_empty_one(self, home):
        assert "no feed has been read yet: run leaverwatch pull" in home.do("compare", "2026-02-01", "2026-02-02").err
        home.do("pull", "--at", "2026-03-01")
        for answer in (
            home.do("accounts", "--as-of", "2026-02-01"),
            home.do("compare", "2026-02-01", "2026-03-02"),
        ):
            assert "by 2026-02-01 00:00Z; the first snapshot is of 2026-03-01 00:00Z" in answer.err
        assert "first snapshot" not in home.do("accounts", "--as-of", "2026-03-01").err
        home.do("detect")
        for looked in ("detect", "--as-of", "2026-02-01"), ("detect", "--as-of", "2026-02-01", "--known", "then"):
            answer = home.do(*looked)
            assert "by 2026-02-01 00:00Z; the first snapshot is of 2026-03-01 00:00Z" in answer.err
            assert "No source of truth has been read yet" in answer.err
            assert "0 leavers" not in answer.err

    @pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T23:59:59-12:00", "1969-12-31", "9000-01-01"])
    def test_a_time_that_nothing_can_be_reckoned_with_is_wrong_use(self, home, text):
        for verb, option in (("detect", "--as-of"), ("pull", "--at"), ("accounts", "--as-of")):
            refused = home.run(verb, option, text)
            assert refused.code == 2
            assert f"{option}: '{text}' is outside of what can be reckoned with" in refused.err

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
