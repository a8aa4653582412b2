"""What the rulebook says of an estate: order, fingerprints, digests, and the same bytes every time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from estates import NOW, account, judge, leaver, settings, unowned
from mixed_estate import GOOD, HELD, MIXED, PEOPLE, RULES, mixed, verdict_on

from governance.declaration import SEVERITIES
from governance.rulebook import FINDING, all_rules

# --- findings ------------------------------------------------------------------------------------------------------


def test_findings_have_their_columns_even_when_there_are_none():
    empty = verdict_on(account(department="Finance", title="Analyst"))
    assert empty.findings.schema == pl.Schema(FINDING)
    assert (empty.findings.height, empty.not_evaluable) == (0, {})
    assert verdict_on().checks == 0


def test_the_mixed_estate_shows_every_rule_it_was_made_for():
    found = {(rule, where) for rule, where in mixed().findings.select("rule", "account_id").iter_rows()}
    assert found == {
        *(("ghost", name) for name in ("a1", "a2", "a3")),
        ("login_after_leaving", "a2"),
        ("stale", "a4"),
        ("admin_without_mfa", "a4"),
        ("orphaned", "a7"),
        ("ambiguous_owner", "a8"),
        ("over_privileged", "a9"),
        ("contradictory_source", None),
        ("unmapped_attribute_value", None),
        ("activity_unknown", None),
        ("privileged_unused", "a4"),
        *(("duplicate_account", name) for name in ("a2", "a4", "a6", "a9")),  # they are all of one person
    }


def test_most_severe_first_and_never_alphabetical():
    found = mixed().findings
    order = [
        (SEVERITIES.index(severity), -points) for severity, points in found.select("severity", "score").iter_rows()
    ]
    assert order == sorted(order)
    assert found["application"].to_list() != sorted(found["application"].to_list())


def test_the_fingerprint_is_of_rule_and_identity_values_alone():
    expected = hashlib.sha256(b"ghost\x1fcrm\x1fa1").hexdigest()[:16]
    assert judge(RULES["ghost"], leaver()).findings["fingerprint"].item() == expected
    renamed = leaver(username="other", owner_name="Other", privileged=True)
    assert judge(RULES["ghost"], renamed).findings["fingerprint"].item() == expected
    of_a_person = judge(RULES["contradictory_source"], identities=PEOPLE[1:]).findings["fingerprint"].item()
    assert of_a_person == hashlib.sha256(b"contradictory_source\x1fhr:9").hexdigest()[:16]


def test_two_rows_of_one_identity_are_one_finding_whatever_their_order():
    twice = [leaver(username="first"), leaver(username="second")]
    found, turned = (judge(RULES["ghost"], *rows).findings for rows in (twice, twice[::-1]))
    assert found.height == 1
    assert found.equals(turned)


def test_a_later_run_with_newer_snapshots_of_the_same_facts_changes_no_byte():
    later = [
        {**row, "as_of_s": int(NOW.timestamp()) + 86_400, "last_present_at": NOW + timedelta(days=1)} for row in MIXED
    ]
    again = verdict_on(*later, now=NOW + timedelta(days=1), identities=PEOPLE, **HELD)
    assert again.findings.equals(mixed().findings)


@pytest.mark.parametrize(
    "change",
    [
        {"privileged": True},
        {"criticality": "high"},
        {"username": "marta"},
        {"owner_name": "Marta Berg"},
        {"email": "marta@example.com"},
        {"last_seen_at": NOW},
        {"owner_ended_at": datetime(2026, 11, 5, 23, tzinfo=UTC)},
        {"owner_ended_why": "absence"},
        {"match_key": "email"},
    ],
)
def test_whatever_a_finding_shows_changes_its_digest(change):
    before, after = judge(RULES["ghost"], leaver()).findings, judge(RULES["ghost"], leaver(**change)).findings
    assert before["digest"].item() != after["digest"].item()
    assert before["fingerprint"].item() == after["fingerprint"].item()


def test_what_a_finding_does_not_show_leaves_it_as_it_was():
    before, after = (judge(RULES["orphaned"], unowned(**more)).findings for more in ({}, {"last_seen_at": NOW}))
    assert before.height == 1
    assert before.equals(after)


def test_a_feed_that_is_named_anew_changes_the_findings_that_name_it():
    rows = [leaver(), leaver(account_id="a2", application="wiki")]
    feeds = settings().model_dump(exclude_unset=True)["application"]
    renamed = settings(application=[feeds[0], {**feeds[1], "title": "Handbook"}])
    before, after = (
        judge(RULES["ghost"], *rows, settings=s).findings.sort("account_id") for s in (settings(), renamed)
    )
    assert (before["digest"] == after["digest"]).to_list() == [True, False]
    assert "Handbook" in after["reason"][1]
    elsewhere = settings(source=[{**settings().model_dump(exclude_unset=True)["source"][0], "time_zone": "Asia/Tokyo"}])
    moved = judge(RULES["ghost"], *rows, settings=elsewhere).findings.sort("account_id")
    assert (before["digest"] == moved["digest"]).to_list() == [False, False]
    assert "5 Nov 2026" in moved["reason"][0]


def test_a_sentence_written_anew_changes_the_finding_but_not_which_finding_it_is(tmp_path):
    found = []
    for number, said in enumerate(("It is the weekend.", "It is Sunday.")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "weekend.py").write_text(GOOD.replace("It is the weekend.", said))
        found.append(judge(all_rules(folder)["weekend"], account()).findings)
    before, after = found
    assert (before["reason"].item(), after["reason"].item()) == ("It is the weekend.", "It is Sunday.")
    assert before["digest"].item() != after["digest"].item()
    assert before["fingerprint"].item() == after["fingerprint"].item()


# --- reproducible --------------------------------------------------------------------------------------------------


PRINTS = """
import locale, sys
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
import mixed_estate
found = mixed_estate.mixed()
sys.stdout.buffer.write(found.findings.write_ndjson().encode() + repr((found.not_evaluable, found.checks)).encode())
"""


def test_another_hash_seed_time_zone_or_locale_changes_no_byte():
    def told(**variables: str) -> bytes:
        path = os.pathsep.join(["tests", os.getcwd()])
        done = subprocess.run(
            [sys.executable, "-c", PRINTS],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    first = told(PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C.UTF-8")
    other = told(PYTHONHASHSEED="12345", TZ="Pacific/Auckland", LC_ALL="C", POLARS_MAX_THREADS="1")
    third = told(PYTHONHASHSEED="777", TZ="America/St_Johns", LC_ALL="de_DE.UTF-8", LANG="de_DE.UTF-8")
    assert first == other == third
    assert b"Zo\xc3\xab" in first
