"""Entra: accounts, groups, roles, applications and credentials are taken and given back, or it is said who decides."""

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, NotSupported
from tests.entra_directory import APP, GROUP, ROLE, checked_directory


@pytest.fixture
def directory():
    with checked_directory() as made:
        yield made


class TestActing:
    def test_disables_and_enables(self, directory):
        with directory.connect() as connector:
            connector.deactivate(directory.id("ada"))
            assert directory.people["ada"].status == "deactivated"
            assert "already" in connector.deactivate(directory.id("ada")).answer
            connector.reactivate(directory.id("ada"))
            assert directory.people["ada"].status == "active"
        assert [seen.body for seen in directory.asked("/users/", "PATCH")] == [
            {"accountEnabled": False}, {"accountEnabled": True},
        ]  # fmt: skip

    def test_an_account_from_active_directory_is_switched_there(self, directory):
        directory.people["ada"].more["on_premises"] = True
        with directory.connect() as connector, pytest.raises(NotSupported, match="comes from Active Directory"):
            connector.deactivate(directory.id("ada"))
        assert directory.asked("", "PATCH") == []

    def test_an_administrator_needs_more(self, directory):
        directory.application.settings["administrators_locked"] = True
        with directory.connect() as connector, pytest.raises(AuthenticationFailed, match="administrator"):
            connector.deactivate(directory.id("ada"))

    def test_deleted(self, directory):
        with directory.connect() as connector:
            assert connector.deactivate(directory.id("jun")).answer == "404, gone"
            with pytest.raises(NotSupported, match="30 days"):
                connector.reactivate(directory.id("jun"))

    def test_groups(self, directory):
        group = f"group:{directory.contractors}"
        with directory.connect() as connector:
            connector.revoke_grant(directory.id("hana"), group)
            assert directory.contractors not in directory.held("hana")
            assert connector.revoke_grant(directory.id("hana"), group).answer == "404, gone"
            connector.restore_grant(directory.id("hana"), group)
            assert directory.contractors in directory.held("hana")
            assert "already" in connector.restore_grant(directory.id("hana"), group).answer
            directory.holds(GROUP, "Outer", "group", groups=[directory.contractors])
            with pytest.raises(NotSupported, match="through another group"):
                connector.revoke_grant(directory.id("hana"), f"group:{GROUP}")

    @pytest.mark.parametrize(("more", "why"), [("dynamic", "a rule decides"), ("on_premises", "Active Directory")])
    def test_groups_that_something_else_decides_about(self, directory, more, why):
        directory.holds(GROUP, "All of sales", "group", ["ada"], **{more: True})
        with directory.connect() as connector:
            for change in (connector.revoke_grant, connector.restore_grant):
                with pytest.raises(NotSupported, match=why):
                    change(directory.id("ada"), f"group:{GROUP}")
        assert directory.asked("", "DELETE") == []

    def test_roles(self, directory):
        directory.holds(ROLE, "User Administrator", "role", ["ada", "hana"], eligible=[directory.id("front")])
        directory.application.entitlements[ROLE].more["scope_of"] = {directory.id("hana"): "/administrativeUnits/u1"}
        directory.holds(GROUP, "Helpers", "group", ["bruno"], roles=[ROLE])
        part = f"role:{ROLE}@/administrativeUnits/u1"
        with directory.connect() as connector:
            connector.revoke_grant(directory.id("ada"), f"role:{ROLE}")
            assert ROLE not in directory.held("ada")
            assert "not held" in connector.revoke_grant(directory.id("ada"), f"role:{ROLE}").answer
            connector.restore_grant(directory.id("ada"), f"role:{ROLE}")
            assert ROLE in directory.held("ada")
            assert "already" in connector.restore_grant(directory.id("ada"), f"role:{ROLE}").answer
            connector.revoke_grant(directory.id("hana"), part)
            assert ROLE not in directory.held("hana")
            connector.restore_grant(directory.id("hana"), part)  # over the same part, not over everything
            assert directory.asked("/roleAssignments", "POST")[-1].body["directoryScopeId"] == "/administrativeUnits/u1"
            with pytest.raises(NotSupported, match="through a group"):
                connector.revoke_grant(directory.id("bruno"), f"role:{ROLE}")
            with pytest.raises(NotSupported, match="privileged identity management"):
                connector.revoke_grant(directory.id("front"), f"eligible:{ROLE}")

    def test_applications(self, directory):
        directory.holds(APP, "Figma", "application", ["ada"], groups=[GROUP])
        directory.holds(GROUP, "Designers", "group", ["bruno"])
        with directory.connect() as connector:
            connector.revoke_grant(directory.id("ada"), f"app:{APP}")
            assert APP not in directory.held("ada")
            assert "not held" in connector.revoke_grant(directory.id("ada"), f"app:{APP}").answer
            connector.restore_grant(directory.id("ada"), f"app:{APP}")
            assert APP in directory.held("ada")
            with pytest.raises(NotSupported, match="through a group"):
                connector.revoke_grant(directory.id("bruno"), f"app:{APP}")

    def test_sessions(self, directory):
        with directory.connect() as connector:
            connector.end_sessions(directory.id("ada"))
        assert "signed_out_at" in directory.people["ada"].more

    def test_without_a_write_token_nothing_leaves(self, directory):
        with directory.connect(secrets={"client_secret": directory.application.token}) as connector:
            for change in (connector.deactivate, connector.reactivate, connector.end_sessions):
                with pytest.raises(NotSupported):
                    change(directory.id("ada"))
        assert directory.sandbox.requests == []

    def test_reads_leave_with_one_application_and_changes_with_the_other(self, directory):
        directory.options["write_client_id"] = "writer"
        with directory.connect() as connector:
            connector.deactivate(directory.id("ada"))
        used = {(seen.method, seen.credential) for seen in directory.sandbox.requests if "/v1.0/" in seen.path}
        assert used == {("GET", "token"), ("PATCH", "write_token")}
        assert [seen.body["client_id"] for seen in directory.asked("/token", "POST")] == ["reader", "writer"]


class TestCredentials:
    def test_consents_and_passes_are_listed_and_withdrawn(self, directory):
        directory.application.credentials[0].kind = "oauth_grant"
        with directory.connect() as connector:
            [consent] = connector.credentials(directory.id("ada"))
            assert (consent.kind, consent.name) == ("oauth_grant", "deploy: User.Read")
            [entry] = connector.credentials(directory.id("esra"))
            assert entry.kind == "token"
            for account, found in (("ada", consent), ("esra", entry)):
                connector.revoke_credential(directory.id(account), found.credential_id)
                assert connector.credentials(directory.id(account)) == []
            assert "not there" in connector.revoke_credential(directory.id("ada"), consent.credential_id).answer

    def test_where_neither_may_be_listed_nobody_can_tell(self, directory):
        directory.application.settings["forbidden"] = "oauth2PermissionGrants|/authentication/"
        with directory.connect() as connector, pytest.raises(AuthenticationFailed, match=r"Directory\.Read\.All"):
            connector.credentials(directory.id("ada"))

    @pytest.mark.parametrize("closed", ["oauth2PermissionGrants", "/authentication/"])
    def test_nobody_says_that_nothing_is_left_who_was_shown_only_a_part(self, directory, closed):
        directory.application.settings["forbidden"] = closed
        with directory.connect() as connector, pytest.raises(AuthenticationFailed, match="whether any is left"):
            connector.credentials(directory.id("farid"))

    def test_a_sign_in_that_cannot_be_read_is_not_never(self, directory):
        def spoil(path, data):
            for row in data.get("value", ()) if path.endswith("/users") else ():
                row["signInActivity"] = "2026-11-20T08:00:00Z"
            return data

        directory.sandbox.faults[directory.application.name] = Faults(mutate=spoil)
        accounts, *_ = directory.pulled()
        assert {(a.last_seen_at, a.last_seen_known) for a in accounts.values()} == {(None, False)}
