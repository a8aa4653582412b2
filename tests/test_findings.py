"""Findings open, stay, resolve and reopen; an unchanged run writes none; what cannot be judged stays as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs
from sqlalchemy import event
from sqlmodel import select

from governance import audit
from governance.access import Actor
from governance.errors import AlreadyDecided, DecisionError, FourEyesRequired, NotAllowed
from governance.findings import ask, end_exclusion, evaluated, exclude, headline, pin, record
from governance.guards import believe
from governance.records import Account, Entitlement, Grant, Identity, Reading
from governance.rulebook import all_rules
from governance.snapshots import stage
from governance.tables import DetectRun, Finding, Request, Snapshot
from governance.views import overview
from jobs.detect import detect
from tests.kept_houses import beginning

ANA = Actor(email="ana@nwl.example", name="Ana", roles=frozenset({"security"}))
TOM = Actor(email="tom@nwl.example", name="Tom", roles=frozenset({"admin"}))
IRIS = Actor(email="iris@nwl.example", name="Iris", roles=frozenset({"auditor"}))


@pytest.fixture
def settings():
    return {
        "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv"}],
        "application": [{"name": "crm", "connector": "app_csv", "path": "crm.csv"}],
    }


def say(house, now, feed, *records):
    staged = stage(house, house.settings.feed(feed), records, Reading(), now, now)
    assert believe(house, staged, now, "worker").status == "published"


def leaver(now, number="1", days=19):
    return Identity(
        source="hr",
        employee_id=number,
        state="ended",
        ended_at=now - timedelta(days=days),
        display_name=f"Person {number}",
    )


def account(number="1", **facts):
    told = {"employee_id": number, "username": f"u{number}", "active": True, "privileged": False} | facts
    return Account("crm", f"a{number}", **told)


@pytest.fixture
def ghost(house, now):
    """A house with one ghost: identity 1 left, account a1 is active; identity 2 works here."""

    def read(new):
        say(new, now, "hr", leaver(now), Identity("hr", "2", state="current", display_name="Person 2"))
        say(new, now, "crm", account(), account("2"))
        detect(new, now)

    return beginning(house, read, now)


def findings(house, **where):
    with house.store.read() as session:
        rows = session.exec(select(Finding).order_by(Finding.fingerprint)).all()
    return [row for row in rows if all(getattr(row, key) == value for key, value in where.items())]


def only(house, **where):
    [row] = findings(house, **where)
    return row


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


def test_an_exclusion_holds_until_its_day_and_then_the_finding_is_open_again(ghost, now):
    fingerprint = only(ghost, rule="ghost").fingerprint
    until = now + timedelta(days=10)
    exclude(ghost, ANA, now, fingerprint, until, "litigation hold until the hearing")
    detect(ghost, now + timedelta(days=1))
    assert only(ghost, rule="ghost").status == "excluded"
    detect(ghost, until + timedelta(hours=1))
    assert only(ghost, rule="ghost").status == "open"
    assert audit.verify(ghost.store).ok


@pytest.mark.parametrize(
    ("actor", "days", "reason", "error"),
    [
        (ANA, 10, "", DecisionError),
        (ANA, 181, "too long", DecisionError),
        (ANA, 0, "already over", DecisionError),
        (IRIS, 10, "auditors read", NotAllowed),
    ],
)
def test_an_exclusion_without_reason_end_or_right_is_refused(ghost, now, actor, days, reason, error):
    fingerprint = only(ghost, rule="ghost").fingerprint
    with pytest.raises(error):
        exclude(ghost, actor, now, fingerprint, now + timedelta(days=days), reason)
    assert only(ghost, rule="ghost").status == "open"


def test_an_exclusion_can_be_ended_before_its_day(ghost, now):
    fingerprint = only(ghost, rule="ghost").fingerprint
    with pytest.raises(AlreadyDecided, match="no exclusion that could be ended"):
        end_exclusion(ghost, ANA, now, fingerprint, "there is none")
    exclude(ghost, ANA, now, fingerprint, now + timedelta(days=10), "litigation hold")
    with pytest.raises(DecisionError, match="needs a reason"):
        end_exclusion(ghost, ANA, now, fingerprint, " ")
    with pytest.raises(NotAllowed):
        end_exclusion(ghost, IRIS, now, fingerprint, "auditors read")
    assert end_exclusion(ghost, ANA, now, fingerprint, "the hearing was today").ended_at == now
    assert only(ghost, rule="ghost").status == "open"
    with pytest.raises(AlreadyDecided):
        end_exclusion(ghost, ANA, now, fingerprint, "once more")
    detect(ghost, now + timedelta(hours=1))
    assert only(ghost, rule="ghost").status == "open"
    exclude(ghost, ANA, now, fingerprint, now + timedelta(days=10), "a new reason is a new exclusion")
    assert audit.verify(ghost.store).ok


def test_an_exclusion_that_waits_for_a_second_actor_can_be_withdrawn(ghost, now):
    fingerprint = only(ghost, rule="ghost").fingerprint
    exclude(ghost, ANA, now, fingerprint, now + timedelta(days=91), "too long for one")
    end_exclusion(ghost, ANA, now, fingerprint, "a mistake")
    assert only(ghost, rule="ghost").status == "open"
    exclude(ghost, ANA, now, fingerprint, now + timedelta(days=10), "shorter, and it waits for nobody")
    assert only(ghost, rule="ghost").status == "excluded"


def test_only_an_open_finding_can_be_excluded(ghost, now):
    fingerprint = only(ghost, rule="ghost").fingerprint
    exclude(ghost, ANA, now, fingerprint, now + timedelta(days=10), "hold")
    with pytest.raises(AlreadyDecided):
        exclude(ghost, ANA, now, fingerprint, now + timedelta(days=10), "hold")
    with pytest.raises(DecisionError):
        exclude(ghost, ANA, now, "0" * 16, now + timedelta(days=10), "hold")


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


@pytest.mark.parametrize("days", [91, 180])
def test_a_long_exclusion_takes_two(ghost, now, days):
    fingerprint = only(ghost, rule="ghost").fingerprint
    until = now + timedelta(days=days)
    assert exclude(ghost, ANA, now, fingerprint, until, "litigation hold").waits
    assert only(ghost, rule="ghost").status == "open", "until somebody agrees it excludes nothing"
    with pytest.raises(FourEyesRequired):
        exclude(ghost, ANA, now, fingerprint, until, "I agree with myself")
    second = replace(ANA, email="second@example.com")
    agreed = exclude(ghost, second, now, fingerprint, now + timedelta(days=100), "seen the order")
    assert (agreed.second, agreed.waits) == ("second@example.com", None)
    assert agreed.until == min(until, now + timedelta(days=100))
    assert only(ghost, rule="ghost").status == "excluded"
    assert audit.verify(ghost.store).ok


@pytest.mark.parametrize("rule", ["ghost", "missing_from_source"])  # the second keeps no privilege as evidence
def test_a_privileged_exclusion_takes_two_however_short(house, now, rule):
    say(house, now, "hr", leaver(now), Identity("hr", "2", state="current"), Identity("hr", "3", state="current"))
    say(house, now, "crm", account(privileged=True), account("2", privileged=True))
    later = now + timedelta(hours=1)
    say(house, later, "hr", leaver(now), Identity("hr", "3", state="current"))
    detect(house, later)
    fingerprint = only(house, rule=rule).fingerprint
    assert exclude(house, ANA, later, fingerprint, later + timedelta(days=2), "until Friday").waits
    assert only(house, rule=rule).status == "open"
    second = replace(ANA, email="second@example.com")
    assert not exclude(house, second, later, fingerprint, later + timedelta(days=2), "seen").waits
    assert only(house, rule=rule).status == "excluded"


def test_an_exclusion_is_not_ended_by_the_day_of_one_before_it(ghost, now):
    fingerprint = only(ghost, rule="ghost").fingerprint
    exclude(ghost, ANA, now, fingerprint, now + timedelta(days=10), "until the hearing")
    for days, active in ((1, False), (2, True)):
        say(ghost, now + timedelta(days=days), "crm", account(active=active), account("2"))
        detect(ghost, now + timedelta(days=days))
    assert only(ghost, rule="ghost").status == "open", "what came back is looked at anew"
    again = now + timedelta(days=3)
    exclude(ghost, ANA, again, fingerprint, now + timedelta(days=40), "the hearing was put off")
    detect(ghost, now + timedelta(days=11))
    assert only(ghost, rule="ghost").status == "excluded"
    detect(ghost, now + timedelta(days=41))
    assert only(ghost, rule="ghost").status == "open"


def test_nobody_agrees_to_an_exclusion_whose_day_has_passed(ghost, now):
    fingerprint = only(ghost, rule="ghost").fingerprint
    exclude(ghost, ANA, now, fingerprint, now + timedelta(days=100), "litigation hold")
    late, second = now + timedelta(days=101), replace(ANA, email="second@example.com")
    anew = exclude(ghost, second, late, fingerprint, late + timedelta(days=20), "seen the order")
    assert (anew.actor, anew.until, anew.waits) == ("second@example.com", late + timedelta(days=20), None)
    detect(ghost, late + timedelta(days=1))
    assert only(ghost, rule="ghost").status == "excluded"


def test_what_is_true_again_is_open_again_though_its_application_was_not_read_since(ghost, now):
    back = Identity("hr", "1", state="current", display_name="Person 1")
    for days, first in ((8, back), (16, leaver(now))):
        at = now + timedelta(days=days)
        say(ghost, at, "hr", first, Identity("hr", "2", state="current", display_name="Person 2"))
        detect(ghost, at)
    found = only(ghost, rule="ghost")
    assert (found.status, found.reopened) == ("open", 1)
