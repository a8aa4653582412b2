"""Exceptions from a finding: with a reason, until a day, by two where it is long or privileged, never one's own."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace as replace_

from governance import audit
from governance.errors import AlreadyDecided, DecisionError, FourEyesRequired, NotAllowed
from governance.findings import end_exclusion, exclude
from governance.records import Identity
from jobs.detect import detect
from tests.one_ghost import ANA, IRIS, SETTINGS, TOM, account, findings, leaver, only, say, with_a_ghost

TOM_OF_SECURITY = replace(TOM, roles=frozenset({"security"}))


@pytest.fixture
def settings():
    return SETTINGS


@pytest.fixture
def ghost(house, now):
    return with_a_ghost(house, now)


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


@pytest.mark.parametrize(
    "actor",
    [
        replace(ANA, identity_id="hr:1"),
        replace(ANA, email="U1@nwl.example"),
        replace(ANA, email="one@nwl.example"),
        replace(ANA, addresses=frozenset({ANA.email, "one@nwl.example"})),
    ],
    ids=["by who they are", "by the username", "by the address of the account", "by another address of theirs"],
)
def test_nobody_excludes_what_may_be_about_themselves_nor_agrees_to_it(house, now, actor):
    say(house, now, "hr", Identity("hr", "1", state="current"), Identity("hr", "2", state="current"))
    own = {} if actor.identity_id else {"employee_id": None, "email": "one@nwl.example", "username": "u1@nwl.example"}
    never = {"active": True, "last_seen_known": True, "created_at": now - timedelta(days=400)}
    say(house, now, "crm", account(**never, **own), account("2", **never))
    detect(house, now)
    mine = findings(house, account_id="a1")
    assert mine
    for finding in mine:
        with pytest.raises(FourEyesRequired, match="somebody else must except it"):
            exclude(house, actor, now, finding.fingerprint, now + timedelta(days=9), "it is mine")
        assert exclude(house, TOM_OF_SECURITY, now, finding.fingerprint, now + timedelta(days=120), "ask").waits
        with pytest.raises(FourEyesRequired, match="somebody else must except it"):
            exclude(house, actor, now, finding.fingerprint, now + timedelta(days=9), "it is mine")
    theirs = findings(house, account_id="a2")
    assert theirs
    for finding in theirs:
        exclude(house, actor, now, finding.fingerprint, now + timedelta(days=9), "not mine")


@pytest.mark.parametrize(
    "address",
    ["Also@nwl.example", "one@other.example", "before@nwl.example"],
    ids=["an alias", "of another source", "a former address"],
)
@pytest.mark.parametrize("candidates", [1, 2], ids=["the owner", "a candidate"])
def test_nobody_excludes_what_may_be_about_themselves_under_any_of_their_addresses(
    make_house, now, address, candidates
):
    further = {"name": "other", "connector": "hr_csv", "path": "other.csv"}
    house = make_house({**SETTINGS, "source": [*SETTINGS["source"], further]})
    one = Identity("hr", "1", state="current", email="one@nwl.example", display_name="One")
    own = replace_(one, aliases=("also@nwl.example",), former_emails=("before@nwl.example",))
    twin = replace_(one, employee_id="2", email="two@nwl.example", aliases=("shared@nwl.example",))
    own = own if candidates == 1 else replace_(own, aliases=(*own.aliases, "shared@nwl.example"))
    say(house, now, "hr", own, twin, Identity("hr", "3", state="current"))
    say(
        house,
        now,
        "other",
        Identity("other", "9", state="current", email="one@nwl.example", aliases=("one@other.example",)),
    )
    login = "one@nwl.example" if candidates == 1 else "shared@nwl.example"
    never = {"last_seen_known": True, "created_at": now - timedelta(days=400)}
    say(house, now, "crm", account(employee_id=None, username="x1", email=login, **never), account("3", **never))
    detect(house, now)
    rule = "never_used" if candidates == 1 else "ambiguous_owner"
    mine, until = only(house, rule=rule, account_id="a1").fingerprint, now + timedelta(days=9)
    with pytest.raises(FourEyesRequired, match="somebody else must except it"):
        exclude(house, replace(ANA, email=address), now, mine, until, "it is mine")
    exclude(
        house,
        replace(ANA, email=address),
        now,
        only(house, rule="never_used", account_id="a3").fingerprint,
        until,
        "not mine",
    )
    exclude(house, ANA, now, mine, until, "not mine")


def test_a_finding_about_a_person_is_not_excluded_by_them_under_another_address(house, now):
    left = Identity("hr", "1", state="current", ended_at=now - timedelta(days=9), aliases=("also@nwl.example",))
    say(house, now, "hr", left, Identity("hr", "2", state="current"))
    say(house, now, "crm", account("2"))
    detect(house, now)
    found = only(house, rule="contradictory_source")
    assert (found.account_id, found.identity_id) == (None, "hr:1")
    with pytest.raises(FourEyesRequired, match="somebody else must except it"):
        exclude(house, replace(ANA, email="also@nwl.example"), now, found.fingerprint, now + timedelta(days=9), "me")


def test_nobody_agrees_with_themselves_under_another_address(ghost, now):
    fingerprint, until = only(ghost, rule="ghost").fingerprint, now + timedelta(days=120)
    assert exclude(ghost, ANA, now, fingerprint, until, "litigation hold").waits
    same = replace(ANA, email="ana.b@nwl.example", addresses=frozenset({ANA.email, "ana.b@nwl.example"}))
    with pytest.raises(FourEyesRequired, match="somebody else must agree"):
        exclude(ghost, same, now, fingerprint, until, "I agree with myself")


class Watched(type(Path())):
    """The folder of snapshots; whoever asks where something lies in it finds out whether others could write then."""

    could = ()

    def __truediv__(self, name):
        with sqlite3.connect(f"{self.parent}/leaverwatch.db", timeout=0) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                other.rollback()
            except sqlite3.OperationalError as error:
                self.could = (*self.could, str(error))
            else:
                self.could = (*self.could, True)
        return super().__truediv__(name)


def test_nobody_waits_while_it_is_looked_up_whom_a_finding_is_about(ghost, now):
    house = replace(ghost, snapshots=Watched(ghost.snapshots))
    exclude(house, ANA, now, only(ghost, rule="ghost").fingerprint, now + timedelta(days=9), "litigation hold")
    assert set(house.snapshots.could) == {True}
