from __future__ import annotations

import json
from datetime import timedelta

import pytest
from estates import NOW, account, fired, judge, reason, settings, unknown, unowned

from governance.rules.entitlement_never_used import entitlement_never_used

DAY = timedelta(days=1)
NAMES = ("Reader", "Exporter", "Root")
ENTITLEMENTS = [{"application": "crm", "entitlement_id": name.lower(), "name": name} for name in NAMES]


def telling(**values):
    return account(**{"grants_used_told": True, **values})


def verdict_on(judged, *grants, policy=None, **more):
    key = {"application": "crm", "account_id": "a1", "entitlement_id": "root", "last_used_known": True}
    held = [{**key, **grant} for grant in grants]
    given = settings(policy=policy or {}, **more)
    return judge(entitlement_never_used, judged, entitlements=ENTITLEMENTS, grants=held, settings=given)


def test_fires_once_for_all_that_is_not_used():
    verdict = verdict_on(
        telling(),
        {"entitlement_id": "root"},
        {"entitlement_id": "exporter", "last_used_at": NOW - 100 * DAY},
        {"entitlement_id": "reader", "last_used_at": NOW},
    )
    assert reason(verdict) == (
        "The account m.lindqvist of Marta Lindqvist in Customer CRM holds 2 entitlements that were never used or not for"
        " 90 days: “Exporter”, “Root”."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts[:2] == [
        "Customer CRM: tells of no use of “Exporter”, “Root” since it was given, or for too long",
        "Policy: 90 days without use of an entitlement are allowed",
    ]


@pytest.mark.parametrize(("seconds", "fires"), [(-1, ["a1"]), (0, ["a1"]), (1, [])])
def test_fires_from_the_last_allowed_second_on(seconds, fires):
    at = NOW - 90 * DAY + timedelta(seconds=seconds)
    assert fired(verdict_on(telling(), {"last_used_at": at})) == fires
    assert fired(verdict_on(telling(), {"since": at})) == fires
    assert fired(verdict_on(telling(created_at=at), {})) == fires


def test_the_days_are_the_policys():
    assert fired(verdict_on(telling(), {"since": NOW - 100 * DAY}, policy={"entitlement_unused_days": 101})) == []
    assert fired(verdict_on(telling(), {"since": NOW - 10 * DAY}, policy={"entitlement_unused_days": 10})) == ["a1"]


def test_a_use_counts_however_long_ago_the_entitlement_was_given():
    assert fired(verdict_on(telling(), {"since": NOW - 900 * DAY, "last_used_at": NOW - DAY})) == []


@pytest.mark.parametrize(
    "values",
    [
        {"active": False},
        {"owner_state": "leave"},
        {"owner_state": "ended"},
        {"kind": "bot"},
        {"last_seen_at": None},
        {"last_seen_at": NOW - 90 * DAY},
        {"created_at": None},
    ],
)
def test_quiet_for_others_and_for_accounts_that_are_unused_themselves(values):
    verdict = verdict_on(telling(**values), {})
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_an_untold_last_use_of_the_account_says_nothing_about_its_entitlements():
    assert fired(verdict_on(telling(last_seen_at=None, last_seen_known=False), {})) == ["a1"]


def test_quiet_for_a_grant_of_which_the_use_is_not_told():
    assert fired(verdict_on(telling(), {"last_used_known": False}, {"last_used_known": None})) == []


def test_quiet_for_what_is_registered_as_break_glass():
    entry = {"application": "crm", "account": "a1", "why": "break_glass", "owner": "sec@example.com"}
    assert fired(verdict_on(telling(), {}, protected=[entry])) == []


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (telling(active=None), "the application does not tell whether the account is active"),
        (telling(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (account(grants_used_told=False), "the application does not tell when an entitlement was last used"),
        (account(grants_used_told=None), "the application does not tell when an entitlement was last used"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = verdict_on(judged, {})
    assert fired(verdict) == []
    assert unknown(verdict) == why
