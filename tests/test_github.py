"""GitHub: a plain organisation and one with managed users, over real HTTP."""

import dataclasses
from datetime import timedelta

import pytest

from connectors.sandbox.github_shapes import scim_id
from connectors.sandbox.model import SandboxAccount
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    LastPrivilegedAccount,
    NotSupported,
    ProtectedAccount,
)
from governance.records import Account
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


class TestAPlainOrganisation:
    def test_members_collaborators_and_invitations_are_accounts(self, plain):
        accounts, _, grants, _ = plain.pulled()
        farid = f"invitation:{plain.people['farid'].id}"
        assert set(accounts) == {
            plain.id(n) for n in ("ada", "bruno", "chioma", "hana", "build", "backup", "front")
        } | {farid}
        assert accounts[plain.id("bruno")] == Account(
            application="one",
            account_id="bruno-berg",
            username="bruno-berg",
            email="bruno.berg@nwl.example",
            external_id=scim_id(plain.people["bruno"].id),
            active=True,
            mfa=False,
            privileged=True,
        )
        assert accounts[plain.id("hana")].kind == "guest"
        assert (accounts[farid].email, accounts[farid].last_seen_known, accounts[farid].active) == (
            "farid.falk@nwl.example", True, True,
        )  # fmt: skip
        assert accounts[farid].created_at == plain.people["farid"].created_at
        assert grants[farid, "role:member"].how == "direct"

    def test_owners_teams_and_roles_are_held(self, plain):
        team = plain.application.entitlements[plain.everyone]
        team.more |= {"ranks": {plain.people["ada"].id: "maintainer"}, "inherited": [plain.people["build"].id]}
        accounts, entitlements, grants, _ = plain.pulled()
        ada, bruno, build = plain.id("ada"), plain.id("bruno"), plain.id("build")
        given = [(ada, "role:owner"), (bruno, "role:member"), (bruno, "orgrole:1")]
        assert {grants[key].how for key in given} == {"direct"}
        assert grants[ada, "team:everyone:maintainer"].how == "direct"
        assert grants[build, "team:everyone"].how == "group"
        assert entitlements["team:everyone:maintainer"].name == "Everyone (maintainer)"
        assert (accounts[ada].privileged, accounts[plain.id("chioma")].privileged) == (True, False)

    def test_last_use_is_that_of_credentials_and_unknown_without(self, plain):
        quiet = dataclasses.replace(PLAIN, options=lambda url: {**PLAIN.options(url), "audit_log_pages": 0})
        accounts, _, _, reading = plain.pulled(quiet)
        ada, bruno = accounts[plain.id("ada")], accounts[plain.id("bruno")]
        assert (ada.last_seen_at, ada.last_seen_known) == (NOW - timedelta(days=1), True)
        assert (bruno.last_seen_at, bruno.last_seen_known) == (None, False)
        assert "last use is that of tokens and keys; who has none of them is unknown by these" in reading.notes
        assert not [s for s in plain.sandbox.requests if s.path.endswith("/audit-log")]

    def test_what_somebody_did_is_a_use_and_a_try_to_sign_in_is_none(self, plain):
        plain.application.credentials.clear()
        for _ in range(150):  # more than one page
            plain.application.record("token_used", plain.people["front"].id, plain.people["front"].id, at=NOW)
        accounts, _, _, reading = plain.pulled()
        assert accounts[plain.id("ada")].last_seen_at == NOW - timedelta(days=3)  # an answer of SAML came later
        assert accounts[plain.id("front")].last_seen_at == NOW
        assert accounts[plain.id("bruno")].last_seen_known is False  # only failed
        assert "last use is also from the newest entries of the audit log, back to 14 Nov 2026" in reading.notes

    def test_what_a_plan_hides_is_unknown_and_said(self, plain):
        plain.settings |= {"plan": "team", "saml": False, "not_owner": True}
        accounts, _, grants, reading = plain.pulled()
        assert len(accounts) == 8
        assert {a.mfa for a in accounts.values()} == {None}
        assert not [a for a in accounts.values() if a.last_seen_at]
        assert accounts[plain.id("ada")].privileged is True
        assert accounts[plain.id("chioma")].privileged is None
        assert not [e for _, e in grants if e.startswith("orgrole:")]
        for words in (
            "last use of tokens and keys is not told",
            "organisation roles are not told",
            "two-factor authentication is told",
        ):
            assert any(words in note for note in reading.notes), words

    def test_graphql_refused_costs_the_addresses_only(self, plain):
        plain.settings["graphql_error"] = "FORBIDDEN"
        accounts, _, _, reading = plain.pulled()
        assert accounts[plain.id("bruno")].email is None
        assert any("identity provider is not told" in note for note in reading.notes)

    def test_a_token_of_somebody_outside_is_refused_before_it_shows_half_of_the_members(self, plain):
        plain.settings["stranger"] = True
        with plain.connect(write=False) as connector, pytest.raises(AuthenticationFailed, match="only public members"):
            list(connector.records())

    def test_nobody_can_be_switched_off_and_the_words_say_what_to_do(self, plain):
        with plain.connect() as connector:
            for name in ("bruno", "hana"):
                with pytest.raises(NotSupported, match=r"only remove them.*People > Remove from organisation"):
                    connector.deactivate(plain.id(name))
            with pytest.raises(NotSupported, match="invites them anew"):
                connector.reactivate(plain.id("esra"))
            with pytest.raises(NotSupported, match="People > Invitations"):
                connector.deactivate(f"invitation:{plain.people['farid'].id}")
        assert not [s for s in plain.sandbox.requests if s.method in ("DELETE", "PATCH", "PUT")]

    def test_one_account_is_read_again(self, plain):
        with plain.connect(write=False) as connector:
            assert connector.account(plain.id("ada")).privileged is True
            assert connector.account(plain.id("hana")).kind == "guest"
            assert connector.account(f"invitation:{plain.people['farid'].id}").active is True
            assert connector.account("invitation:1") is None
            assert connector.account("nobody") is None

    def test_a_hundred_and_one_members_are_two_pages_and_the_link_stays_here(self, plain):
        for number in range(2_000_000, 2_000_101):
            plain.application.accounts[str(number)] = SandboxAccount(str(number), f"p{number}", None, "P", str(number))
        accounts, _, _, reading = plain.pulled()
        assert len(accounts) == 109
        asked = [s.query.get("page") for s in plain.sandbox.requests if s.path == "/orgs/nwl/members"]
        assert "2" in asked
        assert reading.rows_read == reading.kept == 109

    def test_an_organisation_that_is_not_there_says_so(self, plain):
        elsewhere = dataclasses.replace(PLAIN, options=lambda url: {"base_url": url, "organization": "other"})
        with plain.connect(elsewhere, write=False) as connector, pytest.raises(AuthenticationFailed, match="public"):
            connector.check()


class TestManagedUsers:
    def test_suspended_accounts_are_read_under_the_same_id(self, managed):
        accounts, _, grants, _ = managed.pulled()
        assert len(accounts) == 11
        esra = accounts[managed.id("esra")]
        assert (esra.active, esra.email) == (False, "esra.ek@nwl.example")
        bruno = accounts[managed.id("bruno")]
        assert (bruno.username, bruno.external_id) == ("bruno-berg_nwl", "ext-1")
        assert bruno.created_at == managed.people["bruno"].created_at
        assert bruno.mfa is None  # the identity provider's business
        assert accounts[managed.id("hana")].kind == "guest"
        assert grants[managed.id("ada"), "role:owner"].how == "direct"

    def test_identities_over_openid_connect_are_found_too(self, managed):
        managed.settings["oidc"] = True
        _, _, grants, _ = managed.pulled()
        assert grants[managed.id("ada"), "role:owner"].how == "direct"

    def test_who_is_not_linked_is_an_account_by_login(self, managed):
        managed.people["build"].more["unlinked"] = True
        accounts, _, _, _ = managed.pulled()
        assert accounts[managed.login("build")].active is True
        assert accounts[managed.id("build")].privileged is None

    def test_without_the_links_ids_would_change_so_nothing_is_read(self, managed):
        managed.settings["graphql_error"] = "INSUFFICIENT_SCOPES"
        with (
            managed.connect(write=False) as connector,
            pytest.raises(AuthenticationFailed, match="INSUFFICIENT_SCOPES"),
        ):
            list(connector.records())

    def test_roles_of_the_enterprise_are_held(self, managed):
        managed.people["bruno"].more["enterprise_roles"] = ["owner", "member"]
        accounts, entitlements, grants, _ = managed.pulled()
        assert grants[managed.id("bruno"), "enterprise:owner"].how == "direct"
        assert entitlements["enterprise:owner"].privileged is True
        assert accounts[managed.id("bruno")].privileged is True

    def test_suspending_hides_the_login_and_still_can_be_undone(self, managed):
        bruno = managed.id("bruno")
        with managed.connect() as connector:
            connector.deactivate(bruno)
            assert managed.people["bruno"].status == "suspended"
            assert connector.account(bruno).active is False
            connector.reactivate(bruno)
            assert connector.account(bruno).active is True
        # The specification's schema of this request contradicts its own example, which is what is sent.
        sent = [s.body["Operations"] for s in managed.sandbox.requests if s.method == "PATCH"]
        assert sent == [[{"op": "replace", "path": "active", "value": v}] for v in (False, True)]

    def test_the_last_owner_stays(self, managed):
        with managed.connect() as connector:
            connector.deactivate(managed.id("backup"))
            with pytest.raises(LastPrivilegedAccount, match="ada-amaral_nwl is the only owner"):
                connector.deactivate(managed.id("ada"))
            with pytest.raises(LastPrivilegedAccount, match="is the only owner"):
                connector.revoke_grant(managed.id("ada"), "role:owner")
        assert managed.people["ada"].status == "active"

    def test_whoever_made_the_token_stays(self, managed):
        managed.settings["maker"] = managed.login("bruno")
        with managed.connect() as connector, pytest.raises(ProtectedAccount, match="made the write_token"):
            connector.deactivate(managed.id("bruno"))
        assert managed.people["bruno"].status == "active"

    @pytest.mark.parametrize(
        ("options", "words"), [({"enterprise": None}, "needs enterprise"), ({"managed": "yes"}, "true or false")]
    )
    def test_half_a_configuration_is_a_mistake(self, managed, options, words):
        def told(url):
            return {k: v for k, v in {**MANAGED.options(url), **options}.items() if v is not None}

        broken = dataclasses.replace(MANAGED, options=told)
        with pytest.raises(ConfigurationError, match=words), managed.connect(broken):
            pass
