from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import polars as pl
import pytest
from estates import MAPPING, NOW, account, estate, fired, identity, judge, leaver, settings, unowned
from hypothesis import given
from hypothesis import strategies as st

from governance.declaration import LIFECYCLE, SEVERITIES, SIGNALS, told
from governance.errors import ConfigurationError
from governance.rulebook import FINDING, all_rules, run

RULES = all_rules()
MIXED = [
    leaver(),
    leaver(account_id="a2", last_seen_at=datetime(2026, 11, 21, 8, tzinfo=UTC), privileged=True),
    leaver(account_id="a3", application="wiki", criticality="high", owner_name="Zoë Ångström", username=None),
    account(account_id="a4", last_seen_at=NOW - timedelta(days=200), privileged=True, mfa=False),
    account(account_id="a5", active=None),
    account(account_id="a6", application="wiki", last_seen_at=None, last_seen_known=False, mfa=None, privileged=None),
    unowned(account_id="a7", candidates="hr:1;hr:2"),
    unowned(account_id="a8", match="ambiguous", match_key="email", candidates="hr:1;hr:2"),
    account(account_id="a9", owner_department="Sales", owner_title="Clerk"),
]
PEOPLE = [identity(), identity(identity_id="hr:9", contradictory=True, ended_at=NOW - timedelta(days=3))]
HELD = {
    "entitlements": [{"application": "crm", "entitlement_id": "e1", "name": "Reader"}],
    "grants": [{"application": "crm", "account_id": "a9", "entitlement_id": "e1"}],
    "settings": settings(role_mapping=MAPPING),
}


def verdict_on(*accounts, now=NOW, **more):
    judged = estate(accounts, **more)
    return run(judged, judged.settings.policy, now)


def mixed(now=NOW):
    return verdict_on(*MIXED, now=now, identities=PEOPLE, **HELD)


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


def test_every_signal_has_its_column():
    assert set(told(settings())) == set(SIGNALS)


GOOD = '''
from governance.declaration import Remedy, rule

@rule(title="Weekend", severity="low", remedy=Remedy.PROTECT, needs=(), controls=("SOC 2 CC6.1",), evidence=("active",),
      sentence=lambda row: "It is the weekend.")
def weekend(estate, policy, now):
    """An account is active on a weekend."""
    return estate.accounts
'''


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


# --- findings ------------------------------------------------------------------------------------------------------


def test_findings_have_their_columns_even_when_there_are_none():
    empty = verdict_on(account())
    assert empty.findings.schema == pl.Schema(FINDING)
    assert (empty.findings.height, empty.not_evaluable) == (0, {})
    assert verdict_on().checks == 0


def test_the_mixed_estate_shows_every_rule_it_was_made_for():
    found = {(rule, where) for rule, where in mixed().findings.select("rule", "account_id").iter_rows()}
    assert found == {
        *(("ghost", name) for name in ("a1", "a2", "a3")),
        ("login_after_leaving", "a2"),
        ("stale", "a4"),
        ("admin_without_mfa", "a4"),
        ("orphaned", "a7"),
        ("ambiguous_owner", "a8"),
        ("over_privileged", "a9"),
        ("contradictory_source", None),
    }


def test_most_severe_first_and_never_alphabetical():
    found = mixed().findings
    order = [
        (SEVERITIES.index(severity), -points) for severity, points in found.select("severity", "score").iter_rows()
    ]
    assert order == sorted(order)
    assert found["application"].to_list() != sorted(found["application"].to_list())


def test_the_fingerprint_is_of_rule_and_identity_values_alone():
    expected = hashlib.sha256(b"ghost\x1fcrm\x1fa1").hexdigest()[:16]
    assert judge(RULES["ghost"], leaver()).findings["fingerprint"].item() == expected
    renamed = leaver(username="other", owner_name="Other", privileged=True)
    assert judge(RULES["ghost"], renamed).findings["fingerprint"].item() == expected
    of_a_person = judge(RULES["contradictory_source"], identities=PEOPLE[1:]).findings["fingerprint"].item()
    assert of_a_person == hashlib.sha256(b"contradictory_source\x1fhr:9").hexdigest()[:16]


def test_two_rows_of_one_identity_are_one_finding_whatever_their_order():
    twice = [leaver(username="first"), leaver(username="second")]
    found, turned = (judge(RULES["ghost"], *rows).findings for rows in (twice, twice[::-1]))
    assert found.height == 1
    assert found.equals(turned)


def test_a_later_run_with_newer_snapshots_of_the_same_facts_changes_no_byte():
    later = [
        {**row, "as_of_s": int(NOW.timestamp()) + 86_400, "last_present_at": NOW + timedelta(days=1)} for row in MIXED
    ]
    again = verdict_on(*later, now=NOW + timedelta(days=1), identities=PEOPLE, **HELD)
    assert again.findings.equals(mixed().findings)


@pytest.mark.parametrize(
    "change",
    [
        {"privileged": True},
        {"criticality": "high"},
        {"username": "marta"},
        {"owner_name": "Marta Berg"},
        {"email": "marta@example.com"},
        {"last_seen_at": NOW},
        {"owner_ended_at": datetime(2026, 11, 5, 23, tzinfo=UTC)},
        {"owner_ended_why": "absence"},
        {"match_key": "email"},
    ],
)
def test_whatever_a_finding_shows_changes_its_digest(change):
    before, after = judge(RULES["ghost"], leaver()).findings, judge(RULES["ghost"], leaver(**change)).findings
    assert before["digest"].item() != after["digest"].item()
    assert before["fingerprint"].item() == after["fingerprint"].item()


def test_what_a_finding_does_not_show_leaves_it_as_it_was():
    before, after = (judge(RULES["orphaned"], unowned(**more)).findings for more in ({}, {"last_seen_at": NOW}))
    assert before.height == 1
    assert before.equals(after)


def test_a_feed_that_is_named_anew_changes_the_findings_that_name_it():
    rows = [leaver(), leaver(account_id="a2", application="wiki")]
    feeds = settings().model_dump(exclude_unset=True)["application"]
    renamed = settings(application=[feeds[0], {**feeds[1], "title": "Handbook"}])
    before, after = (
        judge(RULES["ghost"], *rows, settings=s).findings.sort("account_id") for s in (settings(), renamed)
    )
    assert (before["digest"] == after["digest"]).to_list() == [True, False]
    assert "Handbook" in after["reason"][1]
    elsewhere = settings(source=[{**settings().model_dump(exclude_unset=True)["source"][0], "time_zone": "Asia/Tokyo"}])
    moved = judge(RULES["ghost"], *rows, settings=elsewhere).findings.sort("account_id")
    assert (before["digest"] == moved["digest"]).to_list() == [False, False]
    assert "5 Nov 2026" in moved["reason"][0]


def test_a_sentence_written_anew_changes_the_finding_but_not_which_finding_it_is(tmp_path):
    found = []
    for number, said in enumerate(("It is the weekend.", "It is Sunday.")):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "weekend.py").write_text(GOOD.replace("It is the weekend.", said))
        found.append(judge(all_rules(folder)["weekend"], account()).findings)
    before, after = found
    assert (before["reason"].item(), after["reason"].item()) == ("It is the weekend.", "It is Sunday.")
    assert before["digest"].item() != after["digest"].item()
    assert before["fingerprint"].item() == after["fingerprint"].item()


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
    base = {"critical": 80, "high": 60, "medium": 40, "low": 20}[severity]
    assert points == base + 10 * bool(privileged) + 5 * critical + 5 * used
    assert base <= points <= 100


@pytest.mark.parametrize(("after", "points"), [(timedelta(minutes=5), 80), (timedelta(minutes=5, seconds=1), 85)])
def test_clocks_that_differ_a_little_are_no_use_after_leaving(after, points):
    found = judge(RULES["ghost"], leaver(last_seen_at=leaver()["owner_ended_at"] + after)).findings
    assert found["score"].item() == points
    assert ("was used after that" in found["reason"].item()) is (points == 85)


def test_the_worst_ghost_scores_a_hundred():
    worst = leaver(privileged=True, criticality="high", last_seen_at=NOW)
    assert judge(RULES["ghost"], worst).findings["score"].item() == 100


# --- precedence ----------------------------------------------------------------------------------------------------

ANY_ACCOUNT = st.fixed_dictionaries(
    {},
    optional={
        "active": st.sampled_from([True, True, True, None, False]),
        "kind": st.sampled_from([None, "human", "guest", "service"]),
        "owner_state": st.sampled_from(["current", "leave", "future", "ended", "missing", "unknown"]),
        "owner_kind": st.sampled_from(["employee", "contractor", "guest"]),
        "owner_ended_at": st.sampled_from([None, NOW - timedelta(days=3), NOW, NOW + timedelta(days=3)]),
        "owner_contract_end": st.sampled_from([None, NOW - timedelta(days=3), NOW + timedelta(days=3)]),
        "match": st.sampled_from(["matched", "matched", "pinned", "ambiguous", "unmatched"]),
        "last_seen_at": st.sampled_from([None, NOW - timedelta(days=200), NOW - timedelta(days=1), NOW]),
        "last_seen_known": st.booleans(),
        "created_at": st.sampled_from([None, NOW - timedelta(days=1), NOW - timedelta(days=100)]),
        "mfa": st.sampled_from([None, True, False]),
        "privileged": st.sampled_from([None, True, False]),
        "source_read": st.sampled_from([True, True, True, False]),
    },
)


def coherent(values):
    """The same account as correlation would leave it: no owner's facts without an owner."""
    lonely = values.get("match") in {"ambiguous", "unmatched"} or not values.get("source_read", True)
    if not lonely:
        return account(**values)
    own = {name: value for name, value in values.items() if not name.startswith("owner_")}
    return unowned(**{**own, "match": own.get("match", "unmatched") if own.get("source_read", True) else "unmatched"})


@hypothesis.settings(deadline=None)
@given(st.lists(ANY_ACCOUNT, min_size=10, max_size=40))
def test_at_most_one_lifecycle_finding_stands_and_nobody_is_both_found_and_not_evaluable(drawn):
    accounts = [{**coherent(values), "account_id": f"a{number}"} for number, values in enumerate(drawn)]
    keys = pl.DataFrame({"application": "crm", "account_id": [row["account_id"] for row in accounts]})
    together = verdict_on(*accounts).findings
    alone = {name: judge(rule, *accounts) for name, rule in RULES.items()}
    fits = {name: set(fired(verdict)) for name, verdict in alone.items()}
    stand = {name: set(together.filter(pl.col("rule") == name)["account_id"]) for name in RULES}
    for row in accounts:
        fitting = [name for name in LIFECYCLE if row["account_id"] in fits.get(name, ())]
        assert [name for name in LIFECYCLE if row["account_id"] in stand.get(name, ())] == fitting[:1]
    for name, verdict in alone.items():
        assert name in LIFECYCLE or stand[name] == fits[name]
        assert fits[name].isdisjoint(verdict.unjudged(name, keys)["account_id"])


@pytest.mark.parametrize("state", ["current", "leave", "future", "missing", "unknown", None])
def test_nobody_but_a_leaver_is_ever_a_ghost(state):
    endings = [None, NOW - timedelta(days=900), NOW, NOW + timedelta(days=1)]
    rows = [account(account_id=f"a{n}", owner_state=state, owner_ended_at=end) for n, end in enumerate(endings)]
    assert fired(judge(RULES["ghost"], *rows)) == []


# --- what could not be judged --------------------------------------------------------------------------------------


def test_without_a_source_of_truth_nothing_about_owners_is_found_and_nothing_is_called_clean():
    verdict = verdict_on(
        unowned(source_read=False), unowned(account_id="a2", source_read=False, privileged=True, mfa=False)
    )
    assert verdict.findings["rule"].to_list() == ["admin_without_mfa"]
    about_owners = {
        name for name, rule in RULES.items() if "source.read" in rule.needs and "account_id" in rule.identity
    }
    assert verdict.not_evaluable == {"crm": dict.fromkeys(about_owners, (2, SIGNALS["source.read"]))}


def test_counts_are_kept_for_each_application_and_rule_with_the_reason_most_accounts_share():
    accounts = [
        *(account(account_id=f"m{n}", privileged=True, mfa=None) for n in range(3)),
        account(account_id="p", privileged=None),
        account(account_id="off", privileged=True, mfa=None, active=False),
        account(account_id="w", application="wiki", active=None),
    ]
    verdict = judge(RULES["admin_without_mfa"], *accounts)
    assert verdict.not_evaluable == {"crm": {"admin_without_mfa": (4, SIGNALS["account.mfa"])}}
    assert verdict.checks == 5  # the inactive one is no question


def test_checks_are_accounts_times_rules_and_identities_for_rules_about_them():
    verdict = mixed()
    assert verdict.checks == len(MIXED) * (len(RULES) - 1) + len(PEOPLE)


def test_the_first_missing_signal_is_the_reason():
    verdict = judge(
        RULES["stale"], account(active=None, owner_state="unknown", last_seen_at=None, last_seen_known=False)
    )
    assert verdict.not_evaluable == {"crm": {"stale": (1, SIGNALS["account.active"])}}


def test_more_rules_than_one_number_has_bits_are_counted_too():
    many = {f"stale{number}": RULES["stale"] for number in range(70)} | {"ghost": RULES["ghost"]}
    judged = estate([account(active=None)])
    verdict = run(judged, judged.settings.policy, NOW, many)
    assert len(verdict.not_evaluable["crm"]) == 71


BLANK = {
    "account.active": {"active": None},
    "owner.state": {"owner_state": "unknown"},
    "owner.ended_at": {"owner_ended_at": None},
    "owner.left_on": {"owner_ended_why": "absence"},
    "owner.attributes": {"owner_department": None},
    "account.last_seen": {"last_seen_at": None, "last_seen_known": False},
    "account.created_at": {"created_at": None},
    "account.mfa": {"mfa": None},
    "account.grants": {"privileged": None},
}
FIRING = {
    "ghost": leaver(),
    "contract_expired": account(owner_kind="guest", owner_contract_end=NOW),
    "login_after_leaving": leaver(last_seen_at=NOW),
    "missing_from_source": account(owner_state="missing"),
    "orphaned": unowned(),
    "ambiguous_owner": unowned(match="ambiguous"),
    "stale": account(last_seen_at=NOW - timedelta(days=200)),
    "never_used": account(last_seen_at=None),
    "over_privileged": account(account_id="a9", owner_department="Sales", owner_title="Clerk"),
    "admin_without_mfa": account(privileged=True, mfa=False),
}
LOST = [(name, signal) for name in FIRING for signal in RULES[name].needs if signal != "source.read"]


def test_every_rule_about_accounts_has_an_example_that_fires():
    assert set(FIRING) == {name for name, rule in RULES.items() if "account_id" in rule.identity}
    for name, row in FIRING.items():
        assert fired(judge(RULES[name], row, **HELD)) == [row["account_id"]], name


OTHER = {
    "username": ["other", None],
    "email": ["other@example.com", None],
    "employee_id": ["7", None],
    "external_id": ["7"],
    "kind": ["guest", None],
    "privileged": [True, None],
    "criticality": ["high"],
    "active": [False],
    "mfa": [None],
    "last_seen_at": [NOW, NOW - timedelta(days=300), None],
    "last_seen_known": [False],
    "created_at": [NOW - timedelta(days=401)],
    "match": ["pinned"],
    "match_key": ["pinned", "email", "external_id", None],
    "candidates": ["hr:3", "hr:3;hr:4"],
    "owner_id": ["hr:7", "other:7"],
    "owner_name": ["Other", None],
    "owner_kind": ["contractor"],
    "owner_department": ["Legal"],
    "owner_title": ["Other"],
    "owner_state": ["leave"],
    "owner_ended_at": [NOW - timedelta(days=300)],
    "owner_ended_why": ["absence"],
    "owner_contract_end": [NOW - timedelta(days=300)],
    "owner_last_present_at": [NOW - timedelta(days=300)],
    "stale_days": [91],
    "never_used_days": [15],
}


@pytest.mark.parametrize("name", FIRING)
def test_a_finding_that_reads_differently_has_another_digest(name):
    first = judge(RULES[name], FIRING[name], **HELD).findings
    changed = 0
    for column, values in OTHER.items():
        for value in values:
            found = judge(RULES[name], {**FIRING[name], column: value}, **HELD).findings
            if found.height and not found.drop("digest").equals(first.drop("digest")):
                assert found["digest"].item() != first["digest"].item(), (column, value)
                changed += 1
    assert changed > 5


@pytest.mark.parametrize(("name", "signal"), LOST)
def test_a_finding_whose_signal_goes_missing_is_neither_found_nor_judged(name, signal):
    before = judge(RULES[name], FIRING[name], **HELD).findings.select("application", "account_id")
    verdict = judge(RULES[name], {**FIRING[name], **BLANK[signal]}, **HELD)
    assert verdict.findings.is_empty()
    unjudged = verdict.unjudged(name, before)
    assert unjudged.select("application", "account_id").equals(before)
    assert unjudged["reason"].to_list() == [SIGNALS[signal]]


def test_what_was_judged_or_is_gone_or_was_not_asked_for_is_not_unjudged():
    rows = [account(account_id="ok"), account(account_id="dark", active=None), account(account_id="other", active=None)]
    asked = pl.DataFrame({"application": ["crm"] * 4, "account_id": ["ok", "dark", "dark", "gone"]})
    verdict = judge(RULES["ghost"], *rows)
    assert verdict.unjudged("ghost", asked)["account_id"].to_list() == ["dark"]
    assert verdict.unjudged("ghost", asked.clear()).is_empty()
    assert verdict.unjudged("a rule that was removed", asked).is_empty()
    many = pl.DataFrame({"application": "crm", "account_id": [*(f"x{n}" for n in range(2_000)), "dark"]})
    assert verdict.unjudged("ghost", many)["account_id"].to_list() == ["dark"]


# --- reproducible --------------------------------------------------------------------------------------------------

PRINTS = """
import locale, sys
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
import test_rulebook
found = test_rulebook.mixed()
sys.stdout.buffer.write(found.findings.write_ndjson().encode() + repr((found.not_evaluable, found.checks)).encode())
"""


def test_another_hash_seed_time_zone_or_locale_changes_no_byte():
    def told(**variables: str) -> bytes:
        path = os.pathsep.join(["tests", os.getcwd()])
        done = subprocess.run(
            [sys.executable, "-c", PRINTS],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **variables},
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    first = told(PYTHONHASHSEED="0", TZ="UTC", LC_ALL="C.UTF-8")
    other = told(PYTHONHASHSEED="12345", TZ="Pacific/Auckland", LC_ALL="C", POLARS_MAX_THREADS="1")
    third = told(PYTHONHASHSEED="777", TZ="America/St_Johns", LC_ALL="de_DE.UTF-8", LANG="de_DE.UTF-8")
    assert first == other == third
    assert b"Zo\xc3\xab" in first
