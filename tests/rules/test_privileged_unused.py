from __future__ import annotations

import json
from datetime import timedelta

import pytest
from estates import NOW, account, fired, judge, reason, settings, unknown, unowned

from governance.rules.privileged_unused import privileged_unused

DAY = timedelta(days=1)
ENTITLEMENTS = [
    {"application": "crm", "entitlement_id": name.lower(), "name": name, "privileged": name != "Reader"}
    for name in ("Root", "Auditor", "Reader")
]


def admin(**values):
    return account(**{"privileged": True, **values})


def verdict_on(judged, *grants, policy=None, **more):
    key = {"application": "crm", "account_id": "a1", "last_used_known": True}
    held = [{**key, **grant} for grant in grants]
    given = settings(policy=policy or {}, **more)
    return judge(privileged_unused, judged, entitlements=ENTITLEMENTS, grants=held, settings=given)


def test_says_when_the_account_was_last_used():
    verdict = verdict_on(admin(last_seen_at=NOW - 40 * DAY))
    assert reason(verdict) == (
        "The privileged account m.lindqvist of Marta Lindqvist in Customer CRM was last used on 14 Oct 2026; the policy"
        " allows 30 days without use of privileged access."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert "Policy: 30 days without use of privileged access are allowed" in texts


def test_says_that_the_account_was_never_used():
    assert reason(verdict_on(admin(last_seen_at=None))) == (
        "The privileged account m.lindqvist of Marta Lindqvist in Customer CRM was created on 19 Oct 2025 and has never"
        " been used; the policy allows 30 days without use of privileged access."
    )


def test_says_which_privileged_entitlement_of_a_used_account_is_not_used():
    old = NOW - 31 * DAY
    verdict = verdict_on(
        admin(),
        {"entitlement_id": "root", "last_used_at": old},
        {"entitlement_id": "auditor", "since": old},
        {"entitlement_id": "reader", "since": old},
    )
    assert reason(verdict) == (
        "The privileged account m.lindqvist of Marta Lindqvist in Customer CRM was last used on 22 Nov 2026 and does not"
        " use “Auditor”, “Root”; the policy allows 30 days without use of privileged access."
    )


@pytest.mark.parametrize(("seconds", "fires"), [(-1, ["a1"]), (0, ["a1"]), (1, [])])
def test_fires_from_the_last_allowed_second_on(seconds, fires):
    at = NOW - 30 * DAY + timedelta(seconds=seconds)
    assert fired(verdict_on(admin(last_seen_at=at))) == fires
    assert fired(verdict_on(admin(last_seen_at=None, created_at=at))) == fires
    assert fired(verdict_on(admin(), {"entitlement_id": "root", "last_used_at": at})) == fires
    assert fired(verdict_on(admin(), {"entitlement_id": "root", "since": at})) == fires
    assert fired(verdict_on(admin(created_at=at), {"entitlement_id": "root"})) == fires


def test_the_days_are_the_policys():
    month_and_half = admin(last_seen_at=NOW - 45 * DAY)
    assert fired(verdict_on(month_and_half, policy={"privileged_unused_days": 46})) == []
    assert fired(verdict_on(month_and_half, policy={"preset": "pci"})) == []
    assert fired(verdict_on(month_and_half, policy={"privileged_unused_days": 45})) == ["a1"]


@pytest.mark.parametrize(
    "values",
    [
        {"privileged": False},
        {"active": False},
        {"owner_state": "leave"},
        {"owner_state": "ended"},
        {"kind": "service"},
        {"last_seen_at": NOW},
        {"last_seen_at": None, "created_at": None},
    ],
)
def test_quiet_for_others(values):
    verdict = verdict_on(admin(**{"last_seen_at": NOW - 99 * DAY, **values}))
    assert fired(verdict) == []
    assert unknown(verdict) is None


def test_quiet_for_grants_of_which_the_use_is_not_told_and_for_ordinary_ones():
    old = {"since": NOW - 300 * DAY}
    assert fired(verdict_on(admin(), {"entitlement_id": "root", "last_used_known": False, **old})) == []
    assert fired(verdict_on(admin(), {"entitlement_id": "reader", **old})) == []


def test_quiet_for_what_is_registered_as_break_glass():
    entry = {"application": "crm", "account": "a1", "why": "break_glass", "owner": "sec@example.com"}
    assert fired(verdict_on(admin(last_seen_at=NOW - 99 * DAY), protected=[entry])) == []
    assert fired(verdict_on(admin(last_seen_at=NOW - 99 * DAY), protected=[{**entry, "why": "owner"}])) == ["a1"]


@pytest.mark.parametrize(
    ("judged", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        (admin(active=None), "the application does not tell whether the account is active"),
        (admin(owner_state="unknown"), "the source of truth does not tell whether the owner still works here"),
        (admin(privileged=None), "the application does not tell what the account holds"),
        (admin(last_seen_at=None, last_seen_known=False), "the application does not tell the last use"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged, why):
    verdict = verdict_on(judged, {"entitlement_id": "root", "since": NOW - 99 * DAY})
    assert fired(verdict) == []
    assert unknown(verdict) == why
