"""Salesforce's tokens: renewed once, bound to the My Domain, bought with a secret or a key, and what they may."""

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, UnexpectedAnswer
from tests.atlassian_site import Read, ids
from tests.keys import private_key, public_key
from tests.salesforce_organisation import give, organisation
from tests.sandbox_company import named, small_application


@pytest.fixture
def salesforce():
    return small_application("salesforce")


class TestTokens:
    def test_an_expired_session_is_renewed_once(self, salesforce):
        faults = Faults(unauthorized=True, times=1, after=3, paths="/query")
        with organisation(salesforce, faults=faults) as (connector, sandbox):
            assert len(Read(salesforce, connector).accounts) == 11
            assert len([s for s in sandbox.requests if s.path.endswith("/token")]) == 2

    def test_and_not_twice(self, salesforce):
        faults = Faults(unauthorized=True, after=3, paths="/query")
        with organisation(salesforce, faults=faults) as (connector, sandbox):
            with pytest.raises(AuthenticationFailed):
                list(connector.records())
            assert len([s for s in sandbox.requests if s.path.endswith("/token")]) == 2

    @pytest.mark.parametrize(
        "instance",
        ["https://na1.salesforce.example", "http://127.0.0.1:9", "http://user@127.0.0.1", "//evil.example", "x", 7],
    )
    def test_a_token_for_another_address_is_not_used(self, salesforce, instance):
        salesforce.settings["instance_url"] = instance
        with organisation(salesforce) as (connector, sandbox):
            with pytest.raises(UnexpectedAnswer, match="My Domain"):
                list(connector.records())
            assert [s.path for s in sandbox.requests] == ["/services/oauth2/token"]

    def test_a_wrong_secret_is_named_by_the_code_of_the_endpoint(self, salesforce):
        with (
            organisation(salesforce, secrets={"token": "no-such-secret"}) as (connector, _),
            pytest.raises(AuthenticationFailed, match="invalid_client"),
        ):
            list(connector.records())

    def test_a_signed_assertion_instead_of_a_secret(self, salesforce):
        salesforce.settings["public_keys"] = {"reader": public_key("sf-reader"), "writer": public_key("sf-writer")}
        salesforce.settings["writers"] = ["writer"]
        secrets = {"token": private_key("sf-reader"), "write_token": private_key("sf-writer")}
        options = {"username": "backup.service@nwl.example", "write_client_id": "writer", "secrets": secrets}
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True, **options) as (connector, _):
            assert len(Read(salesforce, connector).accounts) == 11
            connector.deactivate(bruno)
            assert connector.account(bruno).active is False

    @pytest.mark.parametrize("change", [{"username": "nobody@nwl.example"}, {"client_id": "stranger"},
                                        {"audience": "https://test.salesforce.com"}])  # fmt: skip
    def test_an_assertion_that_does_not_fit_gets_no_token(self, salesforce, change):
        salesforce.settings["public_keys"] = {"reader": public_key("sf-reader")}
        options = {"username": "ada.amaral@nwl.example", "secrets": {"token": private_key("sf-reader")}, **change}
        with organisation(salesforce, **options) as (connector, _), pytest.raises(AuthenticationFailed):
            list(connector.records())

    def test_a_key_without_a_username_is_a_setting_forgotten(self, salesforce):
        secrets = {"token": private_key("sf-reader")}
        with pytest.raises(ConfigurationError, match="username"), organisation(salesforce, secrets=secrets):
            pass


class TestCheck:
    RIGHTS = ("PermissionsViewAllUsers", "PermissionsViewSetup", "PermissionsManageUsers", "PermissionsTwoFactorApi")

    def test_says_whom_it_acts_as_and_what_is_used(self, salesforce):
        give(salesforce, "Backup", "0PS000000000777AAA", "Integration", rights=self.RIGHTS)
        salesforce.revoke(ids(salesforce)["Backup"], named(salesforce, "Administrators"))
        salesforce.settings |= {"client_account": ids(salesforce)["Backup"], "api_used": 100}
        with organisation(salesforce) as (connector, _):
            checked = connector.check()
        assert checked.missing == checked.excess == ()
        assert "backup.service@nwl.example" in checked.notes[0]
        assert "of 15,000 requests are used today" in checked.notes[1]

    def test_says_what_is_missing_and_what_is_too_much(self, salesforce):
        salesforce.settings |= {"client_account": ids(salesforce)["Ada"], "scope": "api full refresh_token"}
        with organisation(salesforce) as (connector, _):
            checked = connector.check()
        assert [m.partition(":")[2].split(",")[0].strip() for m in checked.missing] == [
            "View All Users", "View Setup and Configuration", "Manage MFA in API",
        ]  # fmt: skip
        assert checked.excess == (
            "scope full", "scope refresh_token", "permission Modify All Data", "permission Author Apex",
        )  # fmt: skip

    def test_a_client_that_gets_no_token_is_an_error(self, salesforce):
        with (
            organisation(salesforce, secrets={"token": "wrong-secret"}) as (connector, _),
            pytest.raises(AuthenticationFailed),
        ):
            connector.check()
