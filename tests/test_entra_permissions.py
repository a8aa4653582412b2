"""Entra: what licences and permissions let the connector read; what it may not read is unknown and said to be."""

import pytest

from connectors.kit.entra_check import CREDENTIALS, READ
from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed
from tests.entra_directory import Directory, checked_directory


@pytest.fixture
def directory():
    with checked_directory() as made:
        yield made


class TestLicences:
    def test_without_p1_last_use_is_unknown_and_everybody_is_read(self, directory):
        directory.application.settings["premium"] = False
        accounts, _, _, reading = directory.pulled()
        assert len(accounts) == 12
        assert {(a.last_seen_at, a.last_seen_known, a.mfa) for a in accounts.values()} == {(None, False, None)}
        assert "last sign-ins are unknown: the directory has no Entra ID P1 licence" in reading.notes
        assert "multi-factor methods are unknown: the directory has no Entra ID P1 licence" in reading.notes

    def test_a_missing_right_is_not_called_a_licence(self, directory):
        directory.application.settings["forbidden"] = "signInActivity|/reports/"
        accounts, _, _, reading = directory.pulled()
        assert len(accounts) == 12
        assert "last sign-ins are unknown: AuditLog.Read.All is missing" in reading.notes
        assert "multi-factor methods are unknown: AuditLog.Read.All is missing" in reading.notes

    def test_without_p2_roles_that_can_be_taken_up_are_unknown(self, directory):
        directory.application.settings["p2"] = False
        _, _, _, reading = directory.pulled()
        assert any("no Entra ID P2 licence" in note for note in reading.notes)

    def test_with_all_licences_nothing_is_left_to_say(self, directory):
        assert directory.pulled()[3].notes == []

    def test_pages_with_sign_ins_are_small(self, directory):
        directory.pulled()
        [seen] = [seen for seen in directory.asked("/v1.0/users") if "delta" not in seen.path]
        assert seen.query["$top"] == "120"
        assert "signInActivity" in seen.query["$select"]

    @pytest.mark.parametrize(
        ("forbidden", "words"),
        [("/groups", "GroupMember.Read.All"), ("/roleManagement", "RoleManagement"), ("/servicePrin", "Application.Read"),
         ("/roleEligibility", "RoleManagement")],
    )  # fmt: skip
    def test_what_may_not_be_read_is_unknown_and_said(self, directory, forbidden, words):
        directory.application.settings["forbidden"] = forbidden
        accounts, _, _, reading = directory.pulled()
        assert len(accounts) == 12
        assert any(words in note for note in reading.notes)
        assert accounts[directory.id("front")].privileged is (False if "servicePrin" in forbidden else None)


class TestChecking:
    def check(self, directory, **more):
        with directory.connect(write=False, **more) as connector:
            return connector.check()

    def test_the_least_permissions(self, directory):
        checked = self.check(directory)
        assert (checked.notes, checked.missing, checked.excess) == ((), (), ())

    def test_missing_and_too_much(self, directory):
        held = ["User.Read.All", "Group.Read.All", "Directory.ReadWrite.All", "Mail.Read"]
        directory.application.settings["permissions"] = held
        checked = self.check(directory)
        assert checked.excess == ("Directory.ReadWrite.All", "Group.Read.All", "Mail.Read")
        assert set(checked.missing) == {
            "Application.Read.All", "RoleManagement.Read.Directory", "AuditLog.Read.All", "ProvisioningLog.Read.All",
            "UserAuthenticationMethod.Read.All",
        }  # fmt: skip

    def test_none_at_all(self, directory):
        directory.application.settings["permissions"] = []
        assert self.check(directory).missing == (*READ, *CREDENTIALS)

    def test_says_that_there_is_no_licence(self, directory):
        directory.application.settings["premium"] = False
        assert any("Entra ID P1" in note for note in self.check(directory).notes)

    def test_a_wrong_secret(self, directory):
        with pytest.raises(AuthenticationFailed, match="invalid_client"):
            self.check(directory, secrets={"client_secret": "a-wrong-secret"})

    def test_an_application_that_may_read_nothing(self, directory):
        directory.application.settings["forbidden"] = "/users"
        with pytest.raises(AuthenticationFailed):
            self.check(directory)

    def test_a_token_that_tells_nothing(self, directory):
        def opaque(path, data):
            return {**data, "access_token": directory.application.token} if path.endswith("/token") else data

        directory.sandbox.faults["directory"] = Faults(mutate=opaque, paths="/token$")
        assert any("does not tell" in note for note in self.check(directory).notes)


def test_national_clouds_are_asked_for_tokens_of_their_own():
    directory = Directory()
    with directory.sandbox:
        directory.pulled()
        [seen] = directory.asked("/token", "POST")
    assert seen.path == "/nwl.example/oauth2/v2.0/token"
    assert seen.body["scope"] == "http://127.0.0.1/.default"
