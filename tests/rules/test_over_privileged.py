from __future__ import annotations

import json

import pytest
from estates import MAPPING, account, fired, judge, reason, settings, unknown, unowned

from governance.rules.over_privileged import over_privileged

MAPPED = settings(role_mapping=MAPPING)
NAMES = ("Finance User", "Reader", "Sales Lead", "Root", "Newsletter")
ENTITLEMENTS = [
    {"application": application, "entitlement_id": name.lower(), "name": name, "privileged": name == "Root"}
    for application in ("crm", "wiki")
    for name in NAMES
]


def holding(*names, judged=None, settings=MAPPED, **values):
    held = judged or account(**values)
    key = {"application": held["application"], "account_id": held["account_id"]}
    grants = [{**key, "entitlement_id": name.lower()} for name in names]
    return judge(over_privileged, held, entitlements=ENTITLEMENTS, grants=grants, settings=settings)


def test_fires_once_for_all_that_the_mapping_does_not_give():
    verdict = holding("Root", "Sales Lead", "Finance User")
    assert reason(verdict) == (
        "The account m.lindqvist of Marta Lindqvist in Customer CRM holds 2 entitlements that the role mapping does not"
        " give: “Root”, “Sales Lead”."
    )
    values = json.loads(verdict.findings["evidence"].item())["values"]
    assert (values["excess"], values["excess_count"]) == ("“Root”, “Sales Lead”", 2)


def test_names_five_and_counts_the_others():
    many = [f"Role {number}" for number in range(7)]
    mapped = settings(role_mapping=[{"application": "crm", "when": {"department": "IT"}, "gives": many}])
    entitlements = [{"application": "crm", "entitlement_id": name, "name": name} for name in many]
    grants = [{"application": "crm", "account_id": "a1", "entitlement_id": name} for name in many]
    verdict = judge(over_privileged, account(), entitlements=entitlements, grants=grants, settings=mapped)
    assert reason(verdict).endswith("“Role 0”, “Role 1”, “Role 2”, “Role 3”, “Role 4” and 2 more.")


def test_every_attribute_of_a_line_must_fit():
    sales = {"owner_department": "Sales"}
    assert fired(holding("Sales Lead", owner_title="Lead", **sales)) == []
    assert fired(holding("Sales Lead", owner_title="Clerk", **sales)) == ["a1"]
    assert fired(holding("Sales Lead", owner_title="Lead", owner_department="Finance")) == ["a1"]


def test_a_line_of_another_application_gives_nothing_here():
    mapped = settings(role_mapping=[*MAPPING, {"application": "wiki", "when": {"kind": "employee"}, "gives": ["Root"]}])
    assert fired(holding("Root", settings=mapped)) == ["a1"]
    assert fired(holding("Root", application="wiki", settings=mapped)) == []


@pytest.mark.parametrize("names", [(), ("Finance User", "Reader"), ("Newsletter",)])
def test_quiet_for_what_the_mapping_gives_or_does_not_mention(names):
    verdict = holding(*names)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    "values",
    [
        {"active": False},
        {"owner_state": "ended"},
        {"owner_state": "future"},
        {"owner_state": "missing"},
        {"application": "wiki"},
        {"judged": unowned()},
    ],
)
def test_quiet_for_others_and_for_applications_without_a_mapping(values):
    verdict = holding("Root", **values)
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_fires_for_an_owner_on_leave():
    assert fired(holding("Root", owner_state="leave")) == ["a1"]


def test_quiet_without_any_mapping():
    verdict = holding("Root", settings=settings())
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (account(active=None), "the application does not tell whether the account is active"),
        (account(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (account(owner_department=None), "the source of truth does not tell the owner's department or title"),
        (account(owner_title=None), "the source of truth does not tell the owner's department or title"),
        (account(privileged=None), "the application does not tell what the account holds"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = holding("Root", judged=judged)
    assert fired(verdict) == []
    assert unknown(verdict) == why


def test_an_attribute_that_the_mapping_does_not_look_at_need_not_be_told():
    by_department = settings(role_mapping=MAPPING[:1])
    verdict = holding("Root", owner_title=None, settings=by_department)
    assert fired(verdict) == ["a1"]
    assert unknown(verdict) is None


def test_an_untold_state_is_a_question_only_where_a_mapping_and_an_owner_are():
    assert unknown(holding("Root", active=None, owner_state="leave")) is not None
    assert unknown(holding("Root", active=None, owner_state="ended")) is None
    assert unknown(holding("Root", active=None, application="wiki")) is None


def test_an_entitlement_of_which_it_is_not_told_whether_it_is_privileged_is_not_excessive():
    untold = [{"application": "crm", "entitlement_id": "e", "name": "Newsletter", "privileged": None}]
    grants = [{"application": "crm", "account_id": "a1", "entitlement_id": "e"}]
    assert fired(judge(over_privileged, account(), entitlements=untold, grants=grants, settings=MAPPED)) == []


def approving(*names, **when):
    return settings(role_mapping=MAPPING, baseline=[{"application": "crm", "entitlements": names, "when": when}])


@pytest.mark.parametrize("when", [{}, {"department": "Finance"}, {"kind": "employee", "title": "Analyst"}])
def test_what_the_baseline_approves_for_the_owner_is_not_excessive(when):
    assert fired(holding("Root", settings=approving("Root", **when))) == []
    assert "1 entitlement that" in reason(holding("Root", "Sales Lead", settings=approving("Root", **when)))


@pytest.mark.parametrize("when", [{"department": "Sales"}, {"department": "Finance", "title": "Lead"}])
def test_what_the_baseline_approves_for_others_is(when):
    assert fired(holding("Root", settings=approving("Root", **when))) == ["a1"]


def test_a_baseline_alone_makes_nothing_excessive():
    alone = settings(baseline=[{"application": "crm", "entitlements": ["Reader"]}])
    assert fired(holding("Root", settings=alone)) == []


def test_an_attribute_that_only_the_baseline_looks_at_must_be_told():
    by_title = settings(
        role_mapping=MAPPING[:1],
        baseline=[{"application": "crm", "entitlements": ["Root"], "when": {"title": "Analyst"}}],
    )
    verdict = holding("Root", owner_title=None, settings=by_title)
    assert fired(verdict) == []
    assert unknown(verdict) == "the source of truth does not tell the owner's department or title"
