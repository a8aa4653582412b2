"""In one run the identity provider goes first: who can still sign in is made anew in the application just closed."""

from __future__ import annotations

from typing import Any

import pytest
from acting import SAM, SETTINGS, SUE, Ground, account
from conftest import NOW

from governance import remediation
from governance.house import House
from governance.tables import Connector as Declaration
from jobs import remediate

# Named so that no order by name happens to be the right one.
SIGN_ON = {"name": "zeta-sign-on", "connector": "directory", "write_token": {"env": "T"}}
NAMES = ("crm", "wiki", "zeta-sign-on")


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    said = getattr(request, "param", {})
    return {**SETTINGS, "application": [*SETTINGS["application"], {**SIGN_ON, **said}]}


@pytest.fixture
def ground(house: House) -> Ground:
    ground = Ground(house, NOW)
    with house.store.write() as session:
        able = ["pull", "read_one", "deactivate", "reactivate"]
        session.add(Declaration(name="directory", family="identity provider", capabilities=able))
    return ground


def approved(ground: Ground) -> list[str]:
    """Two leavers with an account in each of the three, all to be closed."""
    people = [account(name, person) for person in ("ann", "bob") for name in NAMES]
    bystanders = [account(name, f"other{n}") for name in NAMES for n in range(9)]
    prints = ground.stand([*people, *bystanders])[: len(people)]
    ids = [r.id for r in remediation.propose(ground.house, SAM, NOW, prints, "left")]
    remediation.approve(ground.house, SUE, NOW, ids, "yes")
    return ids


def test_the_plan_and_the_run_begin_with_the_identity_provider(ground: Ground) -> None:
    approved(ground)
    planned = [r.application for r in remediation.plan(ground.house, NOW).run]
    assert planned == ["zeta-sign-on"] * 2 + ["crm"] * 2 + ["wiki"] * 2
    foreseen = remediate.run(ground.house, ground.applications.connect, NOW, dry_run=True)
    assert [o.application for o in foreseen] == planned
    assert {o.status for o in remediate.run(ground.house, ground.applications.connect, NOW)} == {"verified"}
    assert [application for verb, application, _ in ground.applications.calls if verb == "deactivate"] == planned


def test_so_do_ids_that_are_named_in_another_order(ground: Ground) -> None:
    ids = approved(ground)
    done = remediate.run(ground.house, ground.applications.connect, NOW, [*reversed(ids)])
    assert [o.application for o in done][:2] == ["zeta-sign-on"] * 2


@pytest.mark.parametrize("settings", [{"identity_provider": False}], indirect=True)
def test_the_settings_have_the_last_word(ground: Ground) -> None:
    approved(ground)
    planned = [r.application for r in remediation.plan(ground.house, NOW).run]
    assert planned == ["crm"] * 2 + ["wiki"] * 2 + ["zeta-sign-on"] * 2


@pytest.mark.parametrize("settings", [{"connector": "memory", "identity_provider": True}], indirect=True)
def test_an_application_that_the_settings_call_one_goes_first_too(ground: Ground) -> None:
    approved(ground)
    assert [r.application for r in remediation.plan(ground.house, NOW).run][:2] == ["zeta-sign-on"] * 2


def test_what_a_cut_short_run_left_behind_there_is_looked_at_before_anything_else(ground: Ground) -> None:
    ids = approved(ground)
    there = next(id for id in ids if ground.remediation(id).application == "zeta-sign-on")
    live = ground.applications.accounts["zeta-sign-on", ground.remediation(there).account_id]
    remediation.begin(ground.house, NOW, there, live)
    done = remediate.run(ground.house, ground.applications.connect, NOW)
    assert done[0].id == there
    assert {o.application for o in done[:2]} == {"zeta-sign-on"}
