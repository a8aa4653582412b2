"""Policies are versions: each with who brought it in and why; the file keeps its comments; only an admin changes it."""

from __future__ import annotations

import tomllib

import pytest

from governance import audit, policies
from governance.access import Actor
from governance.errors import ConfigurationError, DecisionError, NotAllowed
from governance.settings import PRESETS, Policy, parse
from governance.tables import AuditEntry, PolicyVersion, Request
from jobs import home
from jobs.configuring import renewal, renewed
from jobs.policies import set_policy, with_thresholds
from jobs.work import run
from tests.homes import CRM, HR, SETTINGS, Home
from tests.screen import rows_of

ADMIN = Actor("admin@x.example", "Ada", frozenset({"admin"}))
SECURITY = Actor("sec@x.example", "Sam", frozenset({"security"}))
POLICY = """# Our company.
[policy]
preset = "default"  # default | cis
stale_days = 90     # as agreed with the board

[[policy.override]]
application = "crm"
stale_days = 30
"""


@pytest.fixture
def at(tmp_path):
    (tmp_path / "hr.csv").write_text(HR)
    (tmp_path / "crm.csv").write_text(CRM)
    (tmp_path / "leaverwatch.toml").write_text(POLICY + SETTINGS)
    return Home(tmp_path)


@pytest.fixture
def house(at):
    house = home.open_house(at.folder, {}, home.clock())
    home.announce(house, home.clock())
    yield house
    house.store.close()


def versions(house):
    return [(v.number, v.actor, v.reason, v.changes) for v in policies.history(house)]


def text(house):
    return (house.home / "leaverwatch.toml").read_text()


# --- presets


def test_what_was_given_stands_above_the_preset_and_only_that_counts_as_given():
    policy = parse({"policy": {"preset": "cis", "stale_days": 60}}).policy
    assert (policy.stale_days, policy.stale_days_external, policy.max_exclusion_days) == (60, 45, 90)
    assert policy.model_fields_set == {"preset", "stale_days"}


@pytest.mark.parametrize(
    ("preset", "stale", "privileged", "external"),
    [("default", 90, 30, 45), ("cis", 45, 30, 45), ("fedramp-moderate", 90, 30, 45), ("fedramp-high", 35, 30, 35),
     ("pci", 90, 90, 90)],
)  # fmt: skip
def test_each_preset_holds_the_days_its_norm_names(preset, stale, privileged, external):
    policy = Policy.model_validate({"preset": preset})
    assert (policy.stale_days, policy.stale_days_privileged, policy.stale_days_external) == (
        stale,
        privileged,
        external,
    )


def test_every_preset_can_be_chosen():
    assert set(PRESETS) == {"default", "cis", "fedramp-moderate", "fedramp-high", "pci"}
    for name, values in PRESETS.items():
        shown = policies.preset_values(name)
        assert {key: shown[key] for key in values} == values
    with pytest.raises(ConfigurationError, match="no preset is named 'iso'"):
        policies.preset_values("iso")


# --- versions


def test_the_policy_in_force_is_the_first_version_and_no_change(house):
    assert versions(house) == [(1, "operator", "", [])]
    home.announce(house, home.clock())
    assert len(versions(house)) == 1
    assert [row for row in rows_of(house, AuditEntry) if row.object.startswith("policy")] == []


def test_an_edit_of_the_file_is_a_version_of_the_operator_at_the_next_start(house):
    file = house.home / "leaverwatch.toml"
    file.write_text(file.read_text().replace("stale_days = 90", "stale_days = 75"))
    home.announce(renewed(house, {}), home.clock())
    number, actor, reason, changes = versions(house)[0]
    assert (number, actor, reason) == (2, "operator", "leaverwatch.toml was edited")
    assert changes == [{"key": "stale_days", "before": 90, "after": 75}]
    last = rows_of(house, AuditEntry)[-1]
    assert (last.actor, last.verb, last.object) == ("operator", "configure", "policy/2")
    assert audit.verify(house.store).ok


def test_a_detect_run_from_the_command_line_keeps_the_policy_it_judged_by(at):
    at.do("pull")
    at.do("detect", LEAVERWATCH_POLICY__STALE_DAYS="70")
    shown = at.do("policy", "history", "--format", "json").json
    assert [(row["version"], row["actor"]) for row in shown] == [(2, "operator"), (1, "operator")]
    assert shown[1]["thresholds"]["stale_days"] == 70, "the one that judged"


def test_the_same_policy_has_the_same_digest_however_it_is_written():
    one = parse({"policy": {"preset": "cis", "leaver_grace": "1d"}}).policy
    other = parse({"policy": {"leaver_grace": "24h", "stale_days": 45, "preset": "cis"}}).policy
    assert policies.digest(one) == policies.digest(other)
    assert policies.digest(one) != policies.digest(Policy())
    assert policies.thresholds(one)["leaver_grace"] == "24h"


# --- a change


def test_a_change_is_audited_kept_and_written_with_every_comment(house):
    version = set_policy(house, ADMIN, {"stale_days": 60, "severity.stale": "high"}, "The board decided", {})
    assert (version.number, version.actor, version.reason) == (2, "admin@x.example", "The board decided")
    assert version.changes == [
        {"key": "stale_days", "before": 90, "after": 60},
        {"key": "severity.stale", "before": None, "after": "high"},
    ]
    now = text(house)
    for kept in ("# Our company.", "# default | cis", "stale_days = 60     # as agreed with the board"):
        assert kept in now
    assert tomllib.loads(now)["policy"]["override"] == [{"application": "crm", "stale_days": 30}]
    assert renewed(house, {}).settings.policy.severity == {"stale": "high"}
    entry = rows_of(house, AuditEntry)[-1]
    assert (entry.actor, entry.object, entry.reason) == ("admin@x.example", "policy/2", "The board decided")
    home.announce(renewed(house, {}), home.clock())
    assert len(versions(house)) == 2, "the operator is not named for what the admin did"


def test_who_lives_long_takes_the_change_up(house):
    renew = renewal({})
    assert renew(house).settings.policy.stale_days == 90
    set_policy(house, ADMIN, {"stale_days": 60}, "because", {})
    assert renew(house).settings.policy.stale_days == 60


@pytest.mark.parametrize(
    ("who", "changes", "reason", "error", "why"),
    [
        (SECURITY, {"stale_days": 60}, "x", NotAllowed, "configure"),
        (ADMIN, {"stale_days": 60}, "  ", DecisionError, "needs a reason"),
        (ADMIN, {"stale_days": 90}, "x", DecisionError, "in force already"),
        (ADMIN, {"stale_dayz": 60}, "x", ConfigurationError, "no threshold is named 'stale_dayz'"),
        (ADMIN, {"stale_days": 0}, "x", ConfigurationError, "policy.stale_days: Input should be greater"),
        (ADMIN, {"severity.stale": "awful"}, "x", ConfigurationError, "policy.severity.stale"),
        (ADMIN, {"severity.nothing": "low"}, "x", ConfigurationError, "no rule is named 'nothing'"),
        (ADMIN, {"rules_off": ["nothing"]}, "x", ConfigurationError, "no rule is named 'nothing'"),
        (ADMIN, {"override": []}, "x", ConfigurationError, "is edited in leaverwatch.toml"),
    ],
)
def test_what_is_refused_leaves_file_versions_and_audit_alone(house, who, changes, reason, error, why):
    before, lines = text(house), len(rows_of(house, AuditEntry))
    with pytest.raises(error, match=why):
        set_policy(house, who, changes, reason, {})
    assert text(house) == before
    assert len(versions(house)) == 1
    assert len(rows_of(house, AuditEntry)) == lines


def test_what_the_environment_sets_is_not_written_into_the_file(at):
    variable = {"LEAVERWATCH_POLICY__STALE_DAYS": "70"}
    house = home.open_house(at.folder, variable, home.clock())
    with pytest.raises(ConfigurationError, match="LEAVERWATCH_POLICY__STALE_DAYS sets it"):
        set_policy(house, ADMIN, {"stale_days": 60}, "because", variable)
    house.store.close()


def test_an_edit_by_hand_between_two_changes_is_a_version_of_its_own(house):
    file = house.home / "leaverwatch.toml"
    file.write_text(file.read_text().replace("stale_days = 90", "stale_days = 75"))
    set_policy(house, ADMIN, {"never_used_days": 7}, "because", {})
    assert [(number, actor) for number, actor, *_ in versions(house)] == [
        (3, "admin@x.example"),
        (2, "operator"),
        (1, "operator"),
    ]


def test_a_page_asks_and_the_worker_writes(house):
    request = policies.ask(house, ADMIN, home.clock(), {"preset": "cis"}, "Audit finding 7")
    assert policies.ask(house, ADMIN, home.clock(), {"preset": "cis"}, "Audit finding 7").id == request.id, (
        "a double click"
    )
    assert text(house) == POLICY + SETTINGS
    run(house, request.verb, request.arguments, request.actor, {})
    assert renewed(house, {}).settings.policy.preset == "cis"
    assert versions(house)[0][1:3] == ("admin@x.example", "Audit finding 7")
    file = house.home / "leaverwatch.toml"
    late = policies.ask(renewed(house, {}), ADMIN, home.clock(), {"never_used_days": 9}, "late")
    file.write_text(file.read_text() + "\n# touched\n")
    with pytest.raises(ConfigurationError, match="changed by somebody else"):
        run(house, late.verb, late.arguments, late.actor, {})
    assert len(rows_of(house, PolicyVersion)) == 2
    assert {row.verb for row in rows_of(house, Request)} == {"configure"}


def test_a_value_is_taken_back_and_the_preset_counts_again(house):
    set_policy(house, ADMIN, {"preset": "cis"}, "because", {})
    assert renewed(house, {}).settings.policy.stale_days == 90, "what the file says stands above the preset"
    set_policy(house, ADMIN, {"stale_days": None}, "because", {})
    assert renewed(house, {}).settings.policy.stale_days == 45


def test_a_file_without_a_policy_gets_one(tmp_path):
    written = with_thresholds("# mine\n[act]\nenabled = true\n", {"stale_days": 60}, tmp_path)
    assert written.startswith("# mine\n[act]\nenabled = true\n")
    assert tomllib.loads(written) == {"act": {"enabled": True}, "policy": {"stale_days": 60}}


# --- the command line


def test_an_admin_sets_thresholds_and_everybody_reads_their_history(at):
    said = at.do(
        "policy", "set", "stale_days=60", "severity.stale=high", "--actor", "admin@x.example", "--reason", "why"
    )
    assert "version 2" in said.err
    shown = at.do("policy", "show", "--format", "json").json
    assert (shown["version"], shown["actor"], shown["reason"]) == (2, "admin@x.example", "why")
    assert (shown["thresholds"]["stale_days"], shown["preset"]) == (60, "default")
    at.do("policy", "set", "stale_days=", "severity.stale=", "--actor", "admin@x.example", "--reason", "back")
    rows = at.do("policy", "history", "--format", "json").json
    assert [row["version"] for row in rows] == [3, 2, 1]
    assert {"key": "stale_days", "before": 60, "after": 90} in rows[0]["changes"]
    assert "stale_days 60 → 90" in at.do("policy", "history").out


def test_the_command_line_refuses_by_its_exit_codes(at):
    without = at.run("policy", "set", "stale_days=60", "--actor", "sec@x.example", "--reason", "why")
    assert (without.code, "configure" in without.err) == (1, True)
    assert at.run("policy", "set", "stale_days", "--actor", "admin@x.example", "--reason", "why").code == 2
    assert at.run("policy", "set", "stale_days=soon", "--actor", "admin@x.example", "--reason", "why").code == 2
