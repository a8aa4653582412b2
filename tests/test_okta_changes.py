"""Okta: accounts, groups, roles, applications and credentials are taken and given back, or it is said why not."""

from datetime import timedelta

import pytest

from connectors.sandbox.model import SandboxCredential, SandboxGrant
from governance.errors import AuthenticationFailed, NotSupported, Unavailable
from tests.okta_org import APP, GROUP, checked_org
from tests.sandbox_company import NOW


@pytest.fixture
def org():
    with checked_org() as made:
        yield made


class TestActing:
    def test_suspends_and_lets_back_in(self, org):
        with org.connect() as connector:
            connector.deactivate(org.id("ada"))
            assert org.people["ada"].status == "suspended"
            assert connector.deactivate(org.id("ada")).answer == "it is SUSPENDED already"
            connector.reactivate(org.id("ada"))
            assert org.people["ada"].status == "active"
            assert "already" in connector.reactivate(org.id("ada")).answer
        assert [seen.path.rpartition("/")[2] for seen in org.asked("/lifecycle/", "POST")] == ["suspend", "unsuspend"]

    def test_deactivates_for_good_only_where_it_is_told_to(self, org):
        org.options["deactivate_by"] = "deactivate"
        org.holds(APP, "Figma", "application", ["ada"])
        with org.connect() as connector:
            connector.deactivate(org.id("ada"))
            assert org.people["ada"].status == "deactivated"
            assert APP not in org.held("ada")
            assert connector.account(org.id("ada")).active is False
            connector.reactivate(org.id("ada"))
            assert org.people["ada"].status == "active"
            connector.suspend(org.id("ada"))
            assert org.people["ada"].status == "suspended"
        mailed = {seen.query.get("sendEmail") for seen in org.asked("activate", "POST")}
        assert mailed == {"false"}

    @pytest.mark.parametrize("name", ["gwen", "farid"])
    def test_who_is_not_active_cannot_be_suspended(self, org, name):
        with org.connect() as connector, pytest.raises(NotSupported, match="only accounts that are ACTIVE"):
            connector.deactivate(org.id(name))
        assert org.asked("", "POST") == []

    def test_gone(self, org):
        with org.connect() as connector:
            assert connector.deactivate(org.id("jun")).answer == "404, gone"
            with pytest.raises(NotSupported):
                connector.reactivate(org.id("jun"))

    def test_groups(self, org):
        with org.connect() as connector:
            connector.revoke_grant(org.id("hana"), org.contractors)
            assert org.contractors not in org.held("hana")
            connector.restore_grant(org.id("hana"), org.contractors)
            assert org.contractors in org.held("hana")
            with pytest.raises(NotSupported, match="Okta's own"):
                connector.revoke_grant(org.id("hana"), org.everyone)
            org.holds(GROUP, "From AD", "group", ["hana"], type="APP_GROUP")
            with pytest.raises(NotSupported, match="application it comes from"):
                connector.revoke_grant(org.id("hana"), GROUP)

    def test_applications(self, org):
        org.holds(APP, "Figma", "application", ["ada"])
        org.application.grants.append(SandboxGrant(org.id("bruno"), APP, NOW, "group"))
        with org.connect() as connector:
            connector.revoke_grant(org.id("ada"), APP)
            assert APP not in org.held("ada")
            connector.revoke_grant(org.id("ada"), APP)  # twice is the same as once
            connector.restore_grant(org.id("ada"), APP)
            assert APP in org.held("ada")
            with pytest.raises(NotSupported, match="through a group"):
                connector.revoke_grant(org.id("bruno"), APP)

    def test_roles(self, org):
        role = "rol" + "R" * 17
        org.holds(role, "Application Administrator", "role", ["bruno"], type="APP_ADMIN")
        with org.connect() as connector:
            connector.revoke_grant(org.id("bruno"), "APP_ADMIN")
            assert role not in org.held("bruno")
            assert "not held" in connector.revoke_grant(org.id("bruno"), "APP_ADMIN").answer
            connector.restore_grant(org.id("bruno"), "APP_ADMIN")
            connector.restore_grant(org.id("bruno"), "APP_ADMIN")
            assert role in org.held("bruno")
            connector.revoke_grant(org.id("ada"), org.admins)
            assert org.admins not in org.held("ada")
            with pytest.raises(NotSupported, match="set of resources"):
                connector.restore_grant(org.id("ada"), org.admins)
            org.holds(GROUP, "Helpers", "group", ["hana"], roles=[role])
            with pytest.raises(NotSupported, match="through a group"):
                connector.revoke_grant(org.id("hana"), "APP_ADMIN")

    def test_sessions_end_with_the_tokens_of_programs(self, org):
        with org.connect() as connector:
            connector.end_sessions(org.id("ada"))
        [seen] = org.asked("/sessions", "DELETE")
        assert seen.query == {"oauthTokens": "true"}
        assert "signed_out_at" in org.people["ada"].more

    def test_without_a_write_token_nothing_leaves(self, org):
        changes = ("deactivate", "reactivate", "suspend", "end_sessions")
        with org.connect(secrets={"token": org.application.token}) as connector:
            for change in changes:
                with pytest.raises(NotSupported):
                    getattr(connector, change)(org.id("ada"))
            with pytest.raises(NotSupported):
                connector.revoke_grant(org.id("ada"), org.admins)
        assert org.sandbox.requests == []

    def test_a_write_token_that_may_not_is_refused(self, org):
        secrets = {"token": org.application.token, "write_token": org.application.token}
        with org.connect(secrets=secrets) as connector, pytest.raises(AuthenticationFailed):
            connector.deactivate(org.id("ada"))


class TestCredentials:
    def test_tokens_and_consents_are_listed_and_withdrawn(self, org):
        org.application.credentials.append(
            SandboxCredential("oag1", org.id("ada"), "oauth_grant", "0oaClient", NOW - timedelta(days=9))
        )
        org.application.credentials[0].expires_at = NOW + timedelta(days=21)
        with org.connect() as connector:
            found = {c.credential_id: c for c in connector.credentials(org.id("ada"))}
            assert {i: c.kind for i, c in found.items()} == {"cred-1": "token", "oag1": "oauth_grant"}
            assert found["cred-1"].expires_at == NOW + timedelta(days=21)
            assert found["oag1"].name == "0oaClient: offline_access"
            for credential_id in found:
                connector.revoke_credential(org.id("ada"), credential_id)
            assert connector.credentials(org.id("ada")) == []
            assert connector.revoke_credential(org.id("ada"), "oag1").answer == "not there any more"
            assert len(connector.credentials(org.id("esra"))) == 1

    def test_where_neither_may_be_listed_nobody_can_tell(self, org):
        org.application.settings["forbidden"] = "/grants|/api-tokens"
        with org.connect() as connector, pytest.raises(Unavailable):
            connector.credentials(org.id("ada"))

    @pytest.mark.parametrize("closed", ["/grants", "/api-tokens"])
    def test_nobody_says_that_nothing_is_left_who_was_shown_only_a_part(self, org, closed):
        org.application.settings["forbidden"] = closed
        with org.connect() as connector, pytest.raises(Unavailable, match="whether any is left is unknown"):
            connector.credentials(org.id("farid"))
