"""A leaver's account is closed from here, and the next single sign-on makes it anew: found at the next pull, always."""

from __future__ import annotations

import copy
import shutil
from datetime import datetime

import pytest
from leavers_house import LEFT, approve, build, statuses, wiki
from sqlmodel import select

from governance import remediation
from governance.tables import Finding, Remediation, Snapshot
from governance.views import approvals, evidence
from governance.views.words import moment
from jobs import home, remediate, work
from jobs.detect import detect


def switch(server, account_id, active):
    """What the application itself does to an account."""
    change = {"Operations": [{"op": "replace", "path": "active", "value": active}]}
    server.directory.keep(server.directory.patch(account_id, change))


def sign_in(server, account_id):
    """The application keeps who was switched off; the sign-in switches the account on again."""
    switch(server, account_id, True)
    return account_id


def make_anew(server, account_id):
    """The application deleted the account; the sign-in makes another, under another id."""
    directory = server.directory
    was = directory.account(account_id)
    directory.remove(account_id)
    made = directory.add({"userName": was["userName"], "externalId": was["externalId"], "active": True})
    made["meta"]["created"] = home.clock().isoformat()
    assert made["id"] != account_id
    return made["id"]


def reborn(house):
    """The open findings, by account."""
    assert {result.status for result in work.pull(house, ["wiki"], environ={})} == {"published"}
    work.detect(house)
    with house.store.read() as session:
        found = select(Finding.account_id).where(Finding.rule == "reborn", Finding.status == "open")
        return set(session.exec(found))


@pytest.fixture(scope="module")
def all_closed(tmp_path_factory):
    """The folder of a house in which all thirty ghosts were closed and proved to be, with its application."""
    folder = tmp_path_factory.mktemp("closed")
    with wiki() as server:
        house = build(folder, server.url)
        approve(house, LEFT)
        remediate.run(house, work.connector_of(house, {}), home.clock())
        assert statuses(house) == {"verified": LEFT}
        house.store.close()
        yield folder, server


@pytest.fixture
def closed(all_closed, tmp_path):
    """A house like that of one's own, and its application as it was then."""
    folder, server = all_closed
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    before = server.directory
    server.directory = copy.deepcopy(before)
    house = home.open_house(tmp_path, {}, home.clock())
    yield house, server, work.connector_of(house, {})
    house.store.close()
    server.directory = before


def test_every_account_that_a_sign_in_brought_back_is_found_at_the_next_pull(closed):
    house, server, _ = closed
    ids = sorted(id for id, account in server.users.items() if account["active"] is False)
    assert len(ids) == LEFT
    back = {sign_in(server, id) for id in ids[:8]} | {make_anew(server, id) for id in ids[8:12]}
    assert reborn(house) == back
    later = {sign_in(server, id) for id in ids[12:15]} | {make_anew(server, id) for id in ids[15:18]}
    assert reborn(house) == back | later
    closed_again = sorted(back | later)[:2]
    for id in closed_again:
        switch(server, id, False)
    assert reborn(house) == (back | later) - set(closed_again)


@pytest.fixture
def given_back(closed):
    """The same house; a pull and a detect run read all of them closed, then one was switched on again from here."""
    house, server, connect = closed
    assert {result.status for result in work.pull(house, ["wiki"], environ={})} == {"published"}
    work.detect(house)
    with house.store.read() as session:
        one = session.exec(select(Remediation)).first()
    remediate.undo(house, connect, home.clock(), home.actor_named(house, "sec@x.example"), one.id)
    return house, server, one


def ghost(house, one):
    with house.store.read() as session:
        return session.get_one(Finding, one.finding)


def test_an_account_given_back_counts_as_active_before_the_next_pull(given_back):
    house, _, one = given_back
    assert ghost(house, one).status == "open"
    assert work.detect(house).counts["ghost"] == 1
    assert ghost(house, one).status == "open", "the last pull shows it closed, but it was read back active since"
    assert ghost(house, one).reopened == 1
    with house.store.read() as session:
        account = remediation.read_facts(house, session, [("wiki", one.account_id)]).accounts["wiki", one.account_id]
    assert account.active is True


def test_that_an_account_given_back_is_active_the_reading_says_that_saw_it_and_not_the_snapshot_before(given_back):
    house, _, one = given_back
    work.detect(house)
    with house.store.read() as session:
        at = datetime.fromisoformat(session.get_one(Remediation, one.id).evidence["undo"]["read_at"])
    now = home.clock()
    security, approver = (home.actor_named(house, f"{name}@x.example") for name in ("sec", "app"))
    remediation.propose(house, security, now, [one.finding], "left all the same")
    for facts in (
        evidence.detail(house, security, now, one.finding).facts,
        approvals.waiting(house, approver, now)[0].facts,
    ):
        [active] = [fact for fact in facts if " is active" in fact.text]
        assert active.source == "wiki, read back"
        assert active.text.endswith(f"is active: given back, then read on {moment(at, now)} UTC")
        assert {fact.source for fact in facts if fact is not active} >= {"hr"}
    assert {result.status for result in work.pull(house, ["wiki"], environ={})} == {"published"}
    [active] = [f for f in evidence.detail(house, security, now, one.finding).facts if f.text.endswith(" is active")]
    assert active.source == "wiki", "it was read with all others since"


def test_an_account_given_back_is_inactive_on_the_days_before(given_back):
    house, _, one = given_back
    with house.store.read() as session:
        closed = session.exec(select(Snapshot).where(Snapshot.feed == "wiki").order_by(Snapshot.at.desc())).first().at
    assert detect(house, home.clock(), as_of=closed).counts.get("ghost", 0) == 0
    assert detect(house, home.clock(), known_at=closed).counts.get("ghost", 0) == 0
    assert ghost(house, one).status == "open"


def test_what_else_was_wrong_with_an_account_given_back_is_wrong_again(given_back):
    house, _, one = given_back
    with house.store.write() as session:  # as if a run before the undo had found it closed by somebody else
        row = session.get_one(Finding, one.finding)
        row.status, row.resolved_at, row.resolved_why = "resolved", row.opened_at, "inactive"
        row.resolved_at = session.exec(select(Snapshot.pulled_at).where(Snapshot.feed == "wiki")).all()[-1]
        session.add(row)
    work.detect(house)
    assert ghost(house, one).status == "open"


def test_an_account_given_back_and_closed_once_more_stays_closed(given_back):
    house, _, one = given_back
    work.detect(house)
    approve(house, 1)
    remediate.run(house, work.connector_of(house, {}), home.clock())
    assert statuses(house) == {"undone": 1, "verified": LEFT}
    assert work.detect(house).counts.get("ghost", 0) == 0
    assert ghost(house, one).status == "resolved"


def test_an_account_given_back_after_a_pull_is_no_rebirth(given_back):
    house, server, one = given_back
    assert reborn(house) == set()
    assert reborn(house) == set(), "nor at the pull after that"
    switch(server, one.account_id, False)
    assert reborn(house) == set()
    switch(server, one.account_id, True)
    assert reborn(house) == {one.account_id}


def test_an_undo_from_here_is_no_rebirth_nor_is_what_stays_closed(closed):
    house, server, connect = closed
    with house.store.read() as session:
        one = session.exec(select(Remediation)).first()
    remediate.undo(house, connect, home.clock(), home.actor_named(house, "sec@x.example"), one.id)
    assert server.users[one.account_id]["active"] is True
    assert reborn(house) == set()


@pytest.mark.parametrize(
    "told", [{"status": "executing", "action": "manual"}, {"status": "executing"}, {"status": "executed"}]
)
def test_a_closure_that_is_not_proved_closes_nothing(given_back, told):
    house, _, one = given_back
    with house.store.write() as session:
        later = Remediation.model_validate(
            session.get_one(Remediation, one.id).model_dump()
            | {"id": "later", "evidence": {}, "verified_at": None}
            | told
        )
        later.executing_at = later.executed_at = home.clock()
        session.add(later)
    assert work.detect(house).counts["ghost"] == 1
    assert ghost(house, one).status == "open", "nobody has read it inactive since it was given back"


def test_a_closure_that_needed_no_call_counts_once_it_is_proved(given_back):
    house, _, one = given_back
    before = home.clock()
    with house.store.write() as session:
        later = Remediation.model_validate(
            session.get_one(Remediation, one.id).model_dump() | {"id": "later", "status": "verified", "evidence": {}}
        )
        later.executing_at, later.verified_at = None, home.clock()
        session.add(later)
    assert work.detect(house).counts.get("ghost", 0) == 0
    assert ghost(house, one).status == "resolved"
    assert detect(house, home.clock(), as_of=before).counts["ghost"] == 1, "it was open in between"


def test_what_others_brought_back_is_still_brought_back_when_a_later_closure_is_undone(given_back):
    house, server, one = given_back
    assert reborn(house) == set()
    switch(server, one.account_id, False)
    assert reborn(house) == set()
    switch(server, one.account_id, True)
    assert reborn(house) == {one.account_id}, "somebody else brought it back"
    work.detect(house)
    approve(house, 1)
    connect = work.connector_of(house, {})
    remediate.run(house, connect, home.clock())
    assert reborn(house) == set(), "closed from here"
    with house.store.read() as session:
        last = session.exec(select(Remediation).where(Remediation.status == "verified")).all()
        again = max((r for r in last if r.account_id == one.account_id), key=lambda r: r.verified_at)
    remediate.undo(house, connect, home.clock(), home.actor_named(house, "sec@x.example"), again.id)
    assert reborn(house) == {one.account_id}, "an undo takes back its own closure alone"
