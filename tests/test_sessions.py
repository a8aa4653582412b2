"""Sessions: begun by a provider's token, checked at every run, and ended for good."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import select

from governance import sessions
from governance.access import SENSITIVE, Actor, Verb, demand, find_actor
from governance.errors import DecisionError, NotAllowed, SignInAgain
from governance.sessions import Out, Signed
from governance.settings import parse
from governance.tables import AuditEntry, SignIn
from tests.conftest import NOW

ADA = Actor("ada@x.example", "Ada", frozenset({"security"}))
BOB = Actor("bob@x.example", "Bob", frozenset({"admin"}))
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PROVIDER = {
    "name": "corp",
    "issuer": "https://id.example",
    "client_id": "lw",
    "client_secret": {"env": "SECRET"},
}
SIGN_IN = {
    "address": "https://lw.example",
    "provider": [PROVIDER],
    "groups": {"grp-security": ["security"], "grp-owners": ["application_owner"]},
}


@pytest.fixture
def settings():
    return {"sign_in": SIGN_IN, "actor": [{"email": "bob@x.example", "roles": ["admin"]}]}


def told(at=NOW, **other):
    """The claims of a sign-in at that instant."""
    seconds = int(at.timestamp())
    base = {
        "provider": "corp", "iss": "https://id.example", "sub": "1", "email": "Ada@X.example", "iat": seconds,
        "auth_time": seconds, "nonce": "n", "groups": ["grp-security", "unknown"], "is_logged_in": True,
    }  # fmt: skip
    return {key: value for key, value in {**base, **other}.items() if value is not None}


def finding(house):
    return lambda email, groups: find_actor(house.settings, email, None, groups)


def look(house, claims, now=NOW, find=None):
    return sessions.current(house, claims, find or finding(house), now)


def rows(house, model=SignIn):
    with house.store.read() as session:
        return list(session.exec(select(model)))


def why(found):
    assert isinstance(found, Out), found
    return found.why


# --- Beginning


def test_the_first_look_begins_a_session_and_the_audit_says_so(house):
    found = look(house, told())
    assert isinstance(found, Signed)
    assert (found.actor.email, found.actor.roles, found.actor.fresh) == ("ada@x.example", {"security"}, True)
    assert [(row.email, row.groups, row.ended_at) for row in rows(house)] == [
        ("ada@x.example", "grp-security\nunknown", None)
    ]
    [line] = rows(house, AuditEntry)
    assert (line.actor, line.verb, line.object) == ("ada@x.example", "sign_in", f"session/{found.id[:16]}")
    assert look(house, told(), NOW + MINUTE / 2) == found
    assert len(rows(house, AuditEntry)) == 1


def test_two_tabs_that_look_at_once_begin_one_session(house):
    start, found = threading.Barrier(8), []

    def one():
        start.wait()
        found.append(look(house, told()))

    tabs = [threading.Thread(target=one) for _ in range(8)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len({one.id for one in found}) == 1
    assert len(rows(house)) == len(rows(house, AuditEntry)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"iat": None},
        {"iat": "yesterday"},
        {"iat": True},
        {"iat": 10**30},
        {"iss": None},
        {"iss": ["https://id.example"]},
        {"sub": None},
        {"sub": ""},
        {"email": None},
        {"email": " "},
        {"provider": None},
        {"provider": "corp2"},
        {"provider": "-again"},
    ],
    ids=str,
)
def test_claims_that_do_not_say_who_begin_nothing(house, other):
    assert why(look(house, told(**other))) == "the provider did not say who this is"
    assert rows(house) == rows(house, AuditEntry) == []


def test_an_address_the_provider_has_not_verified_begins_nothing(house):
    assert "not verified" in why(look(house, told(email_verified=False)))
    assert rows(house) == []
    assert isinstance(look(house, told(email_verified=True)), Signed)


@pytest.mark.parametrize("age", [-6 * MINUTE, 6 * MINUTE, 13 * HOUR, timedelta(days=29)], ids=str)
def test_a_token_that_is_not_new_begins_nothing(house, age):
    """The provider's cookie lives for thirty days; a session begins within five minutes or never."""
    assert why(look(house, told(NOW - age))) == "the sign-in is too old to begin with"
    assert rows(house) == []


def test_the_claim_of_the_address_and_of_the_groups_is_configured(make_house):
    house = make_house(
        {"sign_in": {**SIGN_IN, "email_claim": "upn", "groups_claim": "roles"}, "actor": []},
    )
    found = look(house, told(upn="eve@x.example", roles="grp-owners"))
    assert (found.actor.email, found.actor.roles) == ("eve@x.example", {"application_owner"})
    assert why(look(house, told(upn="ada@x.example", roles={"grp-security": 1}, sub="2"))) == sessions.NO_ROLE


# --- Holding and ending


def test_who_does_nothing_for_fifteen_minutes_is_out(house):
    look(house, told())
    assert isinstance(look(house, told(), NOW + 15 * MINUTE), Signed)
    assert why(look(house, told(), NOW + 30 * MINUTE + timedelta(seconds=1))) == "idle"
    assert why(look(house, told(), NOW + 16 * MINUTE)) == "idle", (
        "an ended session stays ended, whatever the clock says"
    )
    assert [line.verb for line in rows(house, AuditEntry)] == ["sign_in", "sign_out"]


def test_after_twelve_hours_it_is_over_however_busy_one_was(house):
    look(house, told())
    now = NOW
    while now < NOW + 12 * HOUR:
        now = min(now + 10 * MINUTE, NOW + 12 * HOUR)
        assert isinstance(look(house, told(), now), Signed)
    assert why(look(house, told(), now + MINUTE)) == "too long"


def test_the_last_use_is_written_once_a_minute_and_never_backwards(house):
    look(house, told())
    look(house, told(), NOW + timedelta(seconds=59))
    assert rows(house)[0].seen_at == NOW
    look(house, told(), NOW + MINUTE)
    assert rows(house)[0].seen_at == NOW + MINUTE
    look(house, told(), NOW - 10 * MINUTE)  # a clock that was put back
    assert rows(house)[0].seen_at == NOW + MINUTE


def test_a_signed_out_cookie_never_opens_another_session(house):
    found = look(house, told())
    sessions.sign_out(house, found.actor, NOW, found.id)
    for minutes in range(5):
        assert why(look(house, told(), NOW + minutes * MINUTE)) == "signed out"
    assert len(rows(house)) == 1
    assert isinstance(look(house, told(NOW + MINUTE), NOW + MINUTE), Signed), "a fresh sign-in is another session"
    assert isinstance(look(house, told(nonce="m"), NOW), Signed), "also one of the same second"


def test_each_sign_in_has_an_id_of_its_own_that_tells_nothing(house):
    found = [
        look(house, told(**other)).id
        for other in ({}, {"nonce": "other"}, {"sub": "2"}, {"iss": "https://id2.example"}, {"sid": "s"}, {"jti": "j"})
    ]
    assert len(set(found)) == len(found)
    assert all(len(one) == 64 for one in found), "256 bits"


def test_rights_are_read_at_every_look(make_house, house):
    """Revoked in mid-session: the next look knows, and the session is over."""
    look(house, told(email="bob@x.example", groups=[]))
    assert isinstance(look(house, told(email="bob@x.example", groups=[]), NOW + MINUTE), Signed)
    without = replace(house, settings=parse({"sign_in": SIGN_IN}))
    assert why(look(without, told(email="bob@x.example", groups=[]), NOW + 2 * MINUTE)) == sessions.NO_ROLE
    assert why(look(house, told(email="bob@x.example", groups=[]), NOW + 3 * MINUTE)) == sessions.NO_ROLE


def test_who_becomes_a_leaver_is_out(house):
    left = replace(ADA, left=True)
    look(house, told())
    assert why(look(house, told(), NOW + MINUTE, lambda *_: left)) == sessions.HAS_LEFT
    assert why(look(house, told(), NOW + MINUTE)) == sessions.HAS_LEFT, "and stays out with this cookie"
    [ended] = [line for line in rows(house, AuditEntry) if line.verb == "sign_out"]
    assert ended.reason == "has left"


def test_who_has_no_role_has_no_session(house):
    assert why(look(house, told(groups=[]))) == sessions.NO_ROLE
    for _ in range(3):
        assert why(look(house, told(groups=[]))) == sessions.NO_ROLE
    assert [line.verb for line in rows(house, AuditEntry)] == ["sign_in", "sign_out"], "said once"


# --- Fresh


def test_a_sign_in_is_fresh_for_five_minutes(house):
    look(house, told())
    assert look(house, told(), NOW + 5 * MINUTE).actor.fresh
    assert not look(house, told(), NOW + 5 * MINUTE + timedelta(seconds=1)).actor.fresh


def test_a_new_token_of_an_old_sign_in_at_the_provider_is_not_fresh(house):
    assert not look(house, told(auth_time=int((NOW - HOUR).timestamp()))).actor.fresh


def test_without_auth_time_only_a_token_asked_for_with_a_proof_is_fresh(house):
    assert not look(house, told(auth_time=None)).actor.fresh
    assert look(house, told(auth_time=None, provider="corp-again", nonce="m")).actor.fresh


def test_a_time_of_proof_in_the_future_is_now(house):
    look(house, told(auth_time=int((NOW + HOUR).timestamp())))
    assert rows(house)[0].authenticated_at == NOW


@pytest.mark.parametrize("verb", Verb, ids=str)
def test_whoever_decides_must_be_fresh_and_whoever_reads_need_not(verb):
    stale = Actor("all@x.example", "All", frozenset({"admin", "security", "auditor"}), fresh=False)
    if verb in SENSITIVE:
        with pytest.raises(SignInAgain, match="sign in again"):
            demand(stale, verb)
        with pytest.raises(NotAllowed, match="may not"):
            demand(Actor("no@x.example", "No", frozenset(), fresh=False), verb)
    else:
        demand(stale, verb)
    demand(replace(stale, fresh=True), verb)
    assert {v for v in Verb if v not in SENSITIVE} == {Verb.READ, Verb.EXPORT, Verb.RUN}


def test_what_acts_between_two_runs_knows_the_end_too(house):
    found = look(house, told())
    assert sessions.still(house, found.id, finding(house), NOW + MINUTE) == found
    assert not sessions.still(house, found.id, finding(house), NOW + 6 * MINUTE).actor.fresh
    sessions.end_all(house, BOB, NOW + MINUTE, "ada@x.example")
    assert why(sessions.still(house, found.id, finding(house), NOW + 7 * MINUTE)) == "ended by bob@x.example"
    assert why(sessions.still(house, "no such session", finding(house), NOW)) == "signed out"


# --- Ending others


def test_an_administrator_ends_every_session_of_a_person_and_nobody_else_s(house):
    mine = [look(house, told(nonce=str(n))) for n in range(3)]
    others = look(house, told(email="eve@x.example", sub="2"))
    assert [row.id for row in sessions.listed(house, ADA, NOW)] == [
        row.id for row in sessions.listed(house, BOB, NOW, "Ada@x.example")
    ]
    assert len(sessions.listed(house, BOB, NOW, "*")) == 4
    assert sessions.end_all(house, BOB, NOW, " ADA@x.example ") == 3
    assert sessions.end_all(house, BOB, NOW, "ada@x.example") == 0
    assert {why(look(house, told(nonce=str(n)))) for n in range(3)} == {"ended by bob@x.example"}
    assert isinstance(look(house, told(email="eve@x.example", sub="2")), Signed)
    assert sessions.listed(house, mine[0].actor, NOW) == []
    assert others.id


def test_a_person_ends_one_s_own_and_nobody_else_s(house):
    one, other = look(house, told(nonce="1")), look(house, told(nonce="2"))
    foreign = look(house, told(email="eve@x.example", sub="2"))
    sessions.end(house, one.actor, NOW, other.id)
    assert why(look(house, told(nonce="2"))) == "ended by ada@x.example"
    with pytest.raises(NotAllowed):
        sessions.end(house, one.actor, NOW, foreign.id)
    with pytest.raises(NotAllowed):
        sessions.end(house, one.actor, NOW, "no such session")
    with pytest.raises(DecisionError, match="no such session"):
        sessions.end(house, BOB, NOW, "no such session")
    for email in ("eve@x.example", "*"):
        with pytest.raises(NotAllowed):
            sessions.listed(house, one.actor, NOW, email)
    with pytest.raises(NotAllowed):
        sessions.end_all(house, one.actor, NOW, "eve@x.example")
    sessions.sign_out(house, one.actor, NOW, foreign.id)
    assert isinstance(look(house, told(email="eve@x.example", sub="2")), Signed)


def test_the_worker_knows_the_groups_of_the_last_sign_in_unless_it_was_ended_against_them(house):
    assert sessions.groups_of(house, "ada@x.example", NOW) == ()
    found = look(house, told())
    assert sessions.groups_of(house, "ADA@x.example", NOW) == ("grp-security", "unknown")
    sessions.sign_out(house, found.actor, NOW, found.id)
    assert sessions.groups_of(house, "ada@x.example", NOW + MINUTE) == ("grp-security", "unknown")
    assert sessions.groups_of(house, "ada@x.example", NOW + 13 * HOUR) == ()
    look(house, told(NOW + MINUTE), NOW + MINUTE)
    sessions.end_all(house, BOB, NOW + 2 * MINUTE, "ada@x.example")
    assert sessions.groups_of(house, "ada@x.example", NOW + 3 * MINUTE) == ()
