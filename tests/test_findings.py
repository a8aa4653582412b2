"""Findings open, stay, resolve and reopen; an unchanged run writes none; what cannot be judged stays as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs
from sqlalchemy import event
from sqlmodel import select

from governance.errors import AlreadyDecided, DecisionError, NotAllowed
from governance.findings import ask, evaluated, headline, pin, record
from governance.guards import believe
from governance.records import Entitlement, Grant, Identity, Reading
from governance.remediation import propose, reject
from governance.rulebook import all_rules
from governance.snapshots import stage
from governance.tables import DetectRun, Finding, Request, Snapshot
from governance.views import overview
from jobs.detect import detect
from tests.one_ghost import ANA, IRIS, SETTINGS, TOM, account, findings, leaver, only, say, with_a_ghost


@pytest.fixture
def settings():
    return SETTINGS


@pytest.fixture
def ghost(house, now):
    return with_a_ghost(house, now)


def test_a_ghost_opens_with_its_reason_and_evidence(ghost, now):
    found = only(ghost, rule="ghost")
    assert (found.status, found.severity, found.account_id, found.identity_id) == ("open", "critical", "a1", "hr:1")
    assert found.since_at == now - timedelta(days=19)
    assert "Person 1" in found.reason
    assert found.evidence["facts"]


def test_a_second_run_with_nothing_changed_writes_no_finding(ghost, now):
    written = []
    engine = ghost.store.engine

    def note(conn, cursor, statement, parameters, context, executemany):
        if "finding" in statement.lower() and statement.lstrip()[:6].upper() in ("INSERT", "UPDATE", "DELETE"):
            written.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    later = now + timedelta(days=3)
    detection = detect(ghost, later)
    event.remove(engine, "before_cursor_execute", note)
    assert written == []
    assert {name: n for name, n in detection.changed.items() if n} == {}
    assert detection.counts["ghost"] == 1


def test_a_source_that_no_longer_contradicts_itself_ends_its_finding(house, now):
    left = Identity("hr", "1", state="current", ended_at=now - timedelta(days=9))
    say(house, now, "hr", left, Identity("hr", "2", state="current"))
    say(house, now, "crm", account("2"))
    detect(house, now)
    assert only(house, rule="contradictory_source").status == "open"
    later = now + timedelta(hours=1)
    say(house, later, "hr", structs.replace(left, ended_at=None), Identity("hr", "2", state="current"))
    detect(house, later)
    found = only(house, rule="contradictory_source")
    assert (found.status, found.resolved_why) == ("resolved", "no_longer_true")


def test_only_findings_that_are_written_get_their_words(ghost, now):
    spoken = []

    def sentence(row):
        spoken.append(row["account_id"])
        return rule.sentence(row)

    rule = all_rules()["ghost"]
    another = structs.replace(account(), account_id="a3", username="another")
    later = now + timedelta(minutes=1)
    say(ghost, later, "crm", account(), account("2"), another)
    with evaluated(ghost, later) as evaluation:
        words = {"ghost": replace(rule, sentence=sentence)}
        held = [replace(held, rule=words.get(held.rule.name, held.rule)) for held in evaluation.verdict.held]
        run = record(ghost, replace(evaluation, verdict=replace(evaluation.verdict, held=held)), later, later)
    assert run.counts["ghost"] == 2
    # Beside the new ghost: its owner's second account, and one account more whose last use is not told.
    assert run.changed == {"opened": 2, "reopened": 0, "updated": 1, "resolved": 0, "stayed": 0, "exclusions_ended": 0}
    assert spoken == ["a3"]


def test_an_account_switched_off_resolves_its_finding_and_switched_on_again_reopens_it(ghost, now):
    day = timedelta(days=1)
    say(ghost, now + day, "crm", account(active=False), account("2"))
    detect(ghost, now + day)
    found = only(ghost, rule="ghost")
    assert (found.status, found.resolved_why) == ("resolved", "inactive")
    say(ghost, now + 2 * day, "crm", account(), account("2"))
    detect(ghost, now + 2 * day)
    found = only(ghost, rule="ghost")
    assert (found.status, found.reopened, found.opened_at, found.first_seen) == ("open", 1, now + 2 * day, now)
    assert found.resolved_at is None


def test_a_finding_that_returns_while_its_proposal_waits_is_in_remediation(ghost, now):
    day, fingerprint = timedelta(days=8), only(ghost, rule="ghost").fingerprint
    [first] = propose(ghost, ANA, now, [fingerprint], "left")
    told = leaver(now)
    say(
        ghost,
        now + day,
        "hr",
        structs.replace(told, state="current", ended_at=None),
        Identity("hr", "2", state="current"),
    )
    detect(ghost, now + day)
    assert only(ghost, rule="ghost").resolved_why == "no_longer_true"
    say(ghost, now + 2 * day, "hr", told, Identity("hr", "2", state="current"))
    detect(ghost, now + 2 * day)
    found = only(ghost, rule="ghost")
    assert (found.status, found.reopened) == ("in_remediation", 1)
    with pytest.raises(AlreadyDecided):
        propose(ghost, ANA, now + 2 * day, [fingerprint], "left again")
    reject(ghost, ANA, now + 2 * day, [first.id], "proposed anew")
    assert only(ghost, rule="ghost").status == "open"
    assert propose(ghost, ANA, now + 2 * day, [fingerprint], "left again")


def test_an_account_that_is_gone_resolves_its_finding(ghost, now):
    day = timedelta(days=1)
    say(ghost, now + day, "crm", account("2"))
    detect(ghost, now + day)
    assert only(ghost, rule="ghost").resolved_why == "gone"


def test_a_rehire_closes_the_ghost(ghost, now):
    day = timedelta(days=1)
    say(
        ghost,
        now + day,
        "hr",
        structs.replace(leaver(now), state="current", ended_at=None),
        Identity("hr", "2", state="current"),
    )
    detect(ghost, now + day)
    assert only(ghost, rule="ghost").resolved_why == "no_longer_true"


@pytest.mark.parametrize("hidden", [{"active": None}, {"employee_id": "3"}])
def test_a_finding_whose_signals_go_missing_stays_as_it_was(ghost, now, hidden):
    day = timedelta(days=1)
    if "employee_id" in hidden:  # the source no longer tells whether the owner works here
        say(
            ghost,
            now + day,
            "hr",
            structs.replace(leaver(now), state="unknown", ended_at=None),
            Identity("hr", "2", state="current"),
        )
    else:
        say(ghost, now + day, "crm", account(**hidden), account("2"))
    detection = detect(ghost, now + day)
    assert only(ghost, rule="ghost").status == "open"
    assert detection.not_evaluable["crm"]["ghost"]
    assert detection.changed["stayed"] == 1


def test_a_snapshot_from_before_the_closure_does_not_reopen_it(ghost, now):
    closed = now + timedelta(hours=1)
    with ghost.store.write() as session:
        found = session.exec(select(Finding).where(Finding.rule == "ghost")).one()
        found.status, found.resolved_at, found.resolved_why = "resolved", closed, "verified"
        session.add(found)
    detect(ghost, closed + timedelta(minutes=5))
    assert only(ghost, rule="ghost").status == "resolved"
    say(ghost, closed + timedelta(minutes=10), "crm", account(), account("2"))
    detect(ghost, closed + timedelta(minutes=10))
    assert only(ghost, rule="ghost").status == "open", "read after the closure and active: it came back"


def test_a_feed_that_is_held_changes_nothing(ghost, now):
    later = now + timedelta(days=1)
    staged = stage(ghost, ghost.settings.feed("crm"), [account("9")], Reading(), later, later)
    assert believe(ghost, staged, later, "worker").status == "held"
    detect(ghost, later)
    assert only(ghost, rule="ghost").status == "open"


def test_the_headline_counts_people_accounts_and_days(ghost, now):
    with ghost.store.read() as session:
        first = headline(session, now)
        assert first.sentence == (
            "1 person left in the last 30 days; 1 of them still holds 1 active account, the oldest for 19 days."
        )
        run = session.exec(select(DetectRun)).one()
    assert run.sentence == first.sentence
    assert (run.summary["accounts"], run.summary["identities"], run.summary["ghost_accounts"]) == (2, 2, 1)


def test_every_run_keeps_what_became_of_the_accounts_that_leavers_held(ghost, now):
    first = {"held": 1, "closed": 0, "open": 1, "excluded": 0, "unknown": 0, "acknowledged": 0, "ghosts": 0}
    later = now + timedelta(days=1)
    say(ghost, later, "crm", account(active=False), account("2"))
    detect(ghost, later)
    with ghost.store.read() as session:
        kept = [run.summary["held_by_leavers"] for run in session.exec(select(DetectRun).order_by(DetectRun.id))]
    assert kept == [first, {**first, "closed": 1, "open": 0, "ghosts": 1}]
    seen = overview.overview(ghost, later)
    assert seen.coverage_history == [0.0, 100.0]
    assert seen.coverage_history[-1] == seen.coverage.share


def test_without_a_source_of_truth_nobody_is_called_orphaned(house, now):
    say(house, now, "crm", account())
    detection = detect(house, now)
    assert [found.rule for found in findings(house)] == ["activity_unknown"]
    assert "orphaned" in detection.not_evaluable["crm"]
    assert detection.sentence.startswith("No source of truth")


def test_time_travel_stores_nothing_and_says_so(ghost, now):
    earlier = now - timedelta(hours=1)
    with ghost.store.read() as session:
        runs = len(session.exec(select(DetectRun)).all())
    detection = detect(ghost, now, as_of=earlier)
    assert not detection.stored
    assert "nothing was stored" in detection.note
    dry = detect(ghost, now, dry_run=True)
    assert (dry.stored, dry.counts["ghost"]) == (False, 1)
    with ghost.store.read() as session:
        assert len(session.exec(select(DetectRun)).all()) == runs
    assert [path.name[0] for path in (ghost.snapshots / "estates").iterdir()] != ["."]


def test_estates_of_past_runs_do_not_pile_up(ghost, now):
    for hour in range(1, 6):
        detect(ghost, now + timedelta(hours=hour))
    assert len(list((ghost.snapshots / "estates").iterdir())) == 2


def test_a_pin_gives_an_orphaned_account_its_owner(house, now):
    say(house, now, "hr", Identity("hr", "2", state="current", display_name="Person 2"))
    say(house, now, "crm", account("7"))
    detect(house, now)
    assert only(house, rule="orphaned").account_id == "a7"
    pin(house, ANA, now, "crm", "a7", "hr:2", "she opened it before she had a badge")
    detect(house, now + timedelta(minutes=1))
    assert only(house, rule="orphaned").status == "resolved"


def test_a_pin_names_what_exists(ghost, now):
    with pytest.raises(DecisionError, match="no identity"):
        pin(ghost, ANA, now, "crm", "a1", "hr:99", "typing error")
    with pytest.raises(DecisionError, match="holds no account"):
        pin(ghost, ANA, now, "crm", "a99", "hr:2", "typing error")


def test_a_page_asks_and_the_worker_is_told(ghost, now):
    ask(ghost, TOM, now, "pull", {"feeds": ["crm"]})
    with ghost.store.read() as session:
        request = session.exec(select(Request)).one()
    assert (request.verb, request.status, request.actor) == ("pull", "waiting", TOM.email)
    with pytest.raises(NotAllowed):
        ask(ghost, IRIS, now, "detect")


def test_over_privileged_names_the_entitlements(make_house, settings, now):
    mapping = [{"application": "crm", "when": {"department": "Finance"}, "gives": ["Finance User"]}]
    house = make_house(settings | {"role_mapping": mapping})
    say(house, now, "hr", Identity("hr", "2", state="current", department="Sales"))
    say(
        house,
        now,
        "crm",
        account("2"),
        Entitlement("crm", "f", "Finance User"),
        Grant("crm", "a2", "f"),
    )
    detect(house, now)
    assert "Finance User" in only(house, rule="over_privileged").reason


def test_published_snapshots_are_named_by_the_run(ghost):
    with ghost.store.read() as session:
        run = session.exec(select(DetectRun)).one()
        published = {s.feed: s.id for s in session.exec(select(Snapshot).where(Snapshot.status == "published"))}
    assert run.snapshots == published


def test_what_is_true_again_is_open_again_though_its_application_was_not_read_since(ghost, now):
    back = Identity("hr", "1", state="current", display_name="Person 1")
    for days, first in ((8, back), (16, leaver(now))):
        at = now + timedelta(days=days)
        say(ghost, at, "hr", first, Identity("hr", "2", state="current", display_name="Person 2"))
        detect(ghost, at)
    found = only(ghost, rule="ghost")
    assert (found.status, found.reopened) == ("open", 1)
