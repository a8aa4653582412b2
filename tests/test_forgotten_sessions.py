"""What stays of sessions: forgotten rows, erased facts, and an audit that holds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from test_sessions import BOB, HOUR, MINUTE, SIGN_IN, look, rows, told, why

from governance import audit, sessions
from governance.tables import AuditDetail, AuditEntry, SignIn, StartLink
from jobs import work
from tests.conftest import NOW


@pytest.fixture
def settings():
    return {"sign_in": SIGN_IN, "actor": [{"email": "bob@x.example", "roles": ["admin"]}]}


def test_sessions_and_links_are_forgotten_ninety_days_after_their_end(house):
    now = work.clock()
    day, over, longest = timedelta(days=1), now - timedelta(days=90), house.settings.sign_in.longest
    ended = {"over": over - day, "not long over": over + day}
    left = {"left": over - longest - day, "not long left": over - longest + day, "in use": now - HOUR}
    with house.store.write() as session:
        for id, at in (ended | left).items():
            end = {"ended_at": at, "ended_why": "idle"} if id in ended else {}
            began = {"started_at": over - 2 * day if id in ended else at, "authenticated_at": at, "seen_at": at}
            session.add(SignIn(id=id, email="ada@x.example", **began, **end))
        for id, at in {"run out": over - day, "run out lately": over + day}.items():
            session.add(StartLink(id=id, made_at=at - HOUR, expires_at=at))
    assert work.retention(house)["sessions"] == 3
    assert {row.id for row in rows(house)} == {"not long over", "not long left", "in use"}
    assert [row.id for row in rows(house, StartLink)] == ["run out lately"]
    assert work.retention(house)["sessions"] == 0


def test_a_forgotten_session_is_opened_by_nobody_again(house):
    look(house, told())
    with house.store.write() as session:
        assert sessions.forget(session, NOW + timedelta(days=1), timedelta(0)) == 1
    assert why(look(house, told(), NOW + 6 * MINUTE)) == "the sign-in is too old to begin with"
    assert [line.verb for line in rows(house, AuditEntry)] == ["sign_in"], "the audit keeps that it was"


def test_no_facts_of_a_session_stay_when_a_person_is_erased_and_the_chain_still_holds(house):
    look(house, told(sub="subject-canary"))
    sessions.end_all(house, BOB, NOW, "ada@x.example")
    assert audit.verify(house.store).ok
    with house.store.write() as session:
        audit.erase(session, [1, 2], now=NOW, actor="bob@x.example", reason="asked for")
    assert audit.verify(house.store).ok
    assert "canary" not in "".join(str(row.facts) for row in rows(house, AuditDetail))


def test_line_breaks_in_what_a_provider_tells_forge_no_line_and_no_group(house):
    hostile = "ada@x.example\r\n2026-11-23 admin sign_in"
    look(house, told(email=hostile, sub="1\n2", groups=["grp-security", "x\ngrp-owners", 7, None]))
    [row] = rows(house)
    assert "grp-owners" not in row.groups.splitlines()
    assert len(rows(house, AuditEntry)) == 1
    assert audit.verify(house.store).ok
