"""Google Workspace: what the Admin SDK's own manners do to what is read and changed, over real HTTP."""

import contextlib
import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.google_workspace import READ_SCOPES, WRITE_SCOPES
from connectors.kit.google_calls import SCOPE
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxCredential
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    LastPrivilegedAccount,
    NotSupported,
    ProtectedAccount,
    RateLimited,
)
from governance.records import Account
from tests.keys import public_key
from tests.sandbox_company import NOW
from tests.specs import SpecCheck
from tests.tenancy import connected
from tests.tenants.google_workspace import TENANT
from tests.twelve import Twelve

# Written by us, not in the trimmed specification; they are in the discovery document of the Admin SDK.
BEYOND_THE_SPEC = {("POST", "members"), ("POST", "roleassignments"), ("DELETE", "asps")}


class Customer(Twelve):
    """The twelve, with groups, roles and credentials of Google's kind."""

    def __init__(self):
        super().__init__(TENANT, "customer")

    def add_group(self, group_id, name, holders=(), **more):
        self.holds(group_id, name, "group", holders, **more)


@pytest.fixture
def customer():
    made = Customer()
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and f"/{part}" in seen.path for verb, part in BEYOND_THE_SPEC)
        ]  # fmt: skip
        assert SpecCheck(TENANT.vendor, free=TENANT.spec_free).problems(asked) == []


class TestReading:
    def test_never_differs_from_unknown(self, customer):
        accounts, _, _, _ = customer.pulled()
        ada, chioma = accounts[customer.id("ada")], accounts[customer.id("chioma")]
        assert (ada.last_seen_at, ada.last_seen_known) == (NOW - timedelta(days=1), True)
        assert (chioma.last_seen_at, chioma.last_seen_known) == (None, True)
        customer.sandbox.faults["customer"] = Faults(
            paths="/users$",
            mutate=lambda _, data: {**data, "users": [_without(u, "lastLoginTime") for u in data.get("users", ())]},
        )
        accounts, _, _, _ = customer.pulled()
        assert {(a.last_seen_at, a.last_seen_known) for a in accounts.values()} == {(None, False)}

    def test_everything_google_tells_arrives(self, customer):
        accounts, _, _, reading = customer.pulled()
        bruno = customer.people["bruno"]
        assert accounts[bruno.id] == Account(
            application="one",
            account_id=bruno.id,
            username="bruno.berg@nwl.example",
            email="bruno.berg@nwl.example",
            display_name="Bruno Berg",
            employee_id="E1001",
            active=True,
            last_seen_at=NOW - timedelta(days=40),
            last_seen_known=True,
            created_at=NOW - timedelta(days=401),
            mfa=False,
            privileged=False,
            department="Engineering",
            title="Engineer",
        )
        assert accounts[customer.id("hana")].kind == "guest"
        assert accounts[customer.id("chioma")].mfa is None
        assert accounts[customer.id("ada")].privileged is True
        assert (reading.rows_read, reading.kept) == (12, 12)

    def test_archived_and_deleted_accounts_cannot_sign_in(self, customer):
        customer.people["gwen"].status = "active"
        customer.people["gwen"].more["archived"] = True
        accounts, _, _, _ = customer.pulled()
        assert accounts[customer.id("gwen")].active is False
        assert accounts[customer.id("jun")].active is False

    def test_groups_inside_groups_are_followed_also_in_a_ring(self, customer):
        customer.add_group("inner", "Inner", ["hana"], members=["outer"])
        customer.add_group("outer", "Outer", ["ada"], members=["inner"], ranks={customer.id("ada"): "OWNER"})
        customer.application.entitlements[customer.admins].more["groups"] = ["outer"]
        accounts, entitlements, grants, _ = customer.pulled()
        ada, hana = customer.id("ada"), customer.id("hana")
        assert grants[ada, "group:outer:owner"].how == "direct"
        assert entitlements["group:outer:owner"].name == "Outer (owner)"
        assert grants[hana, "group:inner"].how == "direct"
        assert grants[hana, "group:outer"].how == "group"
        assert grants[ada, "group:inner"].how == "group"
        # A group with a role lends it to everybody in it, and is privileged itself.
        assert grants[hana, f"role:{customer.admins}"].how == "group"
        assert entitlements["group:outer"].privileged is True
        assert accounts[hana].privileged is True

    def test_a_group_of_everybody_is_said_and_not_written_out(self, customer):
        customer.add_group("all", "All", everybody=True)
        _, _, grants, reading = customer.pulled()
        assert not [g for g in grants if g[1] == "group:all"]
        assert "1 groups hold every account of the customer; that is not written out" in reading.notes

    def test_a_role_for_one_unit_is_an_entitlement_of_its_own(self, customer):
        customer.application.entitlements[customer.admins].more["unit"] = "03ph8a2z"
        _, entitlements, grants, _ = customer.pulled()
        assert grants[customer.id("ada"), f"role:{customer.admins}@03ph8a2z"].how == "direct"
        assert entitlements[f"role:{customer.admins}@03ph8a2z"].name == "Administrators (one organisational unit)"

    def test_scopes_that_are_not_delegated_cost_a_detail_and_are_said(self, customer):
        customer.application.settings["delegated"] = [READ_SCOPES[0]]
        accounts, entitlements, grants, reading = customer.pulled()
        assert len(accounts) == 12
        assert set(entitlements) == {"admin:super", "admin:delegated"}
        assert {a for a, _ in grants} == {customer.id("ada"), customer.id("backup")}
        assert accounts[customer.id("ada")].privileged is True
        assert accounts[customer.id("bruno")].privileged is False
        assert len([n for n in reading.notes if "not delegated" in n]) == 2

    def test_a_quota_refused_with_403_is_waited_out(self, customer):
        customer.application.settings["quota"] = 2
        accounts, _, _, _ = customer.pulled()
        assert len(accounts) == 12

    def test_a_quota_that_stays_used_up_says_so(self, customer):
        customer.application.settings["quota"] = 10**6
        with customer.connect(write=False, deadline_s=3.0) as connector, pytest.raises(RateLimited, match="too many"):
            list(connector.records())


def _without(data, key):
    return {k: v for k, v in data.items() if k != key}


class TestProvingTheCredential:
    def test_what_is_missing_and_what_is_too_much(self, customer):
        customer.application.settings |= {
            "writer": "writer@leaverwatch-test.example",
            "delegated": [*READ_SCOPES[:2], WRITE_SCOPES[0]],
        }
        with customer.connect(write=False) as connector:
            checked = connector.check()
        assert checked.missing == tuple(SCOPE + s for s in READ_SCOPES[2:])
        assert checked.excess == (SCOPE + WRITE_SCOPES[0],)
        assert "own_account" in checked.notes[0]
        assert "admin@nwl.example" in checked.notes[0]

    def test_a_foreign_key_is_refused(self, customer):
        customer.application.settings["service_accounts"]["reader@leaverwatch-test.example"] = public_key("other")
        with customer.connect(write=False) as connector, pytest.raises(AuthenticationFailed, match="invalid_grant"):
            connector.check()

    def test_nothing_delegated_is_refused_by_name(self, customer):
        customer.application.settings["delegated"] = []
        with (
            customer.connect(write=False) as connector,
            pytest.raises(AuthenticationFailed, match="unauthorized_client"),
        ):
            list(connector.records())

    @pytest.mark.parametrize(
        "key", ["", "no json", "[]", '{"client_email": "x"}', '{"client_email": "x", "private_key": "y"}']
    )
    def test_a_key_that_is_none_is_a_mistake_of_the_configuration(self, customer, key):
        broken = dataclasses.replace(TENANT, secrets=lambda _: {"token": key})
        with (
            pytest.raises(ConfigurationError, match="token"),
            connected(broken, customer.sandbox, customer.application),
        ):
            pass

    def test_the_key_goes_to_no_other_place_than_configured(self, customer):
        told = json.loads(TENANT.secrets(customer.application)["token"])
        told["token_uri"] = "http://127.0.0.1:9/steal"
        moved = dataclasses.replace(TENANT, secrets=lambda _: {"token": json.dumps(told)})
        with connected(moved, customer.sandbox, customer.application) as connector:
            assert len([r for r in connector.records() if isinstance(r, Account)]) == 12


class TestWhatHappened:
    def test_events_in_our_words_with_the_account_they_are_about(self, customer):
        customer.application.record("sso", customer.id("ada"), customer.id("ada"), at=NOW, target="Wiki")
        with customer.connect(write=False) as connector:
            events = list(connector.events(NOW - timedelta(days=30), None))
        told = {(e.kind, e.account_id, e.actor, e.success, e.target) for e in events}
        ada, bruno, farid, esra = (customer.id(n) for n in ("ada", "bruno", "farid", "esra"))
        assert ("sign_in", ada, "ada.amaral@nwl.example", True, None) in told
        assert ("sign_in_failed", bruno, "bruno.berg@nwl.example", False, None) in told
        assert ("created", farid, "ada.amaral@nwl.example", True, None) in told
        assert ("deactivated", esra, "ada.amaral@nwl.example", True, None) in told
        assert ("granted", bruno, "ada.amaral@nwl.example", True, "everyone@nwl.example") in told
        assert ("sso", ada, "ada.amaral@nwl.example", True, "Wiki") in told
        assert len({e.event_id for e in events}) == len(events) == 9

    def test_an_address_that_was_given_away_anew_is_whose_it_was_then(self, customer):
        jun, chioma = customer.people["jun"], customer.people["chioma"]
        chioma.username, chioma.created_at = jun.username, NOW - timedelta(days=5)
        for days in (7, 2):
            customer.application.record("deactivated", jun.id, customer.id("ada"), at=NOW - timedelta(days=days))
        with customer.connect(write=False) as connector:
            events = [e for e in connector.events(NOW - timedelta(days=30), None) if e.kind == "deactivated"]
        told = {e.at: e.account_id for e in events}
        assert told[NOW - timedelta(days=7)] == jun.id
        assert told[NOW - timedelta(days=2)] == chioma.id

    def test_what_came_late_is_read_again(self, customer):
        with customer.connect(write=False) as connector:
            list(connector.events(NOW - timedelta(days=30), None))
            mark = connector.mark
        late = customer.application.record(
            "sign_in", customer.id("gwen"), customer.id("gwen"), at=NOW - timedelta(days=1, hours=5)
        )
        with customer.connect(write=False) as connector:
            second = list(connector.events(NOW - timedelta(days=30), mark))
        assert {(e.account_id, e.at) for e in second} >= {(customer.id("gwen"), late.at)}
        asked = [s.query["startTime"] for s in customer.sandbox.requests if s.path.endswith("/login")]
        assert datetime.fromisoformat(asked[-1]) == NOW - timedelta(days=1, hours=6)

    def test_no_more_than_google_keeps_is_asked_for(self, customer):
        with customer.connect(write=False) as connector:
            list(connector.events(datetime(2020, 1, 1, tzinfo=UTC), None))
        starts = {s.query["startTime"] for s in customer.sandbox.requests if "startTime" in s.query}
        assert min(datetime.fromisoformat(s) for s in starts) >= NOW - timedelta(days=180)

    def test_unknown_events_are_counted(self, customer):
        customer.application.record("updated", customer.id("ada"), customer.id("ada"), at=NOW)
        with customer.connect(write=False) as connector:
            list(connector.events(NOW - timedelta(days=1, hours=1), None))
            assert "event admin/CHANGE_USER_ORGANIZATION: 1 left out" in connector.reading.notes

    def test_without_the_scope_there_are_none_and_it_is_said(self, customer):
        customer.application.settings["delegated"] = list(READ_SCOPES[:4])
        with customer.connect(write=False) as connector:
            assert list(connector.events(NOW - timedelta(days=30), None)) == []
            assert any("scope for reports" in note for note in connector.reading.notes)


class TestChanging:
    def test_the_last_super_administrator_stays(self, customer):
        with customer.connect() as connector:
            connector.deactivate(customer.id("backup"))
            with pytest.raises(LastPrivilegedAccount, match=r"ada\.amaral@nwl\.example is the only active super"):
                connector.deactivate(customer.id("ada"))
        assert customer.people["ada"].status == "active"

    def test_the_administrator_that_is_acted_as_stays(self, customer):
        customer.people["bruno"].username = "Admin@nwl.example"
        with (
            customer.connect() as connector,
            pytest.raises(ProtectedAccount, match="the administrator Leaverwatch acts as"),
        ):
            connector.deactivate(customer.id("bruno"))
        assert customer.people["bruno"].status == "active"

    def test_an_administrator_needs_a_super_administrator(self, customer):
        customer.application.settings["super_admins_protected"] = True
        with customer.connect() as connector, pytest.raises(NotSupported, match="only a super administrator suspend"):
            connector.deactivate(customer.id("backup"))

    def test_what_only_the_console_can_do_is_said(self, customer):
        customer.people["dmitri"].more["archived"] = True
        with customer.connect() as connector:
            with pytest.raises(NotSupported, match="is archived; bringing it back needs a free licence"):
                connector.reactivate(customer.id("dmitri"))
            with pytest.raises(NotSupported, match="within 20 days"):
                connector.reactivate(customer.id("jun"))
            assert connector.deactivate(customer.id("jun")).answer == "404, gone"
            assert connector.account(customer.id("jun")) is None

    def test_a_group_is_taken_and_given_back_with_its_rank(self, customer):
        customer.add_group("board", "Board", ["hana"], ranks={customer.id("hana"): "OWNER"})
        hana = customer.id("hana")
        with customer.connect() as connector:
            connector.revoke_grant(hana, "group:board:owner")
            assert customer.application.holders("board") == []
            assert connector.revoke_grant(hana, "group:board:owner").answer == "404, was so already"
            connector.restore_grant(hana, "group:board:owner")
            assert connector.restore_grant(hana, "group:board:owner").answer == "409, was so already"
        assert [g.account_id for g in customer.application.holders("board")] == [hana]
        assert customer.application.entitlements["board"].more["ranks"][hana] == "OWNER"

    @pytest.mark.parametrize("unit", [None, "03ph8a2z"])
    def test_a_role_is_taken_and_given_back_for_its_unit(self, customer, unit):
        if unit:
            customer.application.entitlements[customer.admins].more["unit"] = unit
        ada, role = customer.id("ada"), f"role:{customer.admins}" + (f"@{unit}" if unit else "")
        with customer.connect() as connector:
            connector.revoke_grant(ada, role)
            assert not customer.application.privileged(ada)
            assert connector.revoke_grant(ada, role).answer == "not assigned directly"
            connector.restore_grant(ada, role)
            assert connector.restore_grant(ada, role).answer == "is assigned already"
        assert customer.application.privileged(ada)
        given = [s.body for s in customer.sandbox.requests if s.method == "POST" and s.path.endswith("roleassignments")]
        assert [b.get("orgUnitId") for b in given] == [unit]

    def test_groups_that_a_rule_fills_are_a_person_s_task(self, customer):
        customer.application.settings["dynamic_groups"] = [customer.everyone]
        with customer.connect() as connector:
            with pytest.raises(NotSupported, match="dynamic group"):
                connector.revoke_grant(customer.id("bruno"), f"group:{customer.everyone}")
            with pytest.raises(NotSupported, match="only be changed in the Admin console"):
                connector.revoke_grant(customer.id("bruno"), "admin:super")

    def test_sessions_end_and_a_suspended_account_has_none(self, customer):
        with customer.connect() as connector:
            assert connector.end_sessions(customer.id("bruno")).answer == "204"
            assert connector.end_sessions(customer.id("dmitri")).answer == "suspended, has no session"

    def test_what_outlives_a_deactivation_is_listed_and_revoked(self, customer):
        dmitri = customer.id("dmitri")
        customer.application.credentials += [
            SandboxCredential("9.apps.example", dmitri, "oauth_grant", "Calendar tool", NOW - timedelta(days=9)),
            SandboxCredential("asp-7", dmitri, "app_password", "Old phone", NOW - timedelta(days=90), NOW),
            SandboxCredential("asp-8", dmitri, "app_password", "Unused", NOW - timedelta(days=80)),
        ]
        with customer.connect() as connector:
            found = connector.credentials(dmitri)
            assert [(c.kind, c.name, c.created_at, c.last_used_at) for c in found] == [
                ("oauth_grant", "Calendar tool", None, None),
                ("app_password", "Old phone", NOW - timedelta(days=90), NOW),
                ("app_password", "Unused", NOW - timedelta(days=80), None),
            ]
            connector.revoke_credential(dmitri, found[0].credential_id)
            assert connector.revoke_credential(dmitri, found[0].credential_id).answer == "404, was so already"
            assert [c.kind for c in connector.credentials(dmitri)] == ["app_password", "app_password"]
            with pytest.raises(NotSupported):
                connector.revoke_credential(dmitri, "9.apps.example")

    def test_nothing_is_written_without_leave(self, customer):
        with contextlib.ExitStack() as stack:
            connector = stack.enter_context(customer.connect(write=False))
            for call in (
                lambda: connector.deactivate(customer.id("bruno")),
                lambda: connector.revoke_grant(customer.id("bruno"), f"group:{customer.everyone}"),
                lambda: connector.end_sessions(customer.id("bruno")),
                lambda: connector.revoke_credential(customer.id("bruno"), "tokens:cred-1"),
            ):
                with pytest.raises(NotSupported, match="read-only"):
                    call()
        assert customer.sandbox.requests == []
