from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from estates import MAPPING, account, estate, fired, judge, reason, settings, unknown, unowned

from governance.rulebook import in_force, run
from governance.rules.over_privileged import over_privileged
from governance.rules.privilege_creep import privilege_creep

MAPPED = settings(role_mapping=MAPPING)
MOVED_AT = datetime(2026, 10, 30, 4, tzinfo=UTC)
ENTITLEMENTS = [
    {"application": application, "entitlement_id": name.lower(), "name": name, "privileged": name == "Root"}
    for application in ("crm", "wiki")
    for name in ("Finance User", "Reader", "Sales Lead", "Root", "Newsletter")
]
BOTH = {"privilege_creep": privilege_creep, "over_privileged": over_privileged}


def mover(**values):
    """A lead of Sales who did the same in Finance until 30 Oct 2026."""
    return account(
        **{
            "owner_department": "Sales",
            "owner_title": "Lead",
            "owner_moved_at": MOVED_AT,
            "owner_former_department": "Finance",
            "owner_former_title": "Lead",
            **values,
        }
    )


def grants(held, *names):
    key = {"application": held["application"], "account_id": held["account_id"]}
    return [{**key, "entitlement_id": name.lower()} for name in names]


def holding(*names, judged=None, settings=MAPPED, **values):
    held = judged or mover(**values)
    return judge(privilege_creep, held, entitlements=ENTITLEMENTS, grants=grants(held, *names), settings=settings)


def together(*names, settings=MAPPED, **values):
    """What both rules that share what is beyond the present position hold against the mover: rule -> its sentence."""
    held = mover(**values)
    both = estate([held], entitlements=ENTITLEMENTS, grants=grants(held, *names), settings=settings)
    findings = run(both, settings.policy, MOVED_AT, in_force(BOTH, settings.policy)).findings
    return dict(findings.select("rule", "reason").iter_rows())


def test_fires_once_for_all_that_only_the_former_position_gives():
    verdict = holding("Finance User", "Reader", "Sales Lead", "Root", "Newsletter")
    assert reason(verdict) == (
        "Marta Lindqvist moved from Finance, Lead to Sales, Lead, as was first read on 30 Oct 2026; the account m.lindqvist in"
        " Customer CRM still holds 2 entitlements that only the former position gives: “Finance User”, “Reader”."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts == [
        "Customer CRM: still holds “Finance User”, “Reader”, which only the former position gives",
        "HR: former department Finance",
        "HR: former title Lead",
        "HR: another position was first read 30 Oct 2026, 04:00 UTC",
        "HR: department Sales",
        "HR: title Lead",
        "Matched by employee id 10482",
    ]


def test_a_title_that_did_not_change_is_the_present_one():
    lead = [{"application": "crm", "when": {"department": "Sales", "title": "Lead"}, "gives": ["Sales Lead"]}]
    moved = {"owner_department": "Finance", "owner_former_department": "Sales", "owner_former_title": None}
    assert fired(holding("Sales Lead", settings=settings(role_mapping=lead), **moved)) == ["a1"]
    assert fired(holding("Sales Lead", settings=settings(role_mapping=lead), **moved, owner_title="Clerk")) == []


def test_a_department_that_did_not_change_is_the_present_one():
    promoted = {"owner_title": "Clerk", "owner_former_department": None, "owner_former_title": "Lead"}
    assert reason(holding("Sales Lead", **promoted)).startswith(
        "Marta Lindqvist moved from Sales, Lead to Sales, Clerk, as was first read on 30 Oct 2026; the account m.lindqvist"
        " in Customer CRM still holds 1 entitlement that only the former position gives: “Sales Lead”."
    )


def test_what_the_baseline_approves_for_the_present_position_is_no_creep():
    approved = {"application": "crm", "entitlements": ["Reader"], "when": {"department": "Sales"}}
    verdict = holding("Reader", "Finance User", settings=settings(role_mapping=MAPPING, baseline=[approved]))
    assert "still holds 1 entitlement that only the former position gives: “Finance User”." in reason(verdict)


def test_one_entitlement_is_reported_by_one_of_both_rules():
    said = together("Finance User", "Root")
    assert "“Finance User”" in said["privilege_creep"]
    assert "“Root”" not in said["privilege_creep"]
    assert said["over_privileged"].endswith("holds 1 entitlement that the role mapping does not give: “Root”.")
    assert set(together("Finance User")) == {"privilege_creep"}
    assert set(together("Root")) == {"over_privileged"}


def test_where_the_policy_switches_this_rule_off_the_other_reports_what_it_would_have():
    off = settings(role_mapping=MAPPING, policy={"rules_off": ["privilege_creep"]})
    assert set(together("Finance User", settings=off)) == {"over_privileged"}


@pytest.mark.parametrize(
    "values",
    [
        {"owner_former_department": None, "owner_former_title": None},
        {"owner_former_department": "Legal"},
        {"active": False},
        {"owner_state": "ended"},
        {"owner_state": "missing"},
        {"application": "wiki"},
        {"judged": unowned()},
    ],
)
def test_quiet_for_others_and_where_the_former_position_gave_nothing_of_it(values):
    verdict = holding("Finance User", **values)
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_quiet_for_what_the_present_position_gives_and_without_any_mapping():
    assert fired(holding("Sales Lead")) == []
    assert fired(holding("Finance User", settings=settings())) == []


def test_fires_for_an_owner_on_leave():
    assert fired(holding("Reader", owner_state="leave")) == ["a1"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"active": None}, "the application does not tell whether the account is active"),
        ({"owner_state": "unknown"}, "the source of truth does not tell whether the owner still works here"),
        ({"owner_title": None}, "the source of truth does not tell the owner's department or title"),
        ({"privileged": None}, "the application does not tell what the account holds"),
        ({"judged": unowned(source_read=False)}, "no source of truth has been read yet"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(values, why):
    verdict = holding("Reader", **values)
    assert fired(verdict) == []
    assert unknown(verdict) == why
