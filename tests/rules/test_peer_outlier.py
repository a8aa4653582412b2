from __future__ import annotations

import json

import pytest
from estates import account, fired, judge, settings, unowned

from governance.rules.peer_outlier import peer_outlier

NAMES = ("Reader", "Exporter", "Root")
ENTITLEMENTS = [
    {"application": "crm", "entitlement_id": name.lower(), "name": name, "privileged": name == "Root"} for name in NAMES
]


def crew(many, **values):
    """That many analysts in Finance, each with an account: p00, p01 and so on."""
    return [
        account(account_id=f"p{n:02}", username=f"u{n:02}", owner_id=f"hr:{n}", owner_name=f"P {n}", **values)
        for n in range(many)
    ]


def holding(accounts, holders, policy=None, **more):
    """`holders`: how many of the accounts, the first ones, hold each entitlement."""
    grants = [
        {"application": "crm", "account_id": row["account_id"], "entitlement_id": name.lower()}
        for name, many in holders.items()
        for row in accounts[:many]
    ]
    return judge(
        peer_outlier,
        *accounts,
        entitlements=ENTITLEMENTS,
        grants=grants,
        settings=settings(policy=policy or {}, **more),
    )


def test_fires_once_for_all_that_few_peers_hold():
    verdict = holding(crew(24), {"Reader": 24, "Root": 1, "Exporter": 2})
    assert fired(verdict) == ["p00", "p01"]
    first, second = verdict.findings.sort("account_id")["reason"].to_list()
    assert first == (
        "The account u00 of P 0 in Customer CRM holds 2 entitlements that few of the 24 people there with the same"
        " department and title hold (Finance, Analyst): “Exporter”, “Root”."
    )
    assert "holds 1 entitlement that few" in second
    texts = [fact["text"] for fact in json.loads(verdict.findings.sort("account_id")["evidence"][1])["facts"]]
    assert texts == [
        "Customer CRM: holds “Exporter”, which few others in the same position hold",
        "Customer CRM: 24 people in the same department and title",
        "HR: department Finance",
        "HR: title Analyst",
        "Matched by employee id 10482",
    ]


@pytest.mark.parametrize(
    ("people", "holders", "fires"), [(30, 2, True), (30, 3, False), (10, 1, False), (11, 1, True), (9, 1, False)]
)
def test_a_tenth_of_the_peers_is_enough_and_fewer_than_ten_are_nobodys(people, holders, fires):
    assert len(fired(holding(crew(people), {"Root": holders}))) == (holders if fires else 0)


def test_both_thresholds_are_the_policys():
    assert fired(holding(crew(4), {"Root": 1}, {"peers_least": 4, "peer_share": 0.3})) == ["p00"]
    assert fired(holding(crew(4), {"Root": 1}, {"peers_least": 5, "peer_share": 0.3})) == []
    assert fired(holding(crew(4), {"Root": 1}, {"peers_least": 4, "peer_share": 0.25})) == []


def test_a_person_with_two_accounts_is_one_peer():
    twice = [*crew(9), *crew(9)]
    for number, row in enumerate(twice):
        row["account_id"] = f"p{number:02}"
    assert fired(holding(twice, {"Root": 1}, {"peer_share": 0.2})) == []


@pytest.mark.parametrize(
    "others",
    [
        {"owner_department": "Sales"},
        {"owner_title": "Lead"},
        {"application": "wiki"},
        {"active": False},
        {"kind": "service"},
        {"owner_state": "ended"},
        {"privileged": None},
        {"owner_title": None},
    ],
)
def test_whoever_is_in_another_position_or_cannot_be_judged_is_no_peer(others):
    few = crew(8)
    rest = [{**row, "account_id": f"o{n}", "owner_id": f"hr:o{n}", **others} for n, row in enumerate(crew(30))]
    assert fired(holding([*few, *rest], {"Root": 1}, {"peer_share": 0.2})) == []


def test_quiet_for_what_the_mapping_or_the_baseline_gives():
    rare, mapping = {"Root": 1}, {"application": "crm", "when": {"department": "Finance"}, "gives": ["Root"]}
    approved = {"application": "crm", "entitlements": ["Root"], "when": {"title": "Analyst"}}
    assert fired(holding(crew(20), rare)) == ["p00"]
    assert fired(holding(crew(20), rare, role_mapping=[mapping])) == []
    assert fired(holding(crew(20), rare, baseline=[approved])) == []
    assert fired(holding(crew(20), rare, baseline=[{**approved, "when": {"title": "Lead"}}])) == ["p00"]


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (account(active=None), "the application does not tell whether the account is active"),
        (account(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (account(owner_title=None), "the source of truth does not tell both the owner's department and title"),
        (account(owner_department=None), "the source of truth does not tell both the owner's department and title"),
        (account(privileged=None), "the application does not tell what the account holds"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = holding([judged, *crew(20)], {"Root": 1})
    assert fired(verdict) == []
    assert verdict.not_evaluable == {"crm": {"peer_outlier": {why: 1}}}


@pytest.mark.parametrize(("people", "fires"), [((2, 1), True), ((2, 2), True), ((2, 1, 1), False), ((2, 2, 2), False)])
def test_a_person_with_two_accounts_is_one_of_those_who_hold_it(people, fires):
    """`people`: through how many accounts each of those who hold it does; a tenth of thirty people is three."""
    accounts = crew(30)
    second = [{**accounts[n], "account_id": f"q{n:02}"} for n, held in enumerate(people) if held == 2]
    grants = [
        {"application": "crm", "account_id": row["account_id"], "entitlement_id": "exporter"}
        for row in (*accounts[: len(people)], *second)
    ]
    verdict = judge(peer_outlier, *accounts, *second, entitlements=ENTITLEMENTS, grants=grants, settings=settings())
    assert fired(verdict) == (sorted(grant["account_id"] for grant in grants) if fires else [])
