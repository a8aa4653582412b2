"""GitHub's tokens: whose they are, what they lack and what is too much, those of an App, and what spent limits say."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, RateLimited
from tests.github_organisations import checked_organisation
from tests.keys import private_key, public_key
from tests.replay_server import Recorded, ReplayServer
from tests.sandbox_company import NOW
from tests.tenants.github import PLAIN
from tests.tenants.github import TENANT as MANAGED


@pytest.fixture
def plain():
    with checked_organisation(PLAIN) as made:
        yield made


@pytest.fixture
def managed():
    with checked_organisation(MANAGED) as made:
        yield made


class TestProvingTheCredential:
    def test_whose_it_is_what_is_missing_and_what_is_too_much(self, managed):
        managed.settings["scopes"] = ["admin:org", "repo", "scim:enterprise", "read:enterprise"]
        with managed.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == ("read:audit_log",)
        assert checked.excess == ("admin:org", "repo")
        assert "leaverwatch-admin: set own_account" in checked.notes[0]

    def test_a_fine_grained_token_does_not_tell(self, plain):
        plain.settings["scopes"] = None
        with plain.connect(write=False) as connector:
            checked = connector.check()
        assert (checked.missing, checked.excess) == ((), ())
        assert any("fine-grained" in note for note in checked.notes)
        assert any("only remove members" in note for note in checked.notes)

    def test_limits_of_the_plan_are_said(self, plain):
        plain.settings["plan"] = "team"
        with plain.connect(write=False) as connector:
            notes = connector.check().notes
        assert "the organisation's plan is team" in notes
        assert any("audit log needs Enterprise Cloud" in note for note in notes)


APP = dataclasses.replace(
    PLAIN,
    options=lambda url: {**PLAIN.options(url), "app_id": "4711", "installation_id": "77"},
    secrets=lambda a: {"token": private_key("app"), "write_token": a.write_token},
)


class TestAsAGitHubApp:
    def test_a_signed_proof_buys_a_token_that_reads_everything(self, plain):
        plain.settings["app_key"] = public_key("app")
        accounts, _, _, _ = plain.pulled(APP)
        assert len(accounts) == 8
        assert sum(s.path.endswith("/access_tokens") for s in plain.sandbox.requests) == 1

    def test_its_permissions_are_proved(self, plain):
        plain.settings |= {
            "app_key": public_key("app"),
            "permissions": {"members": "write", "metadata": "read", "contents": "read"},
        }
        with plain.connect(APP, write=False) as connector:
            checked = connector.check()
        assert checked.missing == ("organization_administration: read",)
        assert checked.excess == ("contents: read", "members: write")

    def test_without_the_permission_members_nothing_is_read(self, plain):
        plain.settings |= {"app_key": public_key("app"), "permissions": {"metadata": "read"}}
        with (
            plain.connect(APP, write=False) as connector,
            pytest.raises(AuthenticationFailed, match="permission Members"),
        ):
            list(connector.records())

    def test_a_foreign_key_is_refused(self, plain):
        plain.settings["app_key"] = public_key("another")
        with plain.connect(APP, write=False) as connector, pytest.raises(AuthenticationFailed, match="check app_id"):
            connector.check()

    @pytest.mark.parametrize("changed", [{"app_id": None}, {"installation_id": None}, {"installation_id": "../x"}])
    def test_half_a_configuration_is_a_mistake(self, plain, changed):
        def told(url):
            return {k: v for k, v in {**APP.options(url), **changed}.items() if v is not None}

        broken = dataclasses.replace(APP, options=told)
        with pytest.raises(ConfigurationError, match="installation_id"), plain.connect(broken):
            pass


class TestLimits:
    def test_a_secondary_limit_with_403_is_waited_out(self, plain):
        plain.settings["secondary"] = 2
        accounts, _, _, _ = plain.pulled()
        assert len(accounts) == 8

    def test_a_spent_hour_says_until_when(self, plain):
        in_an_hour = str(int(datetime.now(UTC).timestamp()) + 3600)
        headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": in_an_hour}
        with ReplayServer(
            [Recorded("GET", "/user", {"message": "API rate limit exceeded"}, 403, headers=headers)]
        ) as server:
            spent = dataclasses.replace(PLAIN, options=lambda _: PLAIN.options(server.url))
            with plain.connect(spent, write=False) as connector, pytest.raises(RateLimited) as caught:
                list(connector.records())
            assert len(server.asked) == 1
        assert caught.value.until > NOW + timedelta(minutes=50)

    def test_identities_without_an_end_are_not_believed(self, plain):
        plain.sandbox.faults["organisation"] = Faults(paths="/graphql", mutate=lambda _, data: _endless(data))
        with plain.connect(write=False) as connector, pytest.raises(IncompleteFeed, match="no end"):
            list(connector.records())


def _endless(data):
    data["data"]["organization"]["samlIdentityProvider"]["externalIdentities"]["pageInfo"]["hasNextPage"] = True
    return data
