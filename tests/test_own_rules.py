"""Rules of one's own, through the command line: found, explained, they fire and count; a broken file is named."""

from __future__ import annotations

import pytest

from tests.homes import CRM, HR, SETTINGS, Home

OWN = '''
"""Accounts named like a test."""

import narwhals as nw

from governance.declaration import Remedy, rule


@rule(
    title="Named like a test",
    severity="low",
    remedy=Remedy.DECIDE,
    needs=("account.active",),
    controls=("House 1.1",),
    evidence=("active",),
    ends_when="the account gets the name of a person",
    sentence=lambda row: f"The account {row['account']} in {row['where']} is named like a test.",
)
def named_like_a_test(estate, policy, now):
    """An active account is named like a test."""
    return estate.accounts.filter(nw.col("active"), nw.col("username").str.starts_with("a"))
'''


@pytest.fixture
def at(tmp_path):
    (tmp_path / "hr.csv").write_text(HR)
    (tmp_path / "crm.csv").write_text(CRM)
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "named_like_a_test.py").write_text(OWN)
    return Home(tmp_path)


def broken(at, old, new):
    assert old in OWN
    (at.folder / "rules" / "named_like_a_test.py").write_text(OWN.replace(old, new))


def test_a_rule_of_ones_own_is_found_explained_fires_and_is_counted(at):
    assert "named_like_a_test" in at.do("rules", "list").out
    assert "Ends when: the account gets the name of a person." in at.do("rules", "explain", "named_like_a_test").out
    at.do("pull")
    assert at.do("detect", "--format", "json").json["counts"]["named_like_a_test"] == 1
    [finding] = at.do("findings", "--rule", "named_like_a_test", "--format", "json").json
    assert finding["reason"] == "The account ada in crm is named like a test."
    assert (finding["severity"], finding["controls"]) == ("low", ["House 1.1"])
    [place] = at.do("rules", "coverage", "--rule", "named_like_a_test", "--format", "json").json
    assert (place["state"], place["about"]) == ("evaluable", 3)
    assert "of them your own: named_like_a_test" in at.run("doctor").out


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('nw.col("active")', 'nw.col("aktive")', "aktive"),
        ('evidence=("active",)', 'evidence=("colour",)', "the evidence of named_like_a_test names 'colour'"),
        ("estate.accounts.filter", "estate.akounts.filter", "cannot run: AttributeError"),
        ('starts_with("a"))', 'starts_with("a")', "SyntaxError"),
        ('controls=("House 1.1",)', "controls=()", "lacks controls"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong_and_stops_with_2(at, old, new, why):
    broken(at, old, new)
    for command in (("rules", "list"), ("detect",), ("worker",)):
        answer = at.run(*command)
        assert answer.code == 2, command
        assert str(at.folder / "rules" / "named_like_a_test.py") in answer.err
        assert why in answer.err


def test_the_doctor_names_a_broken_rule_file(at):
    broken(at, 'nw.col("active")', 'nw.col("aktive")')
    said = at.run("doctor")
    assert said.code == 1
    assert "FAILED" in said.out
    assert "aktive" in said.out


def test_a_shipped_rule_s_name_is_taken(at):
    (at.folder / "rules" / "ghost.py").write_text(OWN.replace("named_like_a_test", "ghost"))
    answer = at.run("rules", "list")
    assert (answer.code, "name of a shipped rule" in answer.err) == (2, True)
