"""GitHub: teams, roles and credentials are taken and given back in both kinds of organisation; its log tells of it."""

from datetime import timedelta

import pytest

from connectors.sandbox.model import SandboxCredential
from governance.errors import NotSupported
from tests.github_organisations import checked_organisation
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


@pytest.mark.parametrize("kind", ["plain", "managed"])
class TestGrantsAndCredentials:
    def test_a_team_is_taken_and_given_back_with_its_rank(self, kind, request):
        org = request.getfixturevalue(kind)
        team, bruno = org.application.entitlements[org.everyone], org.people["bruno"]
        team.more["ranks"] = {bruno.id: "maintainer"}
        with org.connect() as connector:
            connector.revoke_grant(org.id("bruno"), "team:everyone:maintainer")
            assert bruno.id not in {g.account_id for g in org.application.holders(team.id)}
            assert connector.revoke_grant(org.id("bruno"), "team:everyone:maintainer").answer == "404, was so already"
            connector.restore_grant(org.id("bruno"), "team:everyone:maintainer")
        assert bruno.id in {g.account_id for g in org.application.holders(team.id)}
        assert team.more["ranks"][bruno.id] == "maintainer"

    def test_owners_and_roles_are_taken_and_given_back(self, kind, request):
        org = request.getfixturevalue(kind)
        backup, bruno = org.people["backup"], org.people["bruno"]
        with org.connect() as connector:
            connector.revoke_grant(org.id("backup"), "role:owner")
            assert not org.application.privileged(backup.id)
            connector.restore_grant(org.id("backup"), "role:owner")
            assert org.application.privileged(backup.id)
            connector.revoke_grant(org.id("bruno"), "orgrole:1")
            assert org.application.holders("5000009") == []
            connector.restore_grant(org.id("bruno"), "orgrole:1")
            assert [g.account_id for g in org.application.holders("5000009")] == [bruno.id]
            with pytest.raises(NotSupported, match="an owner does under People"):
                connector.revoke_grant(org.id("bruno"), "role:member")

    def test_a_team_of_the_identity_provider_is_a_person_s_task(self, kind, request):
        org = request.getfixturevalue(kind)
        org.application.entitlements[org.everyone].more["synced"] = True
        with org.connect() as connector, pytest.raises(NotSupported, match="come from the identity provider"):
            connector.revoke_grant(org.id("bruno"), "team:everyone")

    def test_what_still_opens_an_account_is_listed_and_withdrawn(self, kind, request):
        org = request.getfixturevalue(kind)
        key = SandboxCredential(
            "k", org.people["ada"].id, "ssh_key", "laptop", NOW - timedelta(days=9), None, NOW + timedelta(days=9)
        )
        org.application.credentials.append(key)
        with org.connect() as connector:
            found = connector.credentials(org.id("ada"))
            assert [(c.account_id, c.kind, c.name) for c in found] == [
                (org.id("ada"), "token", "deploy"), (org.id("ada"), "ssh_key", "laptop"),
            ]  # fmt: skip
            assert (found[0].last_used_at, found[1].last_used_at) == (NOW - timedelta(days=1), None)
            assert found[1].expires_at == NOW + timedelta(days=9)
            connector.revoke_credential(org.id("ada"), found[0].credential_id)
            assert [c.kind for c in connector.credentials(org.id("ada"))] == ["ssh_key"]
            assert connector.revoke_credential(org.id("ada"), found[0].credential_id).answer == "404, was so already"
            org.settings["saml"] = False
            if kind == "plain":
                with pytest.raises(NotSupported, match="Enterprise Cloud with SAML"):
                    connector.credentials(org.id("ada"))

    def test_nothing_is_written_without_leave(self, kind, request):
        org = request.getfixturevalue(kind)
        with org.connect(write=False) as connector:
            for call in (
                lambda: connector.deactivate(org.id("bruno")),
                lambda: connector.revoke_grant(org.id("bruno"), "team:everyone"),
                lambda: connector.revoke_credential(org.id("bruno"), "1"),
            ):
                with pytest.raises(NotSupported, match="read-only"):
                    call()
        assert org.sandbox.requests == []

    def test_events_in_our_words_oldest_first(self, kind, request):
        org = request.getfixturevalue(kind)
        with org.connect(write=False) as connector:
            events = list(connector.events(NOW - timedelta(days=30), None))
            mark = connector.mark
        told = {(e.kind, e.account_id, e.actor, e.success, e.target) for e in events}
        ada = org.login("ada")
        signed_in = True if kind == "managed" else None  # an answer of SAML tells of a try, not how it ended
        assert ("sign_in", org.id("ada"), ada, signed_in, None) in told
        assert ("sign_in_failed", org.id("bruno"), org.login("bruno"), False, None) in told
        assert ("granted", org.id("bruno"), ada, True, "team:everyone") in told
        assert ("revoked", org.id("bruno"), ada, True, "team:contractors") in told
        assert [e.at for e in events] == sorted(e.at for e in events)
        assert mark == str(int((NOW - timedelta(days=1)).timestamp() * 1000))
        with org.connect(write=False) as connector:
            assert {e.kind for e in connector.events(NOW - timedelta(days=30), mark)} == {"sign_in"}

    def test_without_an_audit_log_there_are_none_and_it_is_said(self, kind, request):
        org = request.getfixturevalue(kind)
        org.settings["plan"] = "team"
        with org.connect(write=False) as connector:
            assert list(connector.events(NOW - timedelta(days=30), "7")) == []
            assert connector.mark == "7"
            assert any("needs Enterprise Cloud" in note for note in connector.reading.notes)
