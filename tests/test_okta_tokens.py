"""Okta's tokens: what they lack and what is too much, service apps with keys, half of every limit left to others."""

import time

import pytest

from connectors.kit.okta_check import READ_SCOPES, WRITE_SCOPES
from connectors.sandbox.faults import Faults
from connectors.sandbox.serving import Sandbox
from governance.errors import AuthenticationFailed, ConfigurationError, RateLimited
from governance.records import Account
from tests.keys import private_key, public_key
from tests.okta_org import checked_org


@pytest.fixture
def org():
    with checked_org() as made:
        yield made


class TestChecking:
    def test_a_token_of_an_administrator_who_may_more(self, org):
        role = "rol" + "R" * 17
        org.holds(role, "Super Administrator", "role", ["ada"], type="SUPER_ADMIN")
        org.application.settings["owner"] = org.id("ada")
        with org.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == ()
        assert "SUPER_ADMIN" in checked.excess
        assert any("ada.amaral@nwl.example" in note for note in checked.notes)

    def test_says_what_is_missing(self, org):
        org.application.settings["forbidden"] = "/logs|/api-tokens|/iam/"
        with org.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == ("okta.roles.read", "okta.logs.read", "okta.apiTokens.read")
        assert {seen.method for seen in org.sandbox.requests} == {"GET"}

    @pytest.mark.parametrize("token", ["wrong-token", "org-read-token-but-longer"])
    def test_a_wrong_token(self, org, token):
        with org.connect(secrets={"token": token}) as connector, pytest.raises(AuthenticationFailed):
            connector.check()


class TestServiceApps:
    @pytest.fixture
    def apps(self, org):
        org.application.settings["clients"] = {
            "0oareader": {"key": public_key("okta-reader"), "scopes": list(READ_SCOPES)},
            "0oawriter": {"key": public_key("okta-writer"), "write": True, "scopes": list(WRITE_SCOPES)},
        }
        org.options |= {"client_id": "0oareader", "write_client_id": "0oawriter"}
        org.secrets = {"private_key": private_key("okta-reader"), "write_token": private_key("okta-writer")}
        return org

    def test_read_and_write_with_keys_of_their_own(self, apps):
        with apps.connect() as connector:
            assert len([r for r in connector.records() if isinstance(r, Account)]) == 11
            connector.deactivate(apps.id("ada"))
            assert connector.account(apps.id("ada")).active is False
        assert len(apps.asked("/token", "POST")) == 2  # a token is fetched once
        assert {s.credential for s in apps.sandbox.requests if "/lifecycle/" in s.path} == {"write_token"}

    def test_checked(self, apps):
        with apps.connect(write=False) as connector:
            checked = connector.check()
        assert (checked.missing, checked.excess) == ((), ())

    def test_scopes_missing_and_too_many(self, apps):
        apps.application.settings["clients"]["0oareader"]["scopes"] = ["okta.users.read", "okta.users.manage"]
        with apps.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == READ_SCOPES[1:]
        assert checked.excess == ("okta.users.manage",)

    def test_a_wrong_key(self, apps):
        apps.secrets["private_key"] = private_key("somebody-else")
        with apps.connect(write=False) as connector, pytest.raises(AuthenticationFailed, match="invalid_client"):
            connector.check()

    def test_no_key_at_all(self, apps):
        apps.secrets["private_key"] = "org-read-token"
        with pytest.raises(ConfigurationError, match="PEM"), apps.connect(write=False):
            pass

    def test_a_token_that_ends_is_fetched_anew(self, apps):
        apps.sandbox.faults["org"] = Faults(unauthorized=True, after=3, times=2, paths="/api/v1/")
        with apps.connect(write=False) as connector:
            assert len([r for r in connector.records() if isinstance(r, Account)]) == 11
        assert len(apps.asked("/token", "POST")) == 2


class TestRateLimits:
    def test_the_headers_of_each_answer_count_and_half_is_left_to_others(self, org):
        org.application.settings["rate_limit"] = 4
        of_the_minute = 60 - time.time() % 60
        if of_the_minute < 12:  # counters begin anew with each minute, and all of this belongs into one
            time.sleep(of_the_minute)
        org.sandbox = Sandbox([org.application])
        with org.sandbox, org.connect(write=False, limit_share=0.5, deadline_s=5.0) as connector:
            for name in ("ada", "bruno"):
                connector.credentials(org.id(name))
            with pytest.raises(RateLimited, match="50%"):
                connector.credentials(org.id("gwen"))
            assert len(org.asked("/grants")) == 2
