"""A leaver's account is closed from here, and the next single sign-on makes it anew: found at the next pull, always."""

from __future__ import annotations

import pytest
from leavers_house import LEFT, approve, build, statuses, wiki
from sqlmodel import select

from governance.tables import Finding, Remediation
from jobs import home, remediate, work


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


@pytest.fixture
def closed(tmp_path):
    """A house in which all thirty ghosts were closed and proved to be."""
    with wiki() as server:
        house = build(tmp_path, server.url)
        approve(house, LEFT)
        connect = work.connector_of(house, {})
        remediate.run(house, connect, home.clock())
        assert statuses(house) == {"verified": LEFT}
        yield house, server, connect
        house.store.close()


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


def test_an_undo_from_here_is_no_rebirth_nor_is_what_stays_closed(closed):
    house, server, connect = closed
    with house.store.read() as session:
        one = session.exec(select(Remediation)).first()
    remediate.undo(house, connect, home.clock(), home.actor_named(house, "sec@x.example"), one.id)
    assert server.users[one.account_id]["active"] is True
    assert reborn(house) == set()
