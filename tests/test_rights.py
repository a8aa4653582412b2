"""Every verb of the domain that takes an actor, by every role, on what is theirs and on what is not, written out once.

A hidden page protects nothing: each verb checks the right itself. A new verb fails here until its row is written.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import pkgutil
from dataclasses import replace

import pytest

import governance
from governance.access import RIGHTS, SENSITIVE, Verb
from governance.errors import SignInAgain
from tests import rights_world
from tests.acting import SETTINGS
from tests.rights_of_reviews import TRIES
from tests.rights_world import actor, allowed

# all: on anything · own: on what is theirs · a dot: never. Two more columns: somebody who left with every role, and
# somebody signed in without a role.
TABLE = """
                           admin  security  manager  application_owner  approver  auditor  leaver  nobody
remediation.propose        .      all       own      own                .         .        .       .
remediation.refusals       .      all       own      own                .         .        .       .
remediation.approve        .      all       own      own                all       .        .       .
remediation.reject         .      all       own      own                all       .        .       .
remediation.cancel         own    own       own      own                own       own      .       .
remediation.done           all    .         .        own                .         .        .       .
remediation.undo           .      all       own      own                .         .        .       .
findings.exclude           .      all       .        .                  .         .        .       .
findings.end_exclusion     .      all       .        .                  .         .        .       .
findings.pin               .      all       .        .                  .         .        .       .
findings.ask               all    .         .        .                  .         .        .       .
guards.release             all    all       .        .                  .         .        .       .
policies.ask               all    .         .        .                  .         .        .       .
policies.demanded          all    .         .        .                  .         .        .       .
mappings.save              all    all       .        .                  .         .        .       .
mappings.ask_import        all    all       .        .                  .         .        .       .
mappings.ask               all    all       .        .                  .         .        .       .
mappings.agree             all    all       .        .                  .         .        .       .
mappings.reject            all    all       .        .                  .         .        .       .
mappings.write_record      all    all       .        .                  .         all      .       .
configuring.add            all    .         .        .                  .         .        .       .
configuring.change         all    .         .        .                  .         .        .       .
secrets.put                all    .         .        .                  .         .        .       .
exports.export             .      .         .        .                  .         all      .       .
notices.again              all    .         .        .                  .         .        .       .
notices.prefer             own    own       own      own                own       own      .       .
sessions.listed            all    own       own      own                own       own      own     own
sessions.sign_out          own    own       own      own                own       own      own     own
sessions.end               all    own       own      own                own       own      own     own
sessions.end_all           all    own       own      own                own       own      own     own
views.waiting              all    all       own      own                all       all      .       .
views.under_way            all    all       own      own                all       all      .       .
views.ended                all    all       own      own                all       all      .       .
views.decided              all    all       own      own                all       all      .       .
views.detail               all    all       own      own                all       all      .       .
views.mine                 own    own       own      own                own       own      own     own
views.board                own    own       own      own                own       own      own     own
views.cards                all    all       .        .                  all       all      .       .
views.schedules            all    all       .        .                  all       all      .       .
views.progress             all    all       .        .                  all       all      .       .
views.foreseen             .      all       .        .                  .         .        .       .
views.as_reviewer          .      all       .        .                  .         .        .       .
views.by_campaign          all    all       .        .                  all       all      .       .
views.not_carried_out      all    all       .        .                  all       all      .       .
views.record_of            all    all       .        .                  .         all      .       .
views.taken                .      .         .        .                  .         all      .       .
views.ask                  .      .         .        .                  .         all      .       .
views.team                 own    own       own      own                own       own      .       own
campaigns.ask_removal      .      all       own      own                .         .        .       .
campaigns.create           .      all       .        .                  .         .        .       .
campaigns.preview          .      all       .        .                  .         .        .       .
campaigns.foresee          .      all       .        .                  .         .        .       .
campaigns.preview_as       .      all       .        .                  .         .        .       .
campaigns.launch           .      all       .        .                  .         .        .       .
campaigns.cancel           .      all       .        .                  .         .        .       .
campaigns.remind           .      all       .        .                  .         .        .       .
campaigns.extend           .      all       .        .                  .         .        .       .
campaigns.close            .      all       .        .                  .         .        .       .
campaigns.schedule         .      all       .        .                  .         .        .       .
campaigns.end_schedule     .      all       .        .                  .         .        .       .
campaigns.reassign         .      all       .        .                  .         .        .       .
campaigns.decide           own    own       own      own                own       own      .       .
campaigns.sign             own    own       own      own                own       own      .       .
campaigns.delegate         own    all       own      own                own       own      .       .
campaigns.end_delegation   own    all       own      own                own       own      .       .
"""
# What takes an actor and gives or refuses nothing: it says names.
NO_VERBS = {"views.deciders", "campaigns.decides_for"}
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [(row[0], who, reach) for row in ROWS for who, reach in zip(HEAD, row[1:], strict=True)]


@pytest.fixture
def settings():
    return SETTINGS


def verbs() -> dict[str, object]:
    """Every public function of the domain with an actor among its parameters, by package and name."""
    found = {}
    for module in pkgutil.walk_packages(governance.__path__, "governance."):
        part = module.name.split(".")[1]
        if part in ("access", "pages", "parts", "shell") or ".versions." in module.name:
            continue
        for name, one in vars(importlib.import_module(module.name)).items():
            own = inspect.isfunction(one) and one.__module__ == module.name and not name.startswith("_")
            if own and any("Actor" in str(p.annotation) for p in inspect.signature(one).parameters.values()):
                found[f"{part}.{name}"] = one
    return found


def whoever(column: str):
    """The actor of that column."""
    if column == "leaver":
        return actor("security", left=True)
    return actor(None if column == "nobody" else column)


def test_every_verb_has_its_row_and_every_role_its_column():
    named = {row[0] for row in ROWS}
    assert named | NO_VERBS == set(verbs()), (
        "a new verb needs its row here and its trial in rights_world.py or rights_of_reviews.py"
    )
    assert set(HEAD) == {*RIGHTS, "leaver", "nobody"}
    assert named <= set(TRIES)


@pytest.mark.parametrize("which", ["own", "other"])
@pytest.mark.parametrize(("name", "who", "reach"), CELLS, ids=str)
def test_a_verb_is_done_exactly_for_whom_the_table_says(house, name, who, reach, which):
    made = rights_world.world(house)
    assert allowed(made, name, whoever(who), which) is (reach == "all" or reach == which)


@pytest.mark.parametrize("which", ["own", "other"])
@pytest.mark.parametrize("who", HEAD)
def test_an_undo_is_asked_for_by_who_may_propose(house, who, which):
    reach = next(row for row in ROWS if row[0] == "remediation.undo")[1 + HEAD.index(who)]
    made = rights_world.world(house)
    assert allowed(made, "findings.ask undo", whoever(who), which) is (reach == "all" or reach == which)


# Of these nothing is decided, or only about oneself.
NOT_SENSITIVE = {
    *("remediation.refusals", "findings.ask", "exports.export", "campaigns.decide", "campaigns.sign"),
    *("campaigns.delegate", "campaigns.end_delegation", "sessions.listed", "sessions.sign_out"),
    *("notices.again", "notices.prefer"),
    *("sessions.end", "sessions.end_all", *(name for name in (row[0] for row in ROWS) if name.startswith("views."))),
}


@pytest.mark.parametrize("name", [row[0] for row in ROWS if row[0] not in NOT_SENSITIVE])
def test_whoever_may_decide_must_have_signed_in_a_moment_ago(house, name):
    who = next(c for c, reach in zip(HEAD, next(r for r in ROWS if r[0] == name)[1:], strict=True) if reach != ".")
    made = rights_world.world(house)
    with pytest.raises(SignInAgain):
        TRIES[name](made, replace(whoever(who), fresh=False), "own")
    assert "me@corp.example" not in made.acted(), "nothing was done"


def test_the_verbs_that_need_a_fresh_sign_in_are_those_that_decide():
    assert set(Verb) - SENSITIVE == {Verb.READ, Verb.EXPORT, Verb.RUN}
    assert all(set(a) for a in itertools.product(RIGHTS, SENSITIVE))
