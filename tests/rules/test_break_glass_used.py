from __future__ import annotations

import json
from datetime import timedelta

import pytest
from estates import NOW, account, judge, reason, settings

from governance.rules.break_glass_used import break_glass_used
from governance.rules.never_used import never_used
from governance.rules.stale import stale

ENTRY = {"application": "crm", "account": "root", "why": "break_glass", "owner": "sec@example.com"}
DAY = timedelta(days=1)
LONG_AGO = NOW - timedelta(days=500)


def emergency(**values):
    return account(**{"account_id": "a1", "username": "root", "privileged": True, "last_seen_at": LONG_AGO, **values})


def event(at, **values):
    return {
        "application": "crm",
        "account_id": "a1",
        "event_id": str(at),
        "at": at,
        "kind": "sign_in",
        "success": True,
    } | values


def verdict_on(judged=None, events=(), entry=ENTRY, **values):
    registered = settings(protected=[entry] if entry else [])
    return judge(break_glass_used, judged or emergency(**values), events=events, settings=registered)


def days(verdict):
    """The days of use that findings stand for, newest first."""
    facts = (json.loads(text)["values"] for text in verdict.findings["evidence"])
    return sorted((values["used_at"][:10] for values in facts), reverse=True)


def test_fires_on_its_last_use():
    verdict = verdict_on(last_seen_at=NOW - 2 * DAY)
    assert reason(verdict) == (
        "The break-glass account root in Customer CRM was used on 21 Nov 2026: somebody must say why."
    )
    texts = [fact["text"] for fact in json.loads(verdict.findings["evidence"].item())["facts"]]
    assert texts == [
        "Customer CRM: used 21 Nov 2026, 12:00 UTC",
        "Customer CRM: 1 known use on that day",
        "Customer CRM: holds privileged access",
        "Customer CRM: account root is active",
    ]


def test_every_day_of_use_is_a_finding_of_its_own():
    used = [event(NOW - days * DAY) for days in (1, 5, 5.1, 30)]
    verdict = verdict_on(events=used, last_seen_at=NOW - DAY)
    assert days(verdict) == ["2026-11-22", "2026-11-18", "2026-10-24"]
    assert verdict.findings["fingerprint"].n_unique() == 3
    assert sum("18 Nov 2026, 2 times that day: " in said for said in verdict.findings["reason"]) == 1


def test_a_later_use_leaves_the_finding_of_the_earlier_one_as_it_was():
    first = verdict_on(events=[event(NOW - 5 * DAY)], last_seen_at=NOW - 5 * DAY).findings
    both = verdict_on(events=[event(NOW - 5 * DAY), event(NOW)], last_seen_at=NOW).findings
    assert set(first["fingerprint"]) < set(both["fingerprint"])


@pytest.mark.parametrize("name", ["ROOT", "r-1", "Root@example.com "])
def test_the_register_names_it_as_it_likes_and_case_does_not_count(name):
    registered = settings(protected=[ENTRY | {"account": name}])
    its = emergency(account_id="R-1", username="root", email="root@example.com")
    used = judge(break_glass_used, its | {"last_seen_at": NOW}, settings=registered)
    assert (used.findings.height, judge(stale, its, settings=registered).findings.height) == (1, 0)


@pytest.mark.parametrize("why", ["break_glass", "break-glass", "Break glass "])
@pytest.mark.parametrize("name", ["root", "a1"])
def test_the_register_names_it_by_username_or_id(why, name):
    assert verdict_on(entry={**ENTRY, "why": why, "account": name}, last_seen_at=NOW).findings.height == 1


@pytest.mark.parametrize(("seconds", "fires"), [(-1, False), (0, False), (1, True)])
def test_a_use_is_a_finding_for_ninety_days_to_the_second(seconds, fires):
    at = NOW - 90 * DAY + timedelta(seconds=seconds)
    assert verdict_on(last_seen_at=at).findings.height == fires
    assert verdict_on(events=[event(at)]).findings.height == fires


def test_a_use_by_a_clock_that_is_ahead_is_a_use():
    assert verdict_on(last_seen_at=NOW + timedelta(minutes=5)).findings.height == 1


@pytest.mark.parametrize("values", [{"active": False}, {"active": None}, {"kind": "shared"}, {"owner_state": "ended"}])
def test_fires_whatever_the_account_is_now(values):
    assert verdict_on(last_seen_at=NOW, **values).findings.height == 1


@pytest.mark.parametrize(
    "happened",
    [{"kind": "sign_in_failed"}, {"success": False}, {"success": None}, {"kind": "updated"}, {"account_id": "a2"}],
)
def test_what_is_no_successful_use_of_it_does_not_count(happened):
    assert verdict_on(events=[event(NOW - DAY, **happened)]).findings.is_empty()


@pytest.mark.parametrize("entry", [None, {**ENTRY, "why": "owner"}, {**ENTRY, "account": "other"}])
def test_quiet_for_who_is_not_registered_as_break_glass(entry):
    assert verdict_on(entry=entry, last_seen_at=NOW, events=[event(NOW)]).findings.is_empty()


def test_quiet_for_unused_ones():
    assert verdict_on().findings.is_empty()
    assert verdict_on(last_seen_at=None).findings.is_empty()


def test_not_evaluable_when_the_last_use_is_not_told():
    verdict = verdict_on(last_seen_at=None, last_seen_known=False)
    assert verdict.findings.is_empty()
    assert verdict.not_evaluable == {"crm": {"break_glass_used": {"the application does not tell the last use": 1}}}


def test_twenty_unused_ones_are_neither_stale_nor_never_used():
    """FAULTS.md D7: unused is right."""
    rows = [
        emergency(account_id=f"b{n}", username=f"b{n}", last_seen_at=None if n % 2 else LONG_AGO) for n in range(20)
    ]
    register = [{**ENTRY, "account": f"b{n}"} for n in range(20)]
    for rule in (stale, never_used):
        assert judge(rule, *rows).findings.height == 10
        verdict = judge(rule, *rows, settings=settings(protected=register))
        assert (verdict.findings.height, verdict.not_evaluable) == (0, {})
