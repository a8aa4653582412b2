"""The radar and what happens when somebody leaves, as pages and the command line show them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from homes import Home

from governance.tables import Connector
from governance.views.radar import provisioned, ways_out
from tests import seeded
from tests.screen import NOW, show, text_of
from tests.seeded import put_run

SINCE = (NOW - timedelta(days=40)).isoformat()
RADAR = {
    "writers": [
        {"writer": "jit", "since": SINCE, "last": SINCE, "accounts": 3, "told_by": "both"},
        {"writer": "scim", "since": None, "last": None, "accounts": 0, "told_by": "settings"},
    ],
    "consequences": [
        {"kind": "born_outside_scim", "accounts": 7, "examples": ["a0", "a1"], "since": SINCE, "more": {}},
        {"kind": "not_retroactive", "accounts": 2, "examples": ["a0"], "since": SINCE, "more": {}},
    ],
    "unknown": {"attributes_flip": "it does not tell who changed which account"},
    "provider": "crm",
    "born": 10,
    "reached": 3,
}
LEFT = {
    "leavers": 16,
    "since": SINCE,
    "closed": {"scim": 2},
    "before": 0,
    "still": 14,
    "sign_in_closed": 14,
    "tokens": 3,
    "unknown": 0,
    "median": 2.0,
    "slow": 5.0,
    "latest": None,
}
ONE = {**RADAR, "writers": RADAR["writers"][:1], "consequences": [], "unknown": {}, "provider": None}
FEW = {**LEFT, "leavers": 2, "still": 2, "sign_in_closed": 2}

SETTINGS = """
[store]
url = { env = "LEAVERWATCH_DATABASE" }

[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"

[[application]]
name = "crm"
title = "Customer CRM"
connector = "app_csv"
path = "crm.csv"

[[application]]
name = "wiki"
title = "Wiki"
connector = "scim"
base_url = "http://127.0.0.1:1/"
token = { env = "WIKI_TOKEN" }
"""


@pytest.fixture
def told(house):
    """The wiki with two writers, pushed to by the other, which declares how it pushes."""
    seeded.put_connectors(house)
    with house.store.write() as session:
        row = session.get_one(Connector, house.settings.application_named("crm").connector)
        row.limits = [
            {"requests": 5, "per_s": 60, "match": ""},
            {
                "manner": "pushes_new_assignments",
                "text": "New ones only.",
                "steps": ["Push {title} once."],
                "days": None,
            },
        ]
        session.add(row)
    numbers = {"accounts": 2, "active": 2}
    summary = {"wiki": numbers | {"radar": RADAR, "leaving": LEFT}, "crm": numbers | {"radar": ONE, "leaving": FEW}}
    put_run(house, NOW, [seeded.account("wiki", "a0", username="ada")], summary={"by_application": summary})
    return house


def test_what_a_run_kept_is_told_in_words(told):
    seen = provisioned(told)["wiki"]
    assert seen.dual
    assert [(w.name, w.accounts) for w in seen.writers] == [("jit", 3), ("scim", 0)]
    assert [f.kind for f in seen.found] == ["born_outside_scim", "not_retroactive"]
    assert seen.found[0].examples == ("ada", "a1")
    assert seen.found[1].steps[0] == "Push Wiki once."
    assert seen.said.endswith("14 of 16 leavers since " + seen.said.split(" since ")[1])
    assert provisioned(told)["crm"].said is None


def test_the_share_with_a_removal_path_counts_a_credential_for_all_and_a_push_for_whom_it_reaches(told):
    found = provisioned(told).values()
    assert (ways_out(found, []).out, ways_out(found, ["wiki"]).out, ways_out(found, []).born) == (6, 13, 20)
    assert ways_out([], []).share is None


def test_cards_and_detail_say_what_leavers_show_and_how_to_end_what_came_of_two_writers(told):
    cards = text_of(show(told, "applications")).replace("\\", "")
    assert "Two writers: 2 consequences found" in cards
    assert "14 of 16 leavers since" in cards
    assert "not yet seen: 2 leavers held an account" in cards
    assert "Accounts can be closed from here in **1**, by a task to the owner in **1**" in cards
    near = show(told, "applications", feed="wiki")
    said = text_of(near).replace("\\", "")
    assert "Who fills it" in said
    assert "7 accounts were made in Wiki by a sign-in" in said
    assert "1. In Customer CRM, import the accounts of Wiki" in said
    assert "it does not tell who changed which account" in said
    assert [e.label for e in near.expander][:2] == ["How to end it, in 5 steps", "How to end it, in 3 steps"]


def test_the_overview_names_where_accounts_stay_and_what_share_has_a_way_out(told):
    said = text_of(show(told, "overview")).replace("\\", "")
    assert "When somebody leaves" in said
    assert "14 of 16 leavers still have an account" in said
    assert "3 with live tokens; single sign-on is closed for all 14 of these" in said
    assert "2 others closed, mostly by SCIM, half within 2 h" in said
    assert "in 1 application most stay" in said
    assert "? in 1 too few have left to tell" in said
    assert "of 20 accounts made by a sign-in" in said


def test_the_command_line_gives_the_same(told):
    (told.home / "leaverwatch.toml").write_text(SETTINGS)
    given = Home(told.home, {"WIKI_TOKEN": "t", "LEAVERWATCH_DATABASE": str(told.store.url)})
    table = given.run("radar")
    assert "7 accounts were made in Wiki by a sign-in" in table.err
    assert "  1. Push Wiki once." in table.err
    [only] = json.loads(given.run("radar", "--application", "wiki", "--format", "json").out)
    assert [one["kind"] for one in only["consequences"]] == ["born_outside_scim", "not_retroactive"]
    assert only["not_evaluable"] == {"attributes_flip": "it does not tell who changed which account"}
    assert (only["leaving"]["still"], only["born_by_sign_in"], only["reached_by_push"]) == (14, 10, 3)
    assert given.run("radar", "--application", "nobody").code == 2
