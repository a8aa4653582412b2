"""Slack: an API that answers 200 to everything, three of them in fact, over real HTTP."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    NotSupported,
    ProtectedAccount,
    Unavailable,
    UnexpectedAnswer,
)
from governance.records import Account
from tests.sandbox_company import NOW
from tests.specs import SpecCheck
from tests.tenants.slack import TENANT
from tests.twelve import Twelve
from tests.wild_server import WildServer, says

WRITES = {"/api/usergroups.users.update", "/api/admin.users.session.reset"}


class Workspace(Twelve):
    """The twelve, with user groups, a group of the identity provider and an owner."""

    def __init__(self):
        super().__init__(TENANT, "workspace")
        self.settings["primary_owner"] = self.id("gwen")
        self.holds("Ridp0001", "From Okta", "group", ["bruno"], idp=True)


@pytest.fixture
def workspace():
    made = Workspace()
    with made.sandbox:
        yield made
        # The specification knows refusals only under another status than 200.
        told = [s for s in made.sandbox.requests if not (isinstance(s.answer, dict) and s.answer.get("ok") is False)]
        assert SpecCheck(TENANT.vendor, free=TENANT.spec_free).problems(told) == []


class TestReading:
    def test_a_member_is_put_together_from_three_lists(self, workspace):
        accounts, _, _, _ = workspace.pulled()
        bruno = workspace.people["bruno"]
        assert accounts[bruno.id] == Account(
            application="one",
            account_id=bruno.id,
            username="bruno.berg",
            email="bruno.berg@nwl.example",
            display_name="Bruno Berg",
            external_id="ext-1",
            employee_id="E1001",
            kind="human",
            active=True,
            last_seen_at=NOW - timedelta(days=40),
            last_seen_known=True,
            created_at=NOW - timedelta(days=401),
            mfa=False,
            privileged=False,
            department="Engineering",
            title="Engineer",
        )

    def test_kinds_states_and_what_is_unknown(self, workspace):
        accounts, _, _, _ = workspace.pulled()
        kinds = {name: accounts[workspace.id(name)].kind for name in ("hana", "build", "ada")}
        assert kinds == {"hana": "guest", "build": "bot", "ada": "human"}
        assert accounts[workspace.id("esra")].active is False
        # Who has not accepted the invitation never signed in; who is in no log may have.
        farid, chioma = accounts[workspace.id("farid")], accounts[workspace.id("chioma")]
        assert (farid.last_seen_at, farid.last_seen_known) == (None, True)
        assert (chioma.last_seen_at, chioma.last_seen_known) == (None, False)
        assert chioma.mfa is None

    def test_roles_groups_and_groups_of_the_identity_provider_are_held(self, workspace):
        accounts, entitlements, held, _ = workspace.pulled()
        ada, bruno, gwen, hana = (workspace.id(n) for n in ("ada", "bruno", "gwen", "hana"))
        assert {(ada, "role:admin"), (gwen, "role:primary_owner"), (gwen, "role:owner")} <= set(held)
        assert {(hana, "role:multi_channel_guest"), (bruno, "role:member"), (bruno, "scim:Ridp0001")} <= set(held)
        assert (hana, f"group:{workspace.contractors}") in held
        assert (accounts[ada].privileged, accounts[gwen].privileged, accounts[bruno].privileged) == (True, True, False)
        assert entitlements["scim:Ridp0001"].name == "From Okta"

    def test_a_guest_of_one_channel_is_only_that(self, workspace):
        workspace.people["hana"].more["one_channel"] = True
        _, _, held, _ = workspace.pulled()
        roles = {e for a, e in held if a == workspace.id("hana") and e.startswith("role:")}
        assert roles == {"role:single_channel_guest"}

    def test_members_of_other_organisations_are_no_accounts_here(self, workspace):
        workspace.people["hana"].more["stranger"] = True
        accounts, _, _, reading = workspace.pulled()
        assert workspace.id("hana") not in accounts
        assert "members of other organisations (Slack Connect): 1 left out" in reading.notes
        assert reading.rows_read == reading.kept == len(accounts)

    @pytest.mark.parametrize("plan", ["free", "business"])
    def test_what_a_plan_hides_is_unknown_and_said(self, workspace, plan):
        workspace.settings["plan"] = plan
        accounts, _, held, reading = workspace.pulled()
        bruno = accounts[workspace.id("bruno")]
        paid = plan == "business"
        assert (bruno.last_seen_known, bruno.created_at is not None, bruno.active) == (paid, paid, True)
        assert any("SCIM needs Business+" in note for note in reading.notes) is not paid
        assert any("access log needs a paid plan" in note for note in reading.notes) is not paid
        assert any(e.startswith("group:") for _, e in held) is paid

    def test_a_token_without_the_scope_for_addresses_leaves_them_unknown(self, workspace):
        workspace.settings["scopes"] = ["users:read", "identify"]
        accounts, _, _, reading = workspace.pulled()
        assert {a.email for a in accounts.values()} == {None}
        assert len(accounts) == 11
        for words in ("lacks users:read.email", "lacks admin", "usergroups:read"):
            assert any(words in note for note in reading.notes), words

    def test_the_access_log_is_read_only_as_far_as_told(self, workspace):
        tenant = dataclasses.replace(TENANT, options=lambda url: {**TENANT.options(url), "access_log_pages": 0})
        with workspace.connect(write=False, tenant=tenant) as connector:
            accounts = [r for r in connector.records() if isinstance(r, Account)]
        assert not [a for a in accounts if a.last_seen_at]
        assert not [s for s in workspace.sandbox.requests if s.path.endswith("accessLogs")]

    @pytest.mark.parametrize("key", ["page_size", "access_log_pages"])
    def test_numbers_that_are_none_are_a_mistake_of_the_configuration(self, workspace, key):
        tenant = dataclasses.replace(TENANT, options=lambda url: {**TENANT.options(url), key: 5000})
        with pytest.raises(ConfigurationError, match=key), workspace.connect(tenant=tenant):
            pass


def answers(body, **more):
    """A server that says the same to everything."""
    return WildServer(says(body, **more))


class TestOkFalse:
    @pytest.mark.parametrize(
        ("body", "error", "words"),
        [
            ({"ok": False, "error": "invalid_auth"}, AuthenticationFailed, "invalid_auth"),
            ({"ok": False, "error": "token_revoked"}, AuthenticationFailed, "token_revoked"),
            ({"ok": False, "error": "account_inactive"}, AuthenticationFailed, "account_inactive"),
            ({"ok": False, "error": "missing_scope", "needed": "users:read"}, AuthenticationFailed, "needs users:read"),
            ({"ok": False, "error": "missing_scope", "needed": "<b>x"}, AuthenticationFailed, "missing_scope$"),
            ({"ok": False, "error": "invalid_cursor"}, UnexpectedAnswer, "invalid_cursor"),
            ({"ok": False, "error": "missing_argument"}, UnexpectedAnswer, "needs team_id"),
            ({"ok": False, "error": "<script>"}, UnexpectedAnswer, "an unknown error"),
            ({"ok": False}, UnexpectedAnswer, "unknown"),
            ({"ok": "yes"}, UnexpectedAnswer, "does not say whether it is ok"),
            ({}, UnexpectedAnswer, "does not say whether it is ok"),
            ([], UnexpectedAnswer, "does not say whether it is ok"),
        ],
    )
    def test_it_becomes_an_error_of_ours(self, workspace, body, error, words):
        with (
            answers(body) as server,
            self.other(workspace, server) as connector,
            pytest.raises(error, match=words),
        ):
            list(connector.records())

    @pytest.mark.parametrize("code", ["internal_error", "fatal_error", "ratelimited"])
    def test_what_passes_is_asked_again(self, workspace, code):
        with answers({"ok": False, "error": code}) as server:
            with self.other(workspace, server, deadline_s=2.0) as connector, pytest.raises(Unavailable):
                list(connector.records())
            assert len(server.heads) > 1

    def other(self, workspace, server, **given):
        tenant = dataclasses.replace(TENANT, options=lambda _: {**TENANT.options(server.url)})
        return workspace.connect(write=False, tenant=tenant, **given)


class TestProvingTheCredential:
    def test_whose_token_it_is_and_what_is_too_much(self, workspace):
        workspace.settings |= {
            "maker": workspace.id("ada"),
            "scopes": ["users:read", "admin", "chat:write", "identify"],
        }
        with workspace.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == ("users:read.email", "usergroups:read")
        assert checked.excess == ("chat:write",)
        assert workspace.id("ada") in checked.notes[0]
        assert "own_account" in checked.notes[0]

    def test_limits_of_the_plan_are_said(self, workspace):
        workspace.settings["plan"] = "free"
        with workspace.connect(write=False) as connector:
            checked = connector.check()
        assert any("SCIM needs Business+" in note for note in checked.notes)
        assert any("audit log was refused" in note for note in checked.notes)

    def test_a_refused_token_fails(self, workspace):
        workspace.sandbox.faults["workspace"] = Faults(unauthorized=True)
        with workspace.connect(write=False) as connector, pytest.raises(AuthenticationFailed, match="invalid_auth"):
            connector.check()


class TestWhatHappened:
    def test_events_in_our_words(self, workspace):
        workspace.application.record(
            "granted", workspace.id("bruno"), workspace.id("ada"), at=NOW, target=workspace.admins
        )
        with workspace.connect(write=False) as connector:
            events = list(connector.events(NOW - timedelta(days=30), None))
            mark = connector.mark
        told = {(e.kind, e.account_id, e.actor, e.success, e.target) for e in events}
        ada = "ada.amaral@nwl.example"
        assert ("created", workspace.id("farid"), ada, True, None) in told
        assert ("sign_in_failed", workspace.id("bruno"), "bruno.berg@nwl.example", False, None) in told
        assert ("deactivated", workspace.id("esra"), ada, True, None) in told
        assert ("granted", workspace.id("bruno"), ada, True, "role:admin") in told
        assert mark == str(int(NOW.timestamp()))

    def test_the_mark_goes_back_a_little(self, workspace):
        with workspace.connect(write=False) as connector:
            list(connector.events(NOW - timedelta(days=30), str(int(NOW.timestamp()))))
        oldest = [int(s.query["oldest"]) for s in workspace.sandbox.requests if s.path.startswith("/audit")]
        assert oldest == [int((NOW - timedelta(minutes=10)).timestamp())]

    def test_nothing_before_the_first_day_of_the_log_is_asked_for(self, workspace):
        with workspace.connect(write=False) as connector:
            list(connector.events(datetime(2010, 1, 1, tzinfo=UTC), "no mark"))
        oldest = [int(s.query["oldest"]) for s in workspace.sandbox.requests if s.path.startswith("/audit")]
        assert oldest == [int(datetime(2018, 3, 1, tzinfo=UTC).timestamp())]

    def test_without_an_audit_token_there_is_none_and_it_is_said(self, workspace):
        tenant = dataclasses.replace(TENANT, secrets=lambda a: {"token": a.token})
        with workspace.connect(write=False, tenant=tenant) as connector:
            assert list(connector.events(NOW, "17")) == []
            assert connector.mark == "17"
            assert "what happened is not told: no audit_token (Enterprise plans only)" in connector.reading.notes

    def test_other_plans_refuse_the_log(self, workspace):
        workspace.settings["plan"] = "business"
        with workspace.connect(write=False) as connector, pytest.raises(AuthenticationFailed):
            list(connector.events(NOW, None))


class TestChanging:
    def test_who_cannot_be_done_without_stays(self, workspace):
        workspace.settings["maker"] = workspace.id("ada")
        with workspace.connect() as connector:
            with pytest.raises(ProtectedAccount, match="is the primary owner, whom Slack never deactivates"):
                connector.deactivate(workspace.id("gwen"))
            with pytest.raises(ProtectedAccount, match="made the write_token"):
                connector.deactivate(workspace.id("ada"))
            with pytest.raises(ProtectedAccount, match="made the write_token"):
                connector.revoke_grant(workspace.id("ada"), "role:admin")
            with pytest.raises(ProtectedAccount, match="only they can hand that on"):
                connector.revoke_grant(workspace.id("gwen"), "role:primary_owner")
            with pytest.raises(NotSupported, match="is the bot of an app"):
                connector.deactivate(workspace.id("build"))
        assert {workspace.people[n].status for n in ("gwen", "ada", "build")} == {"locked", "active"}

    def test_without_scim_it_is_a_person_s_task(self, workspace):
        workspace.settings["plan"] = "free"
        with workspace.connect() as connector, pytest.raises(NotSupported, match=r"Business\+ or Enterprise"):
            connector.deactivate(workspace.id("bruno"))
        assert workspace.people["bruno"].status == "active"

    def test_who_is_gone_stays_gone(self, workspace):
        with workspace.connect() as connector:
            assert connector.deactivate(workspace.id("jun")).answer == "user_not_found"
            assert connector.account(workspace.id("jun")) is None
            with pytest.raises(NotSupported, match="is gone"):
                connector.reactivate(workspace.id("jun"))

    def test_a_user_group_loses_one_member_and_no_other(self, workspace):
        everyone, bruno = workspace.everyone, workspace.id("bruno")
        before = {g.account_id for g in workspace.application.holders(everyone)}
        with workspace.connect() as connector:
            connector.revoke_grant(bruno, f"group:{everyone}")
            assert {g.account_id for g in workspace.application.holders(everyone)} == before - {bruno}
            assert connector.revoke_grant(bruno, f"group:{everyone}").answer == "was so already"
            connector.restore_grant(bruno, f"group:{everyone}")
            assert connector.restore_grant(bruno, f"group:{everyone}").answer == "was so already"
        assert {g.account_id for g in workspace.application.holders(everyone)} == before
        asked = [s for s in workspace.sandbox.requests if s.path in WRITES]
        assert len(asked) == 2

    def test_the_last_member_of_a_group_is_a_person_s_task(self, workspace):
        with workspace.connect() as connector, pytest.raises(NotSupported, match="last member of user group"):
            connector.revoke_grant(workspace.id("hana"), f"group:{workspace.contractors}")

    def test_a_group_of_the_identity_provider_is_taken_and_given_back(self, workspace):
        bruno = workspace.id("bruno")
        with workspace.connect() as connector:
            connector.revoke_grant(bruno, "scim:Ridp0001")
            assert workspace.application.holders("Ridp0001") == []
            connector.restore_grant(bruno, "scim:Ridp0001")
        assert [g.account_id for g in workspace.application.holders("Ridp0001")] == [bruno]

    def test_roles_and_sessions_need_an_enterprise_plan(self, workspace):
        ada = workspace.id("ada")
        with workspace.connect() as connector:
            connector.revoke_grant(ada, "role:admin")
            assert not workspace.application.privileged(ada)
            connector.restore_grant(ada, "role:admin")
            assert workspace.application.privileged(ada)
            assert connector.end_sessions(ada).answer == "ok"
            workspace.settings["plan"] = "business"
            with pytest.raises(NotSupported, match="signing a member out needs an Enterprise plan"):
                connector.end_sessions(ada)
            with pytest.raises(NotSupported, match="changing a role needs an Enterprise plan"):
                connector.revoke_grant(ada, "role:admin")
            with pytest.raises(NotSupported, match="by an admin in Slack"):
                connector.revoke_grant(ada, "role:member")

    def test_nothing_is_written_without_leave(self, workspace):
        with workspace.connect(write=False) as connector:
            for call in (connector.deactivate, connector.reactivate, connector.end_sessions):
                with pytest.raises(NotSupported, match="read-only"):
                    call(workspace.id("bruno"))
        assert workspace.sandbox.requests == []
