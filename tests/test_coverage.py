"""Coverage: what each rule can judge where, why not, and that no answer from outdated facts is green."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.house import install
from governance.views.coverage import coverage, sentence
from tests import seeded
from tests.homes import CRM, HR, SETTINGS, Home
from tests.seeded import put_run, put_snapshot

SUMMARY = {
    "by_application": {"crm": {"accounts": 40}, "wiki": {"accounts": 9}},
    "coverage": {
        "crm": {
            "ghost": {"about": 40, "unjudged": {}},
            "stale": {"about": 40, "unjudged": {"the application does not tell the last use": 40}},
            "orphaned": {"about": 30, "unjudged": {"reason one": 2, "reason two": 5}},
        },
        "wiki": {"ghost": {"about": 9, "unjudged": {}}, "admin_without_mfa": {"about": 3, "unjudged": {}}},
        "hr": {"contradictory_source": {"about": 500, "unjudged": {}}},
    },
}


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


@pytest.fixture
def judged(house, now):
    install(house)
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now - timedelta(minutes=5))
    put_run(house, now, summary=SUMMARY)
    return house


def test_each_place_says_whether_it_was_judged_and_why_not(judged, now):
    places = coverage(judged, now).places
    assert places["crm", "ghost"].sound
    assert places["crm", "ghost"].said == "evaluable, 40 judged"
    blind = places["crm", "stale"]
    assert (blind.state, blind.judged) == ("not evaluable", 0)
    assert blind.said == "not evaluable: 40 of 40: the application does not tell the last use"
    partly = places["crm", "orphaned"]
    assert (partly.state, partly.judged, list(partly.reasons)) == ("partly", 23, ["reason two", "reason one"])
    assert places["wiki", "stale"].state == "nobody"
    assert ("hr", "ghost") not in places, "a rule about accounts asks no source"
    assert places["hr", "contradictory_source"].sound


def test_the_numbers_add_up_and_the_sentence_says_them(judged, now):
    found = coverage(judged, now)
    assert found.asked == found.green + found.amber + found.number("partly") + found.number("not evaluable") == 6
    assert sentence(found) == "4 of 6 places are wholly judged on recent facts, 1 partly judged, 1 not evaluable."
    assert set(found.with_gaps()) == {"stale", "orphaned"}


def test_the_gaps_of_one_application_are_the_same_places(judged, now):
    found = coverage(judged, now)
    gaps = found.gaps_of("crm")
    assert {(place.rule, place.state, place.why) for place in gaps} == {
        ("orphaned", "partly", "5 of 30: reason two; 2 of 30: reason one"),
        ("stale", "not evaluable", "40 of 40: the application does not tell the last use"),
    }
    assert len(gaps) == found.number("partly", "not evaluable")
    assert found.gaps_of("wiki") == []


def test_an_outdated_source_makes_every_rule_that_rests_on_it_amber_never_green(judged, now):
    later = now + timedelta(hours=25)
    for feed in ("crm", "wiki"):
        put_snapshot(judged, feed, later)
    found = coverage(judged, later)
    ghost = found.places["wiki", "ghost"]
    assert (ghost.state, ghost.sound) == ("evaluable", False)
    assert "Rests on outdated facts: HR file" in ghost.said
    assert found.places["wiki", "admin_without_mfa"].sound, "it asks the application alone"
    assert found.green == 1
    assert "rest on outdated ones" in sentence(found)


def test_a_failed_pull_makes_its_application_amber(judged, now):
    seeded.put_pull(judged, "wiki", 9, now, "failed", error="no answer", error_kind="Unavailable")
    found = coverage(judged, now)
    assert not found.places["wiki", "ghost"].sound
    assert found.places["crm", "ghost"].sound


def test_what_is_switched_off_or_was_never_read_is_neither_green_nor_zero(make_house, now):
    off = {**seeded.TWO_APPLICATIONS, "policy": {"rules_off": ["ghost"]}}
    house = make_house(off)
    install(house)
    put_run(house, now, summary={"by_application": {"crm": {}}, "coverage": {"crm": SUMMARY["coverage"]["crm"]}})
    found = coverage(house, now)
    assert found.places["crm", "ghost"].state == "off"
    assert found.places["wiki", "stale"].state == "never read"
    assert not found.places["wiki", "stale"].sound


def test_nothing_is_covered_before_the_first_run(house, now):
    install(house)
    found = coverage(house, now)
    assert (found.places, found.as_of, found.asked) == ({}, None, 0)
    assert sentence(found) == "No rule has been asked anywhere yet."


# --- the command line


@pytest.fixture
def at(tmp_path):
    (tmp_path / "hr.csv").write_text(HR)
    (tmp_path / "crm.csv").write_text(CRM)
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS)
    return Home(tmp_path)


def test_a_rule_explains_where_it_can_be_judged_and_by_which_thresholds(at):
    before = at.do("rules", "explain", "stale")
    assert "In crm" not in before.out
    at.do("pull")
    at.do("detect")
    said = at.do("rules", "explain", "admin_without_mfa").out
    assert "In crm: not evaluable: 1 of 1: the application does not tell whether multi-factor" in said
    told = at.do("rules", "explain", "stale", "--format", "json").json
    assert told["ends_when"]
    assert told["thresholds"]["stale_days"] == 90
    assert told["controls"]
    [place] = told["coverage"]
    assert (place["application"], place["state"], place["unjudged"]) == ("crm", "evaluable", 0)


def test_every_place_is_listed_with_its_reasons(at):
    at.do("pull")
    at.do("detect")
    rows = at.do("rules", "coverage", "--format", "json").json
    ghost = next(row for row in rows if (row["application"], row["rule"]) == ("crm", "ghost"))
    assert (ghost["state"], ghost["about"], ghost["outdated"]) == ("evaluable", 3, None)
    listed = at.do("rules", "coverage", "--rule", "admin_without_mfa")
    assert "not evaluable" in listed.out
    assert "places are wholly judged" in listed.err
    assert at.run("rules", "coverage", "--rule", "nothing").code == 2
