"""Two days side by side, and one rule over the past, on the command line and over real files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from homes import CRM, HR, SETTINGS, Home

from governance.findings.comparison import KINDS

LATER_HR = """employee_id,status,work_email,display_name,hire_date,termination_date,department
1,active,ada@x.example,Ada,2020-01-01,,Sales
2,terminated,bob@x.example,Bob,2020-01-01,2026-02-20,Finance
3,active,cy@x.example,Cy,2026-03-15,,Finance
4,active,dee@x.example,Dee,2020-01-01,,Finance
5,active,eve@x.example,Eve,2020-01-01,,Finance
6,active,fay@x.example,Fay,2026-03-02,,Finance
"""
EARLIER_CRM = """account_id,username,email,status,employee_id,last_login_at,entitlements
a1,ada,ada@x.example,active,1,2026-01-20,Reader
a3,cy,cy@x.example,active,3,2026-01-20,Reader
a4,dee,dee@x.example,inactive,4,2026-01-20,Reader;Admin!
a5,eve,eve@x.example,,5,2026-01-20,Reader
a8,bob,bob@x.example,active,2,2026-01-20,Reader
"""
LATER_CRM = """account_id,username,email,status,employee_id,last_login_at,entitlements
a1,ada,ada@x.example,inactive,1,2026-01-20,Reader;Admin!
a4,dee,dee@x.example,active,4,2026-01-20,Admin!
a5,eve,eve@x.example,active,5,2026-01-20,Reader
a6,fay,fay@x.example,active,6,2026-01-20,Reader
a8,bob,bob@x.example,active,2,2026-01-20,Reader
"""
ERP = """
[[application]]
name = "erp"
connector = "app_csv"
path = "erp.csv"
"""
BETWEEN = ("2026-02-10", "2026-04-02")


@pytest.fixture(scope="module")
def read_twice(tmp_path_factory):
    """Read on 1 February and on 1 April; the ERP only in April. Nothing is changed in this folder."""
    folder = tmp_path_factory.mktemp("read_twice")
    (folder / "leaverwatch.toml").write_text(SETTINGS + ERP)
    (folder / "erp.csv").write_text(CRM)
    made = Home(folder)
    for at, people, accounts, feeds in (
        ("2026-02-01", HR, EARLIER_CRM, ("hr", "crm")),
        ("2026-04-01", LATER_HR, LATER_CRM, ("hr", "crm", "erp")),
    ):
        (folder / "hr.csv").write_text(people)
        (folder / "crm.csv").write_text(accounts)
        made.do("pull", *feeds, "--at", at)
    return folder


@pytest.fixture
def home(read_twice, tmp_path):
    """A copy of one's own."""
    return Home(Path(shutil.copytree(read_twice, tmp_path, dirs_exist_ok=True)))


def changes(answer, *keys):
    return sorted(
        (row["change"], *(row[key] for key in keys))
        for row in answer["changes"]
        if not row["change"].startswith("finding")
    )


class TestComparing:
    def test_tells_every_change_of_accounts_grants_and_identities(self, home):
        answer = home.do("compare", *BETWEEN, "--format", "json").json
        of_accounts = [row for row in changes(answer, "account_id", "before", "after") if row[0].startswith("account")]
        assert of_accounts == [
            ("account_appeared", "a6", None, "active"),
            ("account_closed", "a1", "active", "inactive"),
            ("account_opened", "a4", "inactive", "active"),
            ("account_vanished", "a3", "active", None),
        ], "what was not told of a5 before is no change"
        of_grants = [row for row in changes(answer, "account_id", "entitlement") if row[0].startswith("grant")]
        assert of_grants == [
            ("grant_gained", "a1", "Admin"),
            ("grant_gained", "a6", "Reader"),
            ("grant_lost", "a3", "Reader"),
            ("grant_lost", "a4", "Reader"),
        ]
        of_people = [
            row for row in changes(answer, "identity_name", "before", "after") if row[0].startswith("identity")
        ]
        assert of_people == [
            ("identity_joined", "Fay", None, "current"),
            ("identity_left", "Bob", "current", "ended"),
            ("identity_moved", "Ada", "Finance", "Sales"),
            ("identity_returned", "Cy", "ended", "current"),
        ]

    def test_tells_which_findings_opened_and_closed_by_rule(self, home):
        answer = home.do("compare", *BETWEEN, "--format", "json").json
        ghosts = [row for row in answer["changes"] if row["rule"] == "ghost"]
        assert {(row["change"], row["account_id"]) for row in ghosts} == {
            ("finding_opened", "a8"),
            ("finding_closed", "a3"),
        }
        assert answer["rules"]["ghost"] == {"opened": 1, "closed": 1, "not_evaluable": 0}
        assert list(answer["counts"]) == list(KINDS)
        assert sum(answer["counts"].values()) == len(answer["changes"])
        findings = home.do("detect", "--dry-run", "--as-of", BETWEEN[1], "--format", "json").json["counts"]
        assert findings["ghost"] >= answer["rules"]["ghost"]["opened"]

    def test_a_finding_that_can_no_longer_be_judged_is_not_closed(self, home):
        (home.folder / "crm.csv").write_text(LATER_CRM.replace("a8,bob,bob@x.example,active", "a8,bob,bob@x.example,"))
        home.do("pull", "crm", "--at", "2026-04-05")
        rules = home.do("compare", "2026-04-02", "2026-04-06", "--format", "json").json["rules"]
        assert rules["ghost"] == {"opened": 0, "closed": 0, "not_evaluable": 1}

    def test_a_feed_that_only_one_day_had_is_named_and_no_change(self, home):
        answer = home.do("compare", *BETWEEN, "--format", "json")
        assert answer.json["not_comparable"] == ["erp"]
        assert {row["application"] for row in answer.json["changes"]} <= {None, "crm"}
        assert "not comparable: erp" in answer.err
        assert home.do("compare", *BETWEEN, "--application", "erp").err.endswith("nothing could be compared\n")

    def test_what_no_day_had_is_not_unchanged(self, home):
        long_ago = ("compare", "2020-01-01", "2020-02-01")
        assert home.do(*long_ago, "--format", "json").json["not_comparable"] == ["crm", "erp", "hr"]
        answer = home.do(*long_ago)
        assert "not comparable: crm had been read by neither of the two times" in answer.err
        assert answer.err.endswith("nothing could be compared\n")

    def test_may_be_narrowed_to_an_application_and_an_identity(self, home):
        of_crm = home.do("compare", *BETWEEN, "--application", "crm", "--format", "json").json["changes"]
        assert of_crm
        assert {row["application"] for row in of_crm} == {"crm"}
        of_ada = home.do("compare", *BETWEEN, "--identity", "hr:1", "--format", "jsonl")
        assert '"identity_moved"' in of_ada.out
        assert "hr:2" not in of_ada.out
        listed = home.do("compare", *BETWEEN, "--identity", "hr:1")
        assert "identity_moved" in listed.out
        assert "Sales" in listed.out

    def test_the_same_day_read_twice_differs_in_nothing(self, home):
        answer = home.do("compare", "2026-04-02", "2026-04-03", "--format", "json").json
        assert [row for row in answer["changes"] if not row["change"].startswith("finding")] == []

    def test_a_table_counts_and_csv_holds_every_change(self, home):
        assert "account vanished" in home.do("compare", *BETWEEN).out
        lines = home.do("compare", *BETWEEN, "--format", "csv").out.splitlines()
        assert len(lines) == 1 + len(home.do("compare", *BETWEEN, "--format", "json").json["changes"])

    def test_the_order_of_the_days_is_checked(self, home):
        answer = home.run("compare", *reversed(BETWEEN))
        assert answer.code == 2
        assert "is not before" in answer.err


class TestKnownThenAndNow:
    def test_then_only_what_had_been_read_by_then(self, home):
        """Both readings were made today, of days in spring: on those days nothing was known."""
        assert home.do("accounts", "--as-of", "2026-04-02", "--known", "then", "--format", "json").json == []
        assert len(home.do("accounts", "--as-of", "2026-04-02", "--known", "now", "--format", "json").json) > 5
        assert len(home.do("accounts", "--as-of", "2026-04-02", "--format", "json").json) > 5

    def test_now_a_leaving_told_later_counts(self, home):
        """Bob's last day was 20 February, which HR said in April."""
        on = ("identities", "--as-of", "2026-03-01", "--format", "json")
        state = {known: {p["display_name"]: p["state"] for p in home.do(*on, *flags).json}
                 for known, flags in (("told", ()), ("now", ("--known", "now")))}  # fmt: skip
        assert (state["told"]["Bob"], state["now"]["Bob"]) == ("current", "ended")
        counts = [
            home.do("detect", "--dry-run", "--as-of", "2026-03-01", *flags, "--format", "json").json["counts"]
            for flags in ((), ("--known", "now"))
        ]
        assert (counts[0].get("ghost"), counts[1].get("ghost")) == (1, 2)

    def test_access_is_what_an_identity_had_on_that_day(self, home):
        on = ("access", "hr:3", "--as-of", "2026-03-01", "--known", "now")
        held = home.do(*on, "--format", "json")
        assert [(row["account_id"], row["entitlements"][0]["name"]) for row in held.json] == [("a3", "Reader")]
        assert "as known now" in held.err
        later = home.do("access", "hr:3", "--as-of", "2026-04-02", "--format", "json").json
        assert [row["application"] for row in later] == ["erp"], "the account in the CRM had vanished"

    def test_a_detect_run_of_what_is_known_otherwise_stores_nothing(self, home):
        assert "nothing was stored" in home.do("detect", "--as-of", "2026-04-02", "--known", "now").err
        assert home.do("findings", "--format", "json").json == []

    @pytest.mark.parametrize("command", [("accounts",), ("access", "hr:1"), ("identities",), ("detect",)])
    def test_known_needs_a_day_and_no_day_to_come(self, home, command):
        answer = home.run(*command, "--known", "then")
        assert answer.code == 2
        assert "--as-of" in answer.err
        answer = home.run(*command, "--known", "then", "--as-of", "2999-01-01")
        assert answer.code == 2
        assert "has not come yet" in answer.err


class TestOneRuleOverThePast:
    def test_counts_what_it_would_have_found_on_each_day(self, home):
        days = home.do("rules", "replay", "ghost", "--format", "json").json
        assert [(day["at"][:10], day["findings"], day["opened"], day["closed"]) for day in days] == [
            ("2026-02-01", 1, 1, 0),
            ("2026-04-01", 1, 1, 1),
        ]

    def test_gives_what_detect_gives_with_every_rule(self, home):
        for rule in ("stale", "ghost", "over_privileged"):
            for day in home.do("rules", "replay", rule, "--format", "json").json:
                judged = home.do("detect", "--dry-run", "--as-of", day["at"], "--format", "json").json
                assert day["findings"] == judged["counts"].get(rule, 0), (rule, day)

    def test_between_two_times(self, home):
        days = home.do("rules", "replay", "ghost", "--from", "2026-03-01", "--format", "json").json
        assert [day["at"][:10] for day in days] == ["2026-04-01"]
        assert home.do("rules", "replay", "ghost", "--to", "2026-01-01", "--format", "json").json == []
        refused = home.run("rules", "replay", "ghost", "--from", "2026-03-02", "--to", "2026-03-01")
        assert (refused.code, "--from 2026-03-02 is after --to 2026-03-01" in refused.err) == (2, True)

    def test_an_unknown_rule_is_refused(self, home):
        assert "no rule is named" in home.run("rules", "replay", "nonsense").err
