"""The radar of two writers (FAULTS.md C15): twelve scenario sets found, and nothing where one writer is at work."""

from __future__ import annotations

import pytest
from estates import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from radar_scenes import BORN, DAY, FIRST, HOUR, MANNERS, TWELVE, alone, born_outside, company

from governance.provisioning.conflict import KINDS
from governance.provisioning.radar import radar
from governance.provisioning.steps import TITLES, Where, sentence, steps

WRITERS = ("jit", "scim", "hand")


@pytest.mark.parametrize("name", TWELVE)
def test_what_came_of_two_writers_is_found(name):
    where, kind, change = TWELVE[name]
    found = change(company()).blip(where)
    assert kind in {one.kind for one in found.consequences}
    assert all(one.accounts and one.examples for one in found.consequences)


@pytest.mark.parametrize("name", TWELVE)
@pytest.mark.parametrize("writer", WRITERS)
def test_nothing_is_found_where_one_writer_is_at_work(name, writer):
    _, _, change = TWELVE[name]
    for blip in radar(alone(writer, change).estate(), NOW, MANNERS).values():
        assert blip.consequences == ()
        assert blip.unknown == ()
        assert {one.writer for one in blip.acting} <= {writer}


def test_there_are_twelve_sets_and_each_kind_is_among_them():
    assert len(TWELVE) == 12
    assert {kind for _, kind, _ in TWELVE.values()} == set(KINDS) == set(TITLES)


def test_writers_are_told_since_when_and_over_how_many():
    found = born_outside(company()).blip()
    told = {one.writer: (one.since, one.accounts, one.told_by) for one in found.acting}
    assert told == {"scim": (FIRST, 7, "events"), "jit": (BORN, 1, "events")}
    assert (found.born, found.reached, found.provider) == (1, 0, "sso")


def test_settings_alone_tell_of_writers_and_of_no_consequence():
    scene = company()
    scene.ways = ("jit", "scim")
    found = scene.blip()
    assert [(one.writer, one.told_by, one.accounts) for one in found.acting] == [
        ("jit", "settings", 0),
        ("scim", "settings", 0),
    ]
    assert found.consequences == ()
    assert {one.kind: one.why for one in found.unknown}["born_outside_scim"] == (
        "no push to it is told, neither by it nor by an identity provider"
    )


@pytest.mark.parametrize("name", TWELVE)
def test_each_consequence_reads_as_a_sentence_and_ends_by_steps_in_their_order(name):
    where, kind, change = TWELVE[name]
    provider = None if where == "sso" else "Sign-on"
    [found] = [one for one in change(company()).blip(where).consequences if one.kind == kind]
    place = Where("Customer CRM" if where == "crm" else "Sign-on", provider)
    said = sentence(found, place)
    assert place.title in said
    assert f"{found.accounts:,}" in said or kind == "duplicates"
    assert said.endswith(".")
    assert "{" not in said
    listed = steps(kind, place, MANNERS["sso"])
    assert "Sign-on" in listed[0] or listed[0] == "Push Customer CRM.", "the identity provider comes first"
    assert listed[-1] == f"Pull {place.title} and run detect: the radar no longer shows it."


def test_who_wins_and_how_often_attributes_flip():
    wins = {}
    for name in ("attributes flip, the sign-in wins", "attributes flip, the push wins"):
        [found] = [c for c in TWELVE[name][2](company()).blip().consequences if c.kind == "attributes_flip"]
        wins[name] = found.more
    assert wins == {
        "attributes flip, the sign-in wins": {"changes": 2, "winner": "jit", "won": 1},
        "attributes flip, the push wins": {"changes": 3, "winner": "scim", "won": 1},
    }


def test_a_vendor_s_own_steps_go_before_ours():
    assert steps("not_retroactive", Where("Wiki", "Sign-on"), MANNERS["sso"])[0] == "Push Wiki."
    assert steps("not_retroactive", Where("Wiki"))[0].startswith("In the identity provider, import")


def test_what_cannot_be_looked_for_is_said_with_its_reason_and_never_as_nothing():
    scene = company()
    scene.ways = ("jit", "scim")
    scene.events = [event for event in scene.events if event["application"] != "sso"]
    silent = {one.kind: one.why for one in scene.blip().unknown}
    assert silent["attributes_flip"] == "it does not tell who changed which account"
    assert silent["not_retroactive"] == "no push to it is told, neither by it nor by an identity provider"
    assert silent["unlinked_records"].startswith("it tells of no account")


def test_a_setting_that_was_switched_off_or_is_not_told_any_more_is_none():
    where, kind, change = TWELVE["a provider that lets leavers back in"]
    for off in ({"success": False}, {"at": NOW - 3 * DAY}):
        scene = change(company())
        for account in scene.accounts:
            account["as_of_s"] = int(NOW.timestamp())
        [setting] = [event for event in scene.events if event["kind"] == "setting"]
        setting |= off
        assert kind not in {one.kind for one in scene.blip(where).consequences}


def test_who_was_pushed_again_before_coming_back_was_not_reborn_by_a_sign_in():
    scene = TWELVE["closed by a push, opened by a sign-in"][2](company()).pushed("a", BORN + HOUR / 2)
    assert "reborn_by_sign_in" not in {one.kind for one in scene.blip().consequences}


def test_writers_known_only_from_how_accounts_came_to_be_count_when_that_is_sure():
    scene = company().person("a", provenance="jit", provenance_confidence=0.95)
    scene.person("b", provenance="jit", provenance_confidence=0.6).person("c", provenance="local")
    found = scene.blip()
    assert [(one.writer, one.accounts, one.since) for one in found.acting] == [("jit", 1, None)]
    assert found.born == 1


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(WRITERS), st.lists(st.sampled_from(sorted(TWELVE)), min_size=1, max_size=4, unique=True))
def test_no_mixture_of_what_one_writer_did_has_a_consequence(writer, names):
    scene = company()
    for name in names:
        one = alone(writer, TWELVE[name][2])
        known = {(a["application"], a["account_id"]) for a in scene.accounts}
        scene.accounts += [a for a in one.accounts if (a["application"], a["account_id"]) not in known]
        scene.events += [{**e, "event_id": f"{name}-{e['event_id']}"} for e in one.events]
        scene.ways = one.ways
    if writer == "scim":
        for account in scene.accounts:
            account["external_id"] = f"00u{account['account_id']}"
    assert all(not blip.consequences for blip in radar(scene.estate(), NOW, MANNERS).values())


def test_who_was_pushed_before_events_are_kept_is_not_taken_for_older_than_the_push():
    scene = born_outside(company())  # everybody else was there before anything is remembered
    for silent in ("1", "2"):
        scene.events = [e for e in scene.events if e["kind"] != "provisioned" or e["account_id"] != f"sso{silent}"]
    found = scene.blip()
    assert "not_retroactive" not in {one.kind for one in found.consequences}
    assert "not_retroactive" in {one.kind for one in found.unknown}
