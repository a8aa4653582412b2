"""Salesforce: who cannot be deactivated is frozen, what is taken is given back, sessions and tokens end."""

import contextlib
import logging

import pytest

from connectors.sandbox.salesforce_tables import delete_token
from governance.errors import AuthenticationFailed, NotSupported, UnexpectedAnswer
from tests.atlassian_site import ids
from tests.salesforce_organisation import LICENCE, OUTER, PROFILE, QUEUE, ROLE, SET_GROUP, give, organisation
from tests.sandbox_company import DAY, NOW, small_application


@pytest.fixture
def salesforce():
    return small_application("salesforce")


class TestSwitchingOff:
    def test_off_and_on(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True) as (connector, _):
            assert connector.deactivate(bruno).answer == "204"
            connector.deactivate(bruno)
            assert connector.account(bruno).active is False
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True

    @pytest.mark.parametrize(
        ("vendor", "ours"),
        [
            ("You cannot deactivate a user who is the default owner of cases.", "Support Settings"),
            ("You cannot disable the Web to Lead Default Creator.", "Web-to-Lead"),
            ("You cannot deactivate the Default Workflow User", "Process Automation Settings"),
            ("This user is an approver in an approval process", "Approval Processes"),
            ("Something nobody has heard of", "Setup, Users says why"),
        ],
    )
    def test_what_cannot_be_deactivated_is_frozen_and_says_why(self, salesforce, vendor, ours):
        bruno = ids(salesforce)["Bruno"]
        salesforce.accounts[bruno].more["blocks"] = vendor
        with organisation(salesforce, write=True) as (connector, _):
            answer = connector.deactivate(bruno).answer
            assert "frozen, because it cannot be deactivated" in answer
            assert ours in answer
            assert vendor not in answer
            assert connector.account(bruno).active is False
            assert "already frozen" in connector.deactivate(bruno).answer
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True

    def test_frozen_and_thawed(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True) as (connector, _):
            connector.suspend(bruno)
            assert salesforce.accounts[bruno].status == "suspended"
            assert connector.suspend(bruno).answer == "already frozen"
            connector.reactivate(bruno)
            assert salesforce.accounts[bruno].status == "active"

    def test_somebody_frozen_and_deactivated_comes_back_whole(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        with organisation(salesforce, write=True) as (connector, _):
            connector.suspend(bruno)
            connector.deactivate(bruno)
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True

    def test_without_a_free_licence_nobody_comes_back(self, salesforce):
        salesforce.settings["licences_left"] = 0
        with organisation(salesforce, write=True) as (connector, _), pytest.raises(NotSupported, match="licence"):
            connector.reactivate(ids(salesforce)["Esra"])

    @pytest.mark.parametrize("verb", ["deactivate", "suspend"])
    def test_never_the_account_it_works_with(self, salesforce, verb):
        salesforce.settings["client_account"] = ids(salesforce)["Backup"]
        with organisation(salesforce, write=True) as (connector, _), pytest.raises(NotSupported, match="itself"):
            getattr(connector, verb)(ids(salesforce)["Backup"])
        assert salesforce.accounts[ids(salesforce)["Backup"]].status == "active"

    @pytest.mark.parametrize("account_id", ["../x", "005' OR Id != '", "", "005000000000001", "a" * 18])
    def test_ids_cannot_lead_elsewhere(self, salesforce, account_id):
        before = salesforce.state()
        with (
            organisation(salesforce, write=True) as (connector, _),
            contextlib.suppress(NotSupported, UnexpectedAnswer),
        ):
            connector.deactivate(account_id)
        assert salesforce.state() == before

    def test_the_reading_client_alone_changes_nothing(self, salesforce):
        secrets = {"token": salesforce.token, "write_token": salesforce.token}
        with (
            organisation(salesforce, write=True, secrets=secrets) as (connector, _),
            pytest.raises(AuthenticationFailed),
        ):
            connector.deactivate(ids(salesforce)["Bruno"])
        assert salesforce.accounts[ids(salesforce)["Bruno"]].status == "active"


class TestGrants:
    @pytest.mark.parametrize(
        ("one", "kind"), [(SET_GROUP, "permission_set_group"), (QUEUE, "queue"), (LICENCE, "licence"), (ROLE, "role")]
    )
    def test_are_taken_and_given_back(self, salesforce, one, kind):
        give(salesforce, "Bruno", one, "Something", kind)
        bruno = ids(salesforce)["Bruno"]

        def holds():
            return any(g.entitlement_id == one for g in salesforce.held(bruno))

        with organisation(salesforce, write=True) as (connector, _):
            connector.revoke_grant(bruno, one)
            assert not holds()
            connector.revoke_grant(bruno, one)
            connector.restore_grant(bruno, one)
            assert holds()
            connector.restore_grant(bruno, one)
            assert len([g for g in salesforce.held(bruno) if g.entitlement_id == one]) == 1

    def test_a_profile_cannot_be_taken(self, salesforce):
        with organisation(salesforce, write=True) as (connector, _), pytest.raises(NotSupported, match="exactly one"):
            connector.revoke_grant(ids(salesforce)["Bruno"], PROFILE)

    def test_what_is_held_through_another_group_is_not_taken(self, salesforce):
        give(salesforce, "Bruno", QUEUE, "Escalations", "queue", within=[OUTER])
        give(salesforce, "Gwen", OUTER, "All support", "group")
        with organisation(salesforce, write=True) as (connector, _):
            assert connector.revoke_grant(ids(salesforce)["Bruno"], OUTER).answer == "not held directly"


class TestSessionsAndTokens:
    def test_sessions_end(self, salesforce):
        bruno = ids(salesforce)["Bruno"]
        salesforce.accounts[bruno].more["sessions"] = ["0Ak000000000001AAA", "0Ak000000000002AAA"]
        with organisation(salesforce, write=True) as (connector, _):
            assert connector.end_sessions(bruno).answer == "2 sessions ended"
            assert salesforce.accounts[bruno].more["sessions"] == []
            assert connector.end_sessions(bruno).answer == "0 sessions ended"

    def test_oauth_tokens_are_listed_and_revoked_and_never_shown(self, salesforce, caplog):
        caplog.set_level(logging.DEBUG)
        ada = ids(salesforce)["Ada"]
        with organisation(salesforce, write=True) as (connector, _):
            [token] = connector.credentials(ada)
            assert (token.kind, token.name, token.last_used_at) == ("oauth_grant", "deploy", NOW - DAY)
            receipt = connector.revoke_credential(ada, token.credential_id)
            assert connector.credentials(ada) == []
            assert connector.revoke_credential(ada, token.credential_id).answer == "already gone"
        assert delete_token("cred-1") not in caplog.text + repr(token) + repr(receipt)

    def test_without_the_right_to_see_them_it_says_which_one(self, salesforce):
        salesforce.settings["unseen"] = ["OauthToken"]
        with organisation(salesforce) as (connector, _), pytest.raises(NotSupported, match="Customize Application"):
            connector.credentials(ids(salesforce)["Ada"])
