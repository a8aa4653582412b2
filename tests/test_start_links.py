"""Links of the first start: each opens once, and makes the local administrator until the settings say who may act."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from test_sessions import MINUTE, SIGN_IN, look, rows, told, why

from governance import sessions
from governance.access import Verb, demand
from governance.errors import ConfigurationError
from governance.settings import parse
from governance.tables import AuditDetail, AuditEntry, SignIn, StartLink
from tests.conftest import NOW


@pytest.fixture
def settings():
    return {"sign_in": SIGN_IN, "actor": [{"email": "bob@x.example", "roles": ["admin"]}]}


@pytest.fixture
def alone(make_house):
    return make_house({})


def test_a_link_opens_once_and_makes_the_local_administrator(alone):
    token = sessions.make_link(alone, NOW)
    assert len(token) >= 43, "256 bits"
    held = sessions.open_link(alone, NOW + MINUTE, token)
    found = sessions.local(alone, held, NOW + MINUTE)
    assert (found.actor.email, found.actor.roles, found.actor.fresh) == (sessions.LOCAL, {"admin"}, True)
    demand(found.actor, Verb.CONFIGURE)
    assert sessions.open_link(alone, NOW + MINUTE, token) is None, "once"
    assert [line.verb for line in rows(alone, AuditEntry)] == ["start_link", "sign_in"]
    kept = "".join(
        str(row.model_dump()) for model in (StartLink, SignIn, AuditEntry, AuditDetail) for row in rows(alone, model)
    )
    assert token not in kept
    assert held not in kept


def test_a_link_opens_within_fifteen_minutes(alone):
    late, early = sessions.make_link(alone, NOW), sessions.make_link(alone, NOW)
    assert sessions.open_link(alone, NOW + 15 * MINUTE, late) is None
    assert sessions.open_link(alone, NOW - MINUTE, late) is None
    assert sessions.open_link(alone, NOW + 15 * MINUTE - timedelta(seconds=1), early)


def test_of_twenty_who_open_a_link_at_once_one_gets_in(alone):
    token, start, opened = sessions.make_link(alone, NOW), threading.Barrier(20), []

    def one():
        start.wait()
        opened.append(sessions.open_link(alone, NOW, token))

    all_of_them = [threading.Thread(target=one) for _ in range(20)]
    for thread in all_of_them:
        thread.start()
    for thread in all_of_them:
        thread.join()
    assert len([held for held in opened if held]) == 1


@pytest.mark.parametrize("guess", ["", "x", "A" * 43])
def test_a_guess_opens_nothing(alone, guess):
    sessions.make_link(alone, NOW)
    assert sessions.open_link(alone, NOW, guess) is None
    assert sessions.local(alone, guess, NOW) is None


def test_the_local_administrator_ends_like_everybody_and_for_good(alone):
    held = sessions.open_link(alone, NOW, sessions.make_link(alone, NOW))
    assert why(sessions.local(alone, held, NOW + 16 * MINUTE)) == "idle"
    again = sessions.open_link(alone, NOW, sessions.make_link(alone, NOW))
    found = sessions.local(alone, again, NOW)
    sessions.sign_out(alone, found.actor, NOW, found.id)
    assert why(sessions.local(alone, again, NOW)) == "signed out"


@pytest.mark.parametrize(
    "named",
    [{"sign_in": SIGN_IN}, {"actor": [{"email": "a@x.example", "roles": ["admin"]}]}],
    ids=["provider", "actor"],
)
def test_there_is_no_local_administrator_once_the_settings_say_who_may_act(alone, named):
    held, token = sessions.open_link(alone, NOW, sessions.make_link(alone, NOW)), sessions.make_link(alone, NOW)
    later = replace(alone, settings=parse(named))
    assert sessions.local(later, held, NOW) is None
    assert sessions.open_link(later, NOW, token) is None
    with pytest.raises(ConfigurationError, match="no local administrator"):
        sessions.make_link(later, NOW)


def test_a_provider_s_cookie_is_no_local_administrator_s_and_the_reverse(house, alone):
    found = look(house, told())
    assert sessions.local(alone, found.id, NOW) is None
