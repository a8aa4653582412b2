"""GitHub: a plain organisation and one with managed users, over real HTTP."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.faults import Faults
from connectors.sandbox.github_shapes import scim_id
from connectors.sandbox.model import SandboxAccount, SandboxCredential, SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    IncompleteFeed,
    LastPrivilegedAccount,
    NotSupported,
    ProtectedAccount,
    RateLimited,
)
from governance.records import Account, Entitlement, Grant
from tests.keys import private_key, public_key
from tests.replay_server import Recorded, ReplayServer
from tests.sandbox_company import NOW, small_application
from tests.specs import SpecCheck
from tests.tenancy import connected
from tests.tenants.github import TENANT as MANAGED

PLAIN = dataclasses.replace(
    MANAGED,
    options=lambda url: {"base_url": url, "organization": "nwl"},
    prepare=lambda application: None,
)
# Not in the trimmed specification: how teams and roles are given, and the token of an App.
BEYOND_THE_SPEC = (("PUT", "/teams/"), ("PUT", "/organization-roles/"), ("POST", "/app/"), ("POST", "/graphql"))


class Organisation:
    """The twelve in an organisation, with a role of it and authorised credentials."""

    def __init__(self, tenant):
        self.tenant = tenant
        self.managed = tenant is MANAGED
        self.application = small_application(tenant.vendor, "organisation")
        tenant.prepare(self.application)
        self.settings = self.application.settings
        self.people = {account.given.lower(): account for account in self.application.accounts.values()}
        self.owners, self.everyone, self.contractors = self.application.entitlements
        auditor = SandboxEntitlement("5000009", "all_repo_read", "role", more={"orgrole": True})
        self.application.entitlements[auditor.id] = auditor
        self.application.grants.append(SandboxGrant(self.people["bruno"].id, auditor.id, NOW))
        self.sandbox = Sandbox([self.application])

    def id(self, name):
        account = self.people[name]
        return scim_id(account.id) if self.managed else self.login(name)

    def login(self, name):
        account = self.people[name]
        return f"{account.given}-{account.family}".lower() + ("_nwl" if self.managed else "")

    def connect(self, tenant=None, write=True, **given):
        return connected(tenant or self.tenant, self.sandbox, self.application, write=write, **given)

    def pulled(self, tenant=None):
        with self.connect(tenant, write=False) as connector:
            records = list(connector.records())
        return (
            {r.account_id: r for r in records if isinstance(r, Account)},
            {r.entitlement_id: r for r in records if isinstance(r, Entitlement)},
            {(r.account_id, r.entitlement_id): r.how for r in records if isinstance(r, Grant)},
            connector.reading,
        )


def _running(tenant):
    made = Organisation(tenant)
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and part in seen.path for verb, part in BEYOND_THE_SPEC)
            and not (seen.path.endswith("/ServiceProviderConfig") or seen.method == "PATCH")
        ]  # fmt: skip
        assert SpecCheck("github").problems(asked) == []


@pytest.fixture
def plain():
    yield from _running(PLAIN)


@pytest.fixture
def managed():
    yield from _running(MANAGED)


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
        assert grants[farid, "role:member"] == "direct"

    def test_owners_teams_and_roles_are_held(self, plain):
        team = plain.application.entitlements[plain.everyone]
        team.more |= {"ranks": {plain.people["ada"].id: "maintainer"}, "inherited": [plain.people["build"].id]}
        accounts, entitlements, grants, _ = plain.pulled()
        ada, bruno, build = plain.id("ada"), plain.id("bruno"), plain.id("build")
        assert grants[ada, "role:owner"] == grants[bruno, "role:member"] == grants[bruno, "orgrole:1"] == "direct"
        assert grants[ada, "team:everyone:maintainer"] == "direct"
        assert grants[build, "team:everyone"] == "group"
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
        assert "last use is also from the newest entries of the audit log, back to 2026-11-14" in reading.notes

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
        assert grants[managed.id("ada"), "role:owner"] == "direct"

    def test_identities_over_openid_connect_are_found_too(self, managed):
        managed.settings["oidc"] = True
        _, _, grants, _ = managed.pulled()
        assert grants[managed.id("ada"), "role:owner"] == "direct"

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
        assert grants[managed.id("bruno"), "enterprise:owner"] == "direct"
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
            with plain.connect(spent, write=False, deadline_s=3.0) as connector, pytest.raises(RateLimited) as caught:
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
