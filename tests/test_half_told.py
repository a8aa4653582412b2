"""What was told only by half is never taken for the whole: nobody vanishes, nothing ends early, no right is denied.

Each of these was a way to a false all-clear. Over real HTTP and LDAP; the last part of the fault table's C.
"""

from __future__ import annotations

import dataclasses
import json
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.contract import Circumstances, connector_class
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.serving import Sandbox
from governance.errors import AuthenticationFailed, FeedError, IncompleteFeed, UnexpectedAnswer
from governance.records import Account
from governance.settings import ApplicationSettings
from tests.grounds.ldap_wire import ANSWERS, BIND, received, result
from tests.ldap_servers import SUFFIX, missing, openldap
from tests.sandbox_company import NOW, small_application
from tests.tenancy import connected, pulled
from tests.tenants import Tenant, in_the_sandbox
from tests.wild_server import WildServer, says

TENANTS = {tenant.connector: tenant for tenant in in_the_sandbox()}
DAY = timedelta(days=1)


@pytest.fixture
def sandbox():
    with Sandbox([]) as running:
        yield running


def twelve(sandbox: Sandbox, name: str) -> tuple[Tenant, SandboxApplication]:
    tenant = TENANTS[name]
    application = small_application(tenant.vendor, f"{tenant.connector}")
    tenant.prepare(application)
    sandbox.add(application)
    return tenant, application


class TestGitHub:
    def test_who_may_not_be_seen_does_not_look_gone(self, sandbox):
        tenant, application = twelve(sandbox, "github")
        sandbox.faults[application.name] = Faults(forbidden=True, paths="/outside_collaborators")
        outcome = pulled(tenant, sandbox, application)
        assert isinstance(outcome.error, AuthenticationFailed)
        assert "members_only = true" in str(outcome.error)

    def test_unless_nobody_else_is_meant(self, sandbox):
        tenant, application = twelve(sandbox, "github")
        sandbox.faults[application.name] = Faults(forbidden=True, paths="/outside_collaborators|/invitations")
        options = tenant.options
        alone = dataclasses.replace(tenant, options=lambda url: {**options(url), "members_only": True})
        outcome = pulled(alone, sandbox, application)
        assert outcome.error is None
        assert any("left out (members_only)" in note for note in outcome.connector.reading.notes)


class TestGoogleWorkspace:
    def test_a_report_that_breaks_off_is_read_again_from_where_it_was_whole(self, sandbox):
        tenant, application = twelve(sandbox, "google_workspace")
        ada = next(iter(application.accounts.values()))
        for number in range(1100):  # more than a page
            application.record("sign_in", ada.id, ada.id, at=NOW - DAY + timedelta(seconds=number))
        sandbox.faults[application.name] = Faults(forbidden=True, paths="/applications/login", after=1)
        with connected(tenant, sandbox, application) as connector:
            told = list(connector.events(NOW - 30 * DAY, None))
            assert told, "the first page came"
            assert "login" not in json.loads(connector.mark)

    def test_a_role_of_a_group_whose_members_may_not_be_seen_leaves_nobody_unprivileged(self, sandbox):
        tenant, application = twelve(sandbox, "google_workspace")

        def of_a_group(path: str, data: Any) -> Any:
            if path.endswith("/roleassignments"):
                for one in data.get("items", ()):
                    one["assigneeType"] = "group"
            return data

        options = tenant.options
        blind = dataclasses.replace(tenant, options=lambda url: {**options(url), "groups": False})
        sandbox.faults[application.name] = Faults(mutate=of_a_group)
        outcome = pulled(blind, sandbox, application)
        assert outcome.error is None
        assert False not in {account.privileged for account in outcome.kept.values()}


class TestSlack:
    @pytest.mark.parametrize("user", [{"id": "USOMEBODY", "deleted": True}, {"deleted": True}, None])
    def test_another_member_than_the_one_asked_for_is_not_believed(self, sandbox, user):
        tenant, application = twelve(sandbox, "slack")
        sandbox.faults[application.name] = Faults(
            paths="users.info", mutate=lambda path, data: {"ok": True, "user": user}
        )
        with connected(tenant, sandbox, application) as connector, pytest.raises(UnexpectedAnswer):
            connector.account(next(iter(application.accounts)))


class TestRest:
    def read(self, answer: Any, **accounts: Any) -> list[Account]:
        fields = {"account_id": "id", "active": "on", "entitlements": "roles"}
        with WildServer(says(answer)) as server:
            feed = ApplicationSettings(
                name="crm", connector="rest", base_url=server.url, token={"env": "T"}, fields=fields,
                accounts={"path": "people", "items": "people", **accounts},
            )  # fmt: skip
            given = Circumstances(NOW, Path("/nowhere"), {"token": "canary-77aa"}, deadline_s=5.0)
            connector = connector_class("rest")(feed, given)
            return [record for record in connector.records() if isinstance(record, Account)]

    @pytest.mark.parametrize("paging", ["cursor", "link"])
    @pytest.mark.parametrize("following", [{"after": "x"}, ["x"], True])
    def test_a_next_page_that_cannot_be_read_is_no_end(self, paging, following):
        answer = {"people": [{"id": "1", "on": True}], "next": following}
        with pytest.raises(FeedError):
            self.read(answer, paging=paging, next="next")

    @pytest.mark.parametrize("total", ["43", 43])
    def test_fewer_than_declared_are_not_believed_however_the_number_is_written(self, total):
        with pytest.raises(IncompleteFeed):
            self.read({"people": [{"id": "1", "on": True}], "total": total}, total="total")

    @pytest.mark.parametrize("total", ["many", {"count": 1}, -1, [1]])
    def test_a_number_that_is_none_is_refused(self, total):
        with pytest.raises(UnexpectedAnswer):
            self.read({"people": [{"id": "1", "on": True}], "total": total}, total="total")

    @pytest.mark.parametrize("roles", [[{"code": "admin"}], ["sales", {"code": "admin"}], [None], [["admin"]]])
    def test_what_is_held_and_cannot_be_read_leaves_nobody_unprivileged(self, roles):
        [account] = self.read({"people": [{"id": "1", "on": True, "roles": roles}]})
        assert account.privileged is None


class Unwilling:
    """A directory that lets everybody in and ends every search with a result of its own (RFC 4511, 4.1.9)."""

    def __init__(self, result: int) -> None:
        self._result = result
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ldap://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Unwilling:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        try:
            while True:
                sock, _ = self._listener.accept()
                with sock:
                    while (message := received(sock)) is not None and message.kind in ANSWERS:
                        itself = message.kind == BIND or not message.name  # a search of the nameless entry itself
                        sock.sendall(result(message, 0 if itself else self._result, "").written())
        except OSError:
            return


def ldap(url: str, **told: Any) -> Any:
    feed = ApplicationSettings(
        name="dir", connector="ldap",
        **{"base_url": url, "bind_dn": "cn=reader", "base_dn": SUFFIX, "token": {"env": "T"}, **told},
    )  # fmt: skip
    given = Circumstances(datetime.now(UTC), Path("/nowhere"), {"token": "canary-read-88aa"}, deadline_s=10.0)
    return connector_class("ldap")(feed, given)


class TestLdap:
    @pytest.mark.parametrize(
        "result", [3, 4, 10, 11, 51, 80], ids=["time", "size", "referral", "admin", "busy", "other"]
    )
    def test_an_account_that_was_not_found_in_time_or_here_is_not_gone(self, result):
        with Unwilling(result) as directory:
            connector = ldap(directory.url)
            with pytest.raises(FeedError):
                connector.account("3f0e9a52-0000-4000-8000-000000000001")
            connector.close()

    def test_one_that_is_not_there_is(self):
        with Unwilling(0) as directory:
            connector = ldap(directory.url)
            assert connector.account("3f0e9a52-0000-4000-8000-000000000001") is None
            connector.close()

    @pytest.mark.skipif(missing() is not None, reason=missing() or "")
    def test_hidden_groups_leave_nobody_unprivileged_and_an_expired_shadow_nobody_locked_out(self, tmp_path):
        person = (
            f"dn: uid=ada,ou=people,{SUFFIX}\nobjectClass: inetOrgPerson\nobjectClass: shadowAccount\nuid: ada\n"
            "cn: Ada Example\nsn: Example\nshadowExpire: 19000\n\n"
        )
        with openldap(tmp_path, person) as url:
            connector = ldap(url, bind_dn=f"cn=reader,{SUFFIX}")
            [ada] = [record for record in connector.records() if isinstance(record, Account)]
            connector.close()
        assert (ada.privileged, ada.active) == (None, None)


def test_a_permission_set_nobody_may_see_leaves_its_holder_s_rights_open(sandbox):
    tenant, application = twelve(sandbox, "salesforce")

    def hide(path: str, data: Any) -> Any:
        rows = data.get("records") if isinstance(data, dict) else None
        if rows and rows[0].get("attributes", {}).get("type") == "PermissionSet":
            data["records"], data["totalSize"] = [], 0
        return data

    honest = pulled(tenant, sandbox, application)
    sandbox.faults[application.name] = Faults(mutate=hide)
    outcome = pulled(tenant, sandbox, application)
    assert outcome.error is None
    assert [account for account in honest.kept.values() if account.privileged]
    lost = [i for i, account in honest.kept.items() if account.privileged and outcome.kept[i].privileged is False]
    assert lost == []
