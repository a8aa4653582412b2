"""Finding rules: by walking the folder, each explained, a bad one named."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from estates import account, fired, judge, settings
from mixed_estate import GOOD, RULES

from governance.declaration import SEVERITIES, SIGNALS, told
from governance.errors import ConfigurationError
from governance.rulebook import all_rules
from governance.wording import LINES, OF_AN_ACCOUNT

# --- finding rules -----------------------------------------------------------------------------------------------


def test_rules_are_found_by_walking_the_folder():
    files = {path.stem for path in Path("governance/rules").glob("*.py")} - {"__init__"}
    assert set(RULES) == files
    assert len(files) >= 11


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_explains_itself_to_a_reviewer(rule):
    first, _, rest = rule.explanation.partition("\n")
    assert first.endswith(".")
    assert "Fires" in rest
    assert "Quiet" in rest
    assert "evaluable" in rest
    for family in ("ISO 27001 A.", "SOC 2 CC", "NIST AC-2(", "PCI DSS "):
        assert any(control.startswith(family) for control in rule.controls), family
    assert rule.severity in SEVERITIES
    assert set(rule.needs) <= set(SIGNALS)


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_fact_a_rule_keeps_has_words_and_no_two_places_have_words_for_one(rule):
    assert set(rule.evidence) <= set(rule.lines) | set(LINES)
    assert not set(rule.lines) & set(LINES)


def test_words_that_one_rule_alone_needs_stand_in_its_file():
    users = Counter(OF_AN_ACCOUNT.get(column, column) for rule in RULES.values() for column in rule.evidence)
    assert [column for column in LINES if users[OF_AN_ACCOUNT.get(column, column)] < 2] == []


def test_every_signal_has_its_column():
    assert set(told(settings())) == set(SIGNALS)


def test_a_folder_of_ones_own_holds_rules_too(tmp_path):
    (tmp_path / "weekend.py").write_text(GOOD)
    rules = all_rules(tmp_path)
    assert fired(judge(rules["weekend"], account())) == ["a1"]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("def weekend", "def holiday", "expected a function named weekend"),
        ('    """An account is active on a weekend."""\n', "", "docstring"),
        ('title="Weekend"', 'title=" "', "a title"),
        ('controls=("SOC 2 CC6.1",)', "controls=()", "controls"),
        ('severity="low"', 'severity="terrible"', "a severity of critical, high, medium, low"),
        ("needs=()", 'lines={"moon": str}, needs=()', "lines for what is no evidence"),
        ("needs=()", 'needs=("moon.phase",)', "unknown signals"),
        ("return estate.accounts", "return (", "SyntaxError"),
        ("from governance", "from government", "ModuleNotFoundError"),
        ("@rule", "other = rule", "expected a function named weekend"),
        ("def weekend", "def holiday", "weekend.py"),
    ],
)
def test_a_bad_rule_file_is_named_with_what_was_expected(tmp_path, old, new, why):
    assert old in GOOD
    (tmp_path / "weekend.py").write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigurationError, match=why) as refused:
        all_rules(tmp_path)
    assert str(tmp_path / "weekend.py") in str(refused.value)


def test_a_rule_under_another_name_and_a_second_rule_are_refused(tmp_path):
    (tmp_path / "weekend.py").write_text(GOOD.replace("def weekend", "def holiday") + "weekend = holiday\n")
    with pytest.raises(ConfigurationError, match=r"named 'holiday'; expected 'weekend'"):
        all_rules(tmp_path)
    (tmp_path / "weekend.py").write_text(GOOD + GOOD.replace("weekend", "holiday"))
    with pytest.raises(ConfigurationError, match="found also holiday"):
        all_rules(tmp_path)
