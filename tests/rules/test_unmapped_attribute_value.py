from __future__ import annotations

import json

import pytest
from estates import MAPPING, account, judge, reason, settings, unowned

from governance.rules.unmapped_attribute_value import unmapped_attribute_value

MAPPED = settings(role_mapping=MAPPING)


def of(person, department="Finance", title="Analyst", **values):
    own = {"account_id": f"a{person}", "owner_id": f"hr:{person}"}
    return account(owner_department=department, owner_title=title, **{**own, **values})


def verdict_on(*accounts, settings=MAPPED):
    return judge(unmapped_attribute_value, *accounts, settings=settings)


def test_fires_once_with_the_values_and_how_many_people_have_each():
    verdict = verdict_on(
        of(1), of(2, "Legal", "Counsel"), of(3, "Legal", "Lead"), of(4, "Sales", "Clerk"), of(4, "Sales", "Clerk")
    )
    assert reason(verdict) == (
        "The role mapping of Customer CRM does not know 3 values of people who have an account there: department"
        " “Legal” (2 people), title “Clerk” (1 person), title “Counsel” (1 person)."
    )
    values = json.loads(verdict.findings["evidence"].item())["values"]
    assert values["values_count"] == 3


def test_names_five_and_counts_the_others():
    by_department = settings(role_mapping=MAPPING[:1])
    verdict = verdict_on(*(of(n, f"Team {n % 7}") for n in range(20)), settings=by_department)
    assert reason(verdict).endswith(
        "does not know 7 values of people who have an account there: department “Team 0” (3 people), department"
        " “Team 1” (3 people), department “Team 2” (3 people), department “Team 3” (3 people), department “Team 4”"
        " (3 people) and 2 more."
    )


def test_a_person_with_two_accounts_is_one_head():
    verdict = verdict_on(of(1, "Legal", "Lead"), of(1, "Legal", "Lead", account_id="admin"))
    assert "department “Legal” (1 person)" in reason(verdict)


def test_each_application_has_its_own():
    mapped = settings(role_mapping=[*MAPPING[:1], {"application": "wiki", "when": {"title": "Lead"}, "gives": ["X"]}])
    found = verdict_on(of(1, "Legal"), of(2, application="wiki"), settings=mapped).findings.sort("application")
    assert found["application"].to_list() == ["crm", "wiki"]
    assert [text.partition(": ")[2] for text in found["reason"]] == [
        "department “Legal” (1 person).",
        "title “Analyst” (1 person).",
    ]


@pytest.mark.parametrize(
    "judged",
    [
        of(1),
        of(1, "Sales", "Lead"),
        of(1, "Legal", "Counsel", active=False),
        of(1, "Legal", "Counsel", owner_state="ended"),
        of(1, "Legal", "Counsel", owner_state="missing"),
        of(1, "Legal", "Counsel", application="wiki"),
        unowned(),
    ],
)
def test_quiet_for_whom_a_line_fits_and_for_those_who_do_not_work_here(judged):
    verdict = verdict_on(judged)
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {}


def test_quiet_where_all_values_are_named_though_not_together():
    pairs = [
        {"application": "crm", "when": {"department": department, "title": title}, "gives": ["X"]}
        for department, title in (("Sales", "Lead"), ("Legal", "Clerk"))
    ]
    assert verdict_on(of(1, "Sales", "Clerk"), settings=settings(role_mapping=pairs)).findings.is_empty()


def test_quiet_without_any_mapping():
    verdict = verdict_on(of(1, "Legal"), settings=settings())
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {}


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (of(1, active=None), "the application does not tell whether the account is active"),
        (of(1, owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (of(1, None), "the source of truth does not tell the owner's department or title"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = verdict_on(judged)
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {"crm": {"unmapped_attribute_value": {why: 1}}}
