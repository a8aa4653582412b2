"""Jira: accounts, groups, roles, tokens are taken and given back; a site alone cannot switch off, but says who can."""

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import NotSupported
from tests.atlassian_site import ids, licensed_jira, site
from tests.sandbox_company import DAY, NOW, named


@pytest.fixture
def jira():
    return licensed_jira()


class TestSwitchingOff:
    def paths(self, sandbox):
        return [f"{s.method} {s.path}" for s in sandbox.requests if s.credential == "write_token"]

    def test_a_managed_account_is_disabled_everywhere_and_enabled_again(self, jira):
        bruno = ids(jira)["Bruno"]
        with site(jira, write=True) as (connector, sandbox):
            connector.deactivate(bruno)
            assert jira.accounts[bruno].status == "deactivated"
            assert connector.deactivate(bruno).answer == "already inactive"
            connector.reactivate(bruno)
            assert jira.accounts[bruno].status == "active"
            assert self.paths(sandbox) == [
                f"POST /users/{bruno}/manage/lifecycle/disable",
                f"POST /users/{bruno}/manage/lifecycle/enable",
            ]

    def test_an_account_that_is_not_managed_is_suspended_and_restored(self, jira):
        bruno = ids(jira)["Bruno"]
        jira.accounts[bruno].more["claim"] = "unmanaged"
        with site(jira, write=True) as (connector, sandbox):
            connector.deactivate(bruno)
            assert connector.account(bruno).active is False
            assert connector.deactivate(bruno).answer == "already suspended"
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True
            place = f"/admin/v2/orgs/org-6f1c/directories/dir-1/users/{bruno}"
            assert self.paths(sandbox) == [f"POST {place}/suspend", f"POST {place}/restore"]

    def test_a_managed_account_can_also_be_suspended(self, jira):
        bruno = ids(jira)["Bruno"]
        with site(jira, write=True) as (connector, _):
            connector.suspend(bruno)
            assert jira.accounts[bruno].status == "suspended"
            connector.reactivate(bruno)
            assert jira.accounts[bruno].status == "active"

    def test_an_account_that_is_synced_may_come_back(self, jira):
        bruno = ids(jira)["Bruno"]
        jira.accounts[bruno].managed_by = "scim"
        with site(jira, write=True) as (connector, _):
            assert "identity provider" in connector.deactivate(bruno).answer

    def test_a_closed_account_does_not_come_back(self, jira):
        with site(jira, write=True) as (connector, _), pytest.raises(NotSupported, match="closed"):
            connector.reactivate(ids(jira)["Jun"])

    @pytest.mark.parametrize("options", [{"org": False, "write_email": "admin@nwl.example"}, {"write_email": "a@b.c"}])
    def test_a_site_alone_says_what_a_person_has_to_do(self, jira, options):
        with (
            site(jira, write=True, **options) as (connector, _),
            pytest.raises(NotSupported, match="Atlassian Administration"),
        ):
            connector.deactivate(ids(jira)["Bruno"])

    def test_a_key_with_scopes_is_told_apart(self, jira):
        jira.accounts[ids(jira)["Bruno"]].more["claim"] = "managed"
        faults = Faults(forbidden=True, paths="manage/lifecycle")
        with (
            site(jira, write=True, faults=faults) as (connector, _),
            pytest.raises(NotSupported, match="without scopes"),
        ):
            connector.deactivate(ids(jira)["Bruno"])

    @pytest.mark.parametrize("account_id", ["../../orgs", "a/b", "", "x" * 129])
    def test_an_id_that_leads_elsewhere_is_refused(self, jira, account_id):
        with site(jira, write=True) as (connector, sandbox):
            with pytest.raises(NotSupported):
                connector.deactivate(account_id)
            assert sandbox.requests == []


class TestGrants:
    def test_a_group_is_left_and_joined_again_by_the_organisation(self, jira):
        ada, admins = ids(jira)["Ada"], named(jira, "Administrators")
        with site(jira, write=True) as (connector, _):
            connector.revoke_grant(ada, admins)
            connector.revoke_grant(ada, admins)
            assert connector.account(ada).privileged is False
            connector.restore_grant(ada, admins)
            assert connector.account(ada).privileged is True

    def test_or_by_a_token_of_the_site(self, jira):
        ada, admins = ids(jira)["Ada"], named(jira, "Administrators")
        with site(jira, org=False, write=True, write_email="admin@nwl.example") as (connector, sandbox):
            connector.revoke_grant(ada, admins)
            assert connector.revoke_grant(ada, admins).answer == "already so"
            connector.restore_grant(ada, admins)
            connector.restore_grant(ada, admins)
            assert [s.method for s in sandbox.requests if s.credential == "write_token"] == ["DELETE", "POST"]

    @pytest.mark.parametrize("options", [{}, {"org": False, "write_email": "admin@nwl.example"}])
    def test_a_synced_group_is_changed_at_the_identity_provider(self, jira, options):
        admins = named(jira, "Administrators")
        jira.entitlements[admins].more["synced"] = True
        with (
            site(jira, write=True, **options) as (connector, _),
            pytest.raises(NotSupported, match="identity provider"),
        ):
            connector.revoke_grant(ids(jira)["Ada"], admins)
        assert any(g.entitlement_id == admins for g in jira.held(ids(jira)["Ada"]))

    def test_a_licence_is_taken_with_its_group(self, jira):
        with site(jira, write=True) as (connector, _), pytest.raises(NotSupported, match="through groups"):
            connector.revoke_grant(ids(jira)["Ada"], "role:jira-software")

    def test_roles_of_the_organisation(self, jira):
        bruno = ids(jira)["Bruno"]
        jira.accounts[bruno].more["platform_roles"] = ["atlassian/site-admin"]
        with site(jira, write=True) as (connector, _):
            connector.revoke_grant(bruno, "org:atlassian/site-admin")
            assert jira.accounts[bruno].more["platform_roles"] == []
            connector.restore_grant(bruno, "org:atlassian/site-admin")
            assert jira.accounts[bruno].more["platform_roles"] == ["atlassian/site-admin"]

    def test_roles_of_projects_need_a_token_of_the_site(self, jira):
        bruno = ids(jira)["Bruno"]
        jira.settings["projects"] = {"PAY": {"Administrators": {"users": [bruno]}}}
        with site(jira, write=True) as (connector, _), pytest.raises(NotSupported, match="write_email"):
            connector.revoke_grant(bruno, "project:PAY:10100")
        with site(jira, write=True, write_email="admin@nwl.example") as (connector, _):
            connector.revoke_grant(bruno, "project:PAY:10100")
            assert connector.revoke_grant(bruno, "project:PAY:10100").answer.startswith("404")
            assert jira.settings["projects"]["PAY"]["Administrators"]["users"] == []
            connector.restore_grant(bruno, "project:PAY:10100")
            assert jira.settings["projects"]["PAY"]["Administrators"]["users"] == [bruno]


class TestCredentials:
    def test_api_tokens_are_listed_and_deleted(self, jira):
        ada = ids(jira)["Ada"]
        with site(jira, write=True) as (connector, _):
            [token] = connector.credentials(ada)
            assert (token.kind, token.name, token.last_used_at) == ("token", "deploy", NOW - DAY)
            connector.revoke_credential(ada, token.credential_id)
            connector.revoke_credential(ada, token.credential_id)
            assert connector.credentials(ada) == []

    def test_those_of_an_account_that_is_not_managed_are_not_told(self, jira):
        faults = Faults(forbidden=True, paths="api-tokens")
        with site(jira, write=True, faults=faults) as (connector, _), pytest.raises(NotSupported, match="claimed"):
            connector.credentials(ids(jira)["Ada"])
