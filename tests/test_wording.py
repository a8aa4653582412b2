"""The words of findings: sentences, evidence, search text and scores."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta

import polars as pl
import pytest
from estates import NOW, judge, leaver
from mixed_estate import MIXED, RULES, mixed

from governance.declaration import SEVERITIES
from governance.rulebook import FINDING


def test_only_findings_that_are_asked_for_get_words():
    spoken = []

    def sentence(row):
        spoken.append(row["account_id"])
        return RULES["ghost"].sentence(row)

    verdict = judge(dataclasses.replace(RULES["ghost"], sentence=sentence), *MIXED)
    assert verdict.bare.columns == [name for name in FINDING if name not in {"reason", "evidence", "search"}]
    assert spoken == []
    asked = verdict.bare.filter(pl.col("account_id") == "a2")["fingerprint"]
    assert verdict.worded(asked.clear()).schema == pl.Schema(FINDING)
    assert spoken == []
    worded = verdict.worded(asked)
    assert spoken == ["a2"]
    assert worded.equals(verdict.findings.filter(pl.col("account_id") == "a2"))
    assert verdict.findings.select(verdict.bare.columns).equals(verdict.bare)


def test_evidence_is_numbered_lines_with_source_and_instant_beside_the_plain_values():
    evidence = json.loads(judge(RULES["ghost"], leaver(privileged=True)).findings["evidence"].item())
    assert evidence["facts"] == [
        {
            "text": "HR: last working day 4 Nov 2026; the engagement ended 4 Nov 2026, 23:00 UTC",
            "source": "hr",
            "at": "2026-11-04T23:00:00Z",
        },
        {"text": "Customer CRM: account m.lindqvist is active", "source": "crm", "at": None},
        {"text": "Matched by employee id 10482", "source": "correlation", "at": None},
        {"text": "Customer CRM: last used 2 Nov 2026, 23:00 UTC", "source": "crm", "at": "2026-11-02T23:00:00Z"},
        {"text": "Customer CRM: holds privileged access", "source": "crm", "at": None},
    ]
    assert evidence["values"] == {
        "owner_ended_at": "2026-11-04T23:00:00Z",
        "owner_ended_why": "source",
        "active": True,
        "match_key": "employee_id",
        "last_seen_at": "2026-11-02T23:00:00Z",
        "privileged": True,
    }


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_fact_of_every_rule_has_words(rule):
    found = mixed().findings.filter(pl.col("rule") == rule.name)
    for evidence in found["evidence"]:
        facts = json.loads(evidence)["facts"]
        assert facts
        for fact in facts:
            assert fact["source"] in {"hr", "crm", "wiki", "correlation", "policy"}
            assert "_" not in fact["text"]
            assert "None" not in fact["text"]


def test_sentences_hold_no_placeholder_and_end_with_a_full_stop():
    for sentence in mixed().findings["reason"]:
        assert "None" not in sentence
        assert sentence.endswith(".")


def test_an_account_without_username_is_called_by_its_id():
    assert "the account a3 in Wiki" in judge(RULES["ghost"], MIXED[2]).findings["reason"].item()


def test_hostile_text_stays_text():
    found = judge(RULES["ghost"], leaver(owner_name='"}],"values":{"x":1}', username="=cmd|'/c calc'!A1")).findings
    assert json.loads(found["evidence"].item())["values"]["active"] is True
    assert found["username"].item() == "=cmd|'/c calc'!A1"


def test_the_search_text_is_folded_and_finds_people_accounts_and_applications():
    text = judge(RULES["ghost"], MIXED[2]).findings["search"].item()
    assert all(part in text for part in ("zoë ångström", "hr:10482", "a3", "m.lindqvist@example.com", "wiki", "ghost"))


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("privileged", [True, False, None])
@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize("used", [True, False])
def test_a_score_lies_in_its_severity_and_grows_with_each_reason(severity, privileged, critical, used):
    rule = dataclasses.replace(RULES["ghost"], severity=severity)
    used_at = {"last_seen_at": NOW} if used else {}
    row = leaver(privileged=privileged, criticality="high" if critical else "medium", **used_at)
    points = judge(rule, row).findings["score"].item()
    base = {"critical": 80, "high": 60, "medium": 40, "low": 20, "informational": 0}[severity]
    of_a_leaver, lately = 2, 2
    expected = base + 6 * bool(privileged) + (3 if critical else 1) + (4 if used else lately) + of_a_leaver
    assert points == expected
    assert base <= points < base + 20


@pytest.mark.parametrize(("after", "points"), [(timedelta(minutes=5), 85), (timedelta(minutes=5, seconds=1), 87)])
def test_clocks_that_differ_a_little_are_no_use_after_leaving(after, points):
    found = judge(RULES["ghost"], leaver(last_seen_at=leaver()["owner_ended_at"] + after)).findings
    assert found["score"].item() == points
    assert ("was used after that" in found["reason"].item()) is (points == 87)


def test_the_worst_ghost_has_every_part_of_the_score():
    worst = leaver(
        privileged=True, criticality="high", last_seen_at=NOW, mfa=False, owner_kind="contractor", password=True
    )
    found = judge(RULES["ghost"], worst).findings
    parts = {part["part"]: part["points"] for part in json.loads(found["evidence"].item())["score"]}
    assert parts == {"severity": 80, "privilege": 6, "exposure": 4, "recency": 4, "criticality": 3, "leaver": 2}
    assert found["score"].item() == sum(parts.values()) == 99
