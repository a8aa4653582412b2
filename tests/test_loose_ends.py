"""What a deactivation leaves open (FAULTS.md D12): sessions are ended, credentials revoked, and none is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from acting import SAM, SETTINGS, SUE, Applications, Ground, Memory, account

from connectors.kit.contract import CanEndSessions, CanListCredentials, Connector
from governance import remediation
from governance.errors import LeaverwatchError, NotSupported, Unavailable
from governance.house import House
from governance.records import Credential, Receipt
from governance.tables import Remediation
from jobs import remediate, verify


class Keyed(Memory, CanEndSessions, CanListCredentials):
    """An application whose accounts have sessions, tokens and keys."""

    sessions: set[str]
    keys: list[Credential]
    stubborn: set[str]  # credentials that no call can revoke
    hidden: LeaverwatchError | None  # why credentials cannot be listed

    def end_sessions(self, account_id: str) -> Receipt:
        assert self.given.write
        self.applications.take("end_sessions", self.feed.name, account_id)
        self.sessions.discard(account_id)
        return Receipt(self.given.now, f"DELETE sessions of {account_id}", "204")

    def credentials(self, account_id: str) -> list[Credential]:
        if self.hidden is not None:
            raise self.hidden
        return [key for key in self.keys if key.account_id == account_id]

    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        assert self.given.write
        self.applications.take("revoke_credential", self.feed.name, account_id)
        if credential_id in self.stubborn:
            raise NotSupported(f"{credential_id}: only its owner or an administrator can revoke it")
        self.keys[:] = [key for key in self.keys if key.credential_id != credential_id]
        return Receipt(self.given.now, f"DELETE {credential_id}", "204")


class Keys:
    """The applications of the test, with what opens their accounts."""

    def __init__(self) -> None:
        self.applications = Applications()
        self.sessions: set[str] = {"ada"}
        self.keys = [
            Credential("crm", "ada", "t1", "token", "laptop"),
            Credential("crm", "ada", "k1", "ssh_key", "deploy"),
            Credential("crm", "ben", "t2", "token"),
        ]
        self.stubborn: set[str] = set()
        self.hidden: LeaverwatchError | None = None

    def connect(self, name: str, write: bool) -> Connector:
        plain = self.applications.connect(name, write)
        keyed = Keyed(self.applications, plain.feed, plain.given)
        keyed.sessions, keyed.keys = self.sessions, self.keys
        keyed.stubborn, keyed.hidden = self.stubborn, self.hidden
        return keyed


@pytest.fixture
def settings() -> dict[str, Any]:
    return SETTINGS


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def ground(house: House, now: datetime, keys: Keys) -> Ground:
    return Ground(house, now, keys.applications)


@pytest.fixture
def close(ground: Ground, keys: Keys, now: datetime) -> Callable[[], Remediation]:
    """Close Ada's account: propose, approve, run."""

    def closed() -> Remediation:
        [fingerprint, _] = ground.stand([account("crm", "ada"), account("crm", "ben")])
        [r] = remediation.propose(ground.house, SAM, now, [fingerprint], "left")
        remediation.approve(ground.house, SUE, now, [r.id], "left")
        remediate.run(ground.house, keys.connect, now)
        return ground.remediation(r.id)

    return closed


def test_sessions_are_ended_and_credentials_revoked_each_recorded_before_it_is_done(
    ground: Ground, keys: Keys, close: Callable[[], Remediation]
) -> None:
    seen: list[str] = []
    keys.applications.before = lambda verb, _, __: seen.append(
        f"{verb}: {ground_audit()[-1] if verb != 'read' else ''}"
    )

    def ground_audit() -> list[str]:
        return [line.verb for line, _ in ground.audit()]

    r = close()
    assert r.status == "verified"
    assert keys.sessions == set()
    assert [key.credential_id for key in keys.keys] == ["t2"]  # Ben's stays
    assert [one for one in seen if not one.startswith("read")] == [
        "deactivate: deactivate",
        "end_sessions: end_sessions",
        "revoke_credential: revoke_credential",
        "revoke_credential: revoke_credential",
    ]
    assert r.evidence["read_back"]["credentials_left"] == []
    assert len(r.evidence["further"]) == 3


def test_a_credential_that_still_works_keeps_it_from_being_verified_until_it_is_gone(
    ground: Ground, keys: Keys, close: Callable[[], Remediation], now: datetime
) -> None:
    keys.stubborn = {"k1"}
    r = close()
    assert r.status == "executed"
    assert (
        r.error == "read back: inactive, but 1 of its credentials still work; revoke in the application: ssh key deploy"
    )
    verify.run(ground.house, keys.connect, now + timedelta(minutes=5))
    assert ground.remediation(r.id).status == "executed"
    keys.keys[:] = [key for key in keys.keys if key.credential_id != "k1"]  # somebody revoked it
    verify.run(ground.house, keys.connect, now + timedelta(minutes=10))
    assert ground.remediation(r.id).status == "verified"


def test_where_credentials_cannot_be_listed_nothing_is_said_about_them(
    keys: Keys, close: Callable[[], Remediation]
) -> None:
    keys.hidden = NotSupported("the plan does not list them")
    r = close()
    assert r.status == "verified"
    assert "credentials_left" not in r.evidence["read_back"]


def test_sessions_that_cannot_be_ended_are_noted_and_the_account_stays_closed(
    ground: Ground, keys: Keys, close: Callable[[], Remediation]
) -> None:
    def busy(verb: str, _: str, __: str) -> None:
        if verb == "end_sessions":
            raise Unavailable("crm: DELETE /sessions: answered 503")

    keys.applications.before = busy
    r = close()
    assert r.status == "verified"
    assert keys.sessions == {"ada"}
    assert r.evidence["further"][0].startswith("end_sessions: Unavailable:")
    assert "end_sessions_failed" in ground.audited(r.id)


def test_what_an_application_can_only_remove_becomes_a_persons_task_at_the_next_proposal(
    ground: Ground, keys: Keys, close: Callable[[], Remediation], now: datetime
) -> None:
    def only_removes(verb: str, _: str, __: str) -> None:
        if verb == "deactivate":
            raise NotSupported("crm: members can only be removed; remove ada by hand")

    keys.applications.before = only_removes
    r = close()
    assert (r.status, r.error) == ("failed", "NotSupported: crm: members can only be removed; remove ada by hand")
    [again] = remediation.propose(ground.house, SAM, now, [r.finding], "left")
    assert again.action == "manual"
