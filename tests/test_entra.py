"""Entra: what Microsoft Graph's own manners do to what is read and changed, over real HTTP."""

import dataclasses
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from connectors.kit.entra_check import CREDENTIALS, READ
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Account, Entitlement, Grant
from tests.sandbox_company import NOW, small_application
from tests.specs import SpecCheck
from tests.tenancy import connected
from tests.tenants.entra import TENANT

# Written by us, not in the trimmed specification; they are in Microsoft's reference of Graph v1.0.
BEYOND_THE_SPEC = {("POST", "/members/$ref"), ("POST", "/roleAssignments"), ("POST", "/appRoleAssignments")}
GROUP, INNER, APP, ROLE = (f"{n}0000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3, 4))
ADMIN_ROLE = "e8611ab8-c189-46e8-94e1-60213ab1f814"


class Directory:
    """The twelve in an Entra directory."""

    def __init__(self, **options):
        self.application = small_application("entra", "directory")
        TENANT.prepare(self.application)
        self.people = {account.given.lower(): account for account in self.application.accounts.values()}
        self.admins, self.everyone, self.contractors = self.application.entitlements
        self.options = options
        self.sandbox = Sandbox([self.application])

    def connect(self, write=True, secrets=None, **given):
        tenant = dataclasses.replace(
            TENANT,
            options=lambda url: {**TENANT.options(url), **self.options},
            secrets=(lambda _: secrets) if secrets is not None else TENANT.secrets,
        )
        return connected(tenant, self.sandbox, self.application, write=write, **given)

    def holds(self, entitlement_id, name, kind, holders=(), **more):
        self.application.entitlements[entitlement_id] = SandboxEntitlement(entitlement_id, name, kind, more=more)
        self.application.grants += [SandboxGrant(self.id(h), entitlement_id, NOW) for h in holders]

    def id(self, name):
        return self.people[name].id

    def held(self, name):
        return {g.entitlement_id for g in self.application.held(self.id(name))}

    def pulled(self, **given):
        with self.connect(write=False, **given) as connector:
            records = list(connector.records())
        return (
            {r.account_id: r for r in records if isinstance(r, Account)},
            {r.entitlement_id: r for r in records if isinstance(r, Entitlement)},
            {(r.account_id, r.entitlement_id): r for r in records if isinstance(r, Grant)},
            connector.reading,
        )

    def told(self, mark=None, since=timedelta(days=30), now=NOW, **given):
        with self.connect(write=False, now=now, **given) as connector:
            events = list(connector.events(NOW - since, mark))
        return events, connector.mark, connector.reading

    def asked(self, path, method="GET"):
        return [seen for seen in self.sandbox.requests if path in seen.path and seen.method == method]


@pytest.fixture
def directory():
    made = Directory()
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and seen.path.endswith(part) for verb, part in BEYOND_THE_SPEC)
        ]  # fmt: skip
        assert SpecCheck("entra", free=TENANT.spec_free).problems(asked) == []


class TestAccounts:
    def test_guests_resources_deleted_and_from_active_directory(self, directory):
        directory.people["bruno"].more["on_premises"] = True
        accounts, _, _, reading = directory.pulled()
        assert reading.kept == 12
        hana, jun, front = (accounts[directory.id(n)] for n in ("hana", "jun", "front"))
        assert (hana.kind, hana.email) == ("guest", "hana.hoshi@partner.example")
        assert (jun.active, jun.username) == (False, "jun.jung@nwl.example")  # deleted: its id came before the name
        assert front.kind == "shared"
        assert accounts[directory.id("esra")].active is False
        assert accounts[directory.id("bruno")].active is True

    def test_attributes(self, directory):
        account = directory.pulled()[0][directory.id("ada")]
        assert (account.display_name, account.department, account.employee_id) == ("Ada Amaral", "Sales", "E1000")
        assert account.created_at == NOW - timedelta(days=400)

    def test_of_another_account_is_not_believed(self, directory):
        with directory.connect() as connector, pytest.raises(UnexpectedAnswer):
            connector.account("ada.amaral@nwl.example")  # Graph takes a name for an id

    def test_gone_is_none_and_so_is_deleted(self, directory):
        with directory.connect() as connector:
            assert connector.account("00000000-0000-4000-8000-000000000000") is None
            assert connector.account(directory.id("jun")) is None

    def test_second_factors_are_those_registered(self, directory):
        accounts = directory.pulled()[0]
        told = {n: accounts[directory.id(n)].mfa for n in ("ada", "bruno", "esra", "chioma")}
        assert told == {
            "ada": True,
            "bruno": False,
            "esra": None,
            "chioma": None,
        }  # Esra is disabled: not in the report


def at(text):
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


# lastSignIn, lastNonInteractive, lastSuccessful, created, expected (None: unknown; "never"). The first three are those
# of CIPP-API pull request 1119.
ACTIVITY = [
    ("2024-02-08T14:06:29", "2023-10-25T11:53:05", "2024-01-03T11:53:51", "2022-01-01", "2024-01-03T11:53:51"),
    (None, "2024-03-12T16:24:34", "2024-03-12T16:24:34", "2022-01-01", "2024-03-12T16:24:34"),
    ("2023-11-01T17:24:13", "2024-04-01T01:47:23", "2024-04-01T01:47:23", "2022-01-01", "2024-04-01T01:47:23"),
    # A success is told: nothing else counts, however late the tries.
    ("2026-11-20T00:00:00", None, "2024-06-01T00:00:00", "2020-01-01", "2024-06-01T00:00:00"),
    (None, "2026-11-20T00:00:00", "2024-06-01T00:00:00", "2024-05-01", "2024-06-01T00:00:00"),
    ("2026-11-20T00:00:00", "2026-11-21T00:00:00", "2025-01-01T00:00:00", "2024-05-01", "2025-01-01T00:00:00"),
    (None, None, "2026-11-22T23:00:00", "2026-11-01", "2026-11-22T23:00:00"),
    # No success is told, and one would be: never.
    (None, None, None, "2024-01-01", "never"),
    ("2026-11-20T00:00:00", None, None, "2024-01-01", "never"),
    (None, "2026-11-20T00:00:00", None, "2023-12-01", "never"),
    ("2024-01-05T00:00:00", "2024-01-06T00:00:00", None, "2024-01-01", "never"),
    ("absent", "absent", "absent", "2024-01-01", "never"),
    ("absent", "absent", "absent", "2026-11-22", "never"),
    # None is told, but the account is older than the telling: a try before that bounds the last use ...
    ("2023-05-01T00:00:00", None, None, "2020-01-01", "2023-05-01T00:00:00"),
    (None, "2022-05-01T00:00:00", None, "2020-01-01", "2022-05-01T00:00:00"),
    ("2022-03-01T00:00:00", "2023-11-30T00:00:00", None, "2020-01-01", "2023-11-30T00:00:00"),
    ("2023-11-30T23:59:59", None, None, "2020-01-01", "2023-11-30T23:59:59"),
    # ... one after it does not, and neither does silence.
    ("2024-02-01T00:00:00", None, None, "2020-01-01", None),
    ("2023-05-01T00:00:00", "2026-11-20T00:00:00", None, "2020-01-01", None),
    (None, None, None, "2020-01-01", None),
    ("absent", "absent", "absent", "2020-01-01", None),
    ("absent", "absent", "absent", "2023-11-30", None),
    (None, None, "not a date", "2024-05-01", None),
]


@pytest.mark.parametrize(("tried", "silent", "success", "created", "expected"), ACTIVITY)
def test_last_use_is_a_success_never_or_unknown(tried, silent, success, created, expected):
    directory = Directory()
    ada = directory.people["ada"]
    ada.created_at, ada.last_seen_at = at(created), None
    if tried != "absent":
        names = ("lastSignInDateTime", "lastNonInteractiveSignInDateTime", "lastSuccessfulSignInDateTime")
        ada.more["activity"] = {
            name: value and (value if " " in value else f"{value}Z")
            for name, value in zip(names, (tried, silent, success), strict=True)
        }
    with directory.sandbox:
        account = directory.pulled()[0][directory.id("ada")]
    assert account.last_seen_known is (expected is not None)
    assert account.last_seen_at == (None if expected == "never" else at(expected))


def test_there_are_three_samples_of_others_and_twenty_of_ours():
    assert len(ACTIVITY) == 23


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


class TestHoldings:
    def test_groups_inside_groups(self, directory):
        directory.holds(INNER, "Inner", "group", ["bruno"], groups=[GROUP])  # and a circle
        directory.holds(GROUP, "Outer", "group", ["ada"], groups=[INNER])
        _, _, grants, _ = directory.pulled()
        assert grants[directory.id("ada"), f"group:{GROUP}"].how == "direct"
        assert grants[directory.id("bruno"), f"group:{GROUP}"].how == "group"
        assert grants[directory.id("bruno"), f"group:{INNER}"].how == "direct"
        assert grants[directory.id("ada"), f"group:{INNER}"].how == "group"

    def test_roles_held_directly_through_a_group_over_a_part_and_to_be_taken_up(self, directory):
        directory.holds(ROLE, "User Administrator", "role", ["hana"], eligible=[directory.id("front")])
        directory.application.entitlements[ROLE].more["scope_of"] = {directory.id("hana"): "/administrativeUnits/u1"}
        directory.holds(GROUP, "Helpers", "group", ["bruno"], roles=[ROLE])
        accounts, entitlements, grants, _ = directory.pulled()
        assert grants[directory.id("bruno"), f"role:{ROLE}"].how == "group"
        assert (directory.id("hana"), f"role:{ROLE}@/administrativeUnits/u1") in grants
        assert grants[directory.id("front"), f"eligible:{ROLE}"].since == NOW
        assert entitlements[f"role:{ROLE}@/administrativeUnits/u1"].name == "User Administrator (part of the directory)"
        assert entitlements[f"eligible:{ROLE}"].name == "User Administrator (eligible)"
        assert {accounts[directory.id(n)].privileged for n in ("bruno", "hana", "front")} == {True}
        assert accounts[directory.id("chioma")].privileged is False
        with directory.connect() as connector:
            assert connector.account(directory.id("bruno")).privileged is True
            assert connector.account(directory.id("chioma")).privileged is False

    @pytest.mark.parametrize(
        ("name", "built_in", "privileged"),
        [("Global Administrator", True, True), ("Global Reader", True, True), ("Exchange Administrator", True, True),
         ("Message Center Reader", True, False), ("Our own role", False, None)],
    )  # fmt: skip
    def test_which_roles_are_privileged(self, directory, name, built_in, privileged):
        directory.holds(ROLE, name, "role", ["bruno"], built_in=built_in)
        _, entitlements, _, _ = directory.pulled()
        assert entitlements[f"role:{ROLE}"].privileged is privileged

    def test_applications_open_to_direct_members_of_a_group_only(self, directory):
        directory.holds(APP, "Figma", "application", ["ada"], groups=[GROUP], app_roles={ROLE: "Editor"})
        directory.application.entitlements[APP].more["app_role_of"] = {directory.id("ada"): ROLE}
        directory.holds(GROUP, "Designers", "group", ["bruno"], groups=[INNER])
        directory.holds(INNER, "Interns", "group", ["hana"])
        _, entitlements, grants, _ = directory.pulled()
        assert entitlements[f"app:{APP}:{ROLE}"].name == "Figma: Editor"
        assert grants[directory.id("ada"), f"app:{APP}:{ROLE}"].how == "direct"
        assert grants[directory.id("ada"), f"app:{APP}:{ROLE}"].since == NOW
        assert grants[directory.id("bruno"), f"app:{APP}"].how == "group"
        assert (directory.id("hana"), f"app:{APP}") not in grants

    def test_applications_can_be_left_out(self, directory):
        directory.options["applications"] = False
        directory.pulled()
        assert directory.asked("/servicePrincipals") == []


class TestTheLogs:
    def test_kinds(self, directory):
        directory.application.events.clear()
        directory.holds(APP, "Figma", "application")
        directory.holds(ROLE, "User Administrator", "role")
        ada, bruno, then = directory.id("ada"), directory.id("bruno"), NOW - timedelta(hours=1)
        for number, (kind, target) in enumerate(
            [("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
             ("granted", directory.contractors), ("granted", APP), ("revoked", ROLE), ("provisioned", "figma"),
             ("sso", "Figma"), ("sign_in", None)]
        ):  # fmt: skip
            directory.application.record(kind, bruno, ada, at=then + timedelta(seconds=number), target=target)
        directory.application.record("sign_in_failed", bruno, bruno, at=NOW, success=False)
        events, _, reading = directory.told()
        assert [(e.kind, e.target) for e in events] == [
            ("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
            ("granted", f"group:{directory.contractors}"), ("granted", f"app:{APP}"), ("revoked", f"role:{ROLE}"),
            ("provisioned", "figma"), ("sso", "Figma"), ("sign_in", None), ("sign_in_failed", None),
        ]  # fmt: skip
        assert {e.account_id for e in events} == {bruno}
        assert events[0].actor == ada
        assert [e.success for e in events[-2:]] == [True, False]
        assert reading.notes == []

    def test_goes_on_two_hours_before_its_end_so_that_what_comes_late_is_told(self, directory):
        first, mark, _ = directory.told()
        assert json.loads(mark) == dict.fromkeys(
            ("auditLogs/directoryAudits", "auditLogs/provisioning", "auditLogs/signIns"), "2026-11-23T06:12:00Z"
        )
        late = directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(hours=1))
        new = directory.application.record("sign_in", directory.id("ada"), at=NOW + timedelta(minutes=1))
        second, _, _ = directory.told(mark, now=NOW + timedelta(minutes=15))
        assert [e.event_id for e in second] == [late.id, new.id]
        assert len(first) == 8

    def test_comes_oldest_first_also_over_many_pages(self, directory):
        for minute in range(2500):
            directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(minutes=minute))
        events, _, _ = directory.told()
        times = [e.at for e in events if e.kind in ("sign_in", "sso", "sign_in_failed")]
        assert len(events) == 2508
        assert times == sorted(times)

    def test_a_very_long_log_is_read_in_stretches(self, directory, monkeypatch):
        monkeypatch.setattr("connectors.kit.entra_log._MANY", 1)
        monkeypatch.setattr("connectors.entra.Entra.limits", ())
        for minute in range(0, 40_000, 10):
            directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(minutes=minute))
        events, _, _ = directory.told()
        assert len([e for e in events if e.kind == "sign_in"]) == 4002
        assert len({e.event_id for e in events}) >= 4008
        assert len(directory.asked("/signIns")) > 4

    def test_a_log_longer_than_the_time_is_read_in_several_goes(self, directory, monkeypatch):
        monkeypatch.setattr("connectors.kit.entra_log._MANY", 1)
        monkeypatch.setattr("connectors.entra.Entra.limits", ())
        for minute in range(0, 40_000, 8):
            directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(minutes=minute))
        directory.sandbox.faults["directory"] = Faults(delay_s=0.25, paths="/signIns")
        seen, mark, goes = set(), None, 0
        while goes < 10:
            events, mark, reading = directory.told(mark, deadline_s=3.0)
            seen |= {e.event_id for e in events}
            goes += 1
            if not any("goes on" in note for note in reading.notes):
                break
        assert 1 < goes < 10
        assert len(seen) == 5008

    def test_without_p1_the_audit_log_is_still_told(self, directory):
        directory.application.settings["premium"] = False
        events, mark, reading = directory.told()
        assert {e.kind for e in events} == {"created", "deactivated", "granted", "revoked"}
        assert "sign-ins are unknown: the directory has no Entra ID P1 licence" in reading.notes
        assert "auditLogs/signIns" not in json.loads(mark)

    def test_without_the_audit_log_changes_of_users_stand_in(self, directory):
        directory.application.settings["forbidden"] = "/auditLogs/"
        events, mark, reading = directory.told()
        assert events == []
        assert any("AuditLog.Read.All is missing" in note for note in reading.notes)
        directory.application.set_status(directory.id("bruno"), "deactivated")
        directory.application.set_status(directory.id("ada"), "deleted")
        events, later, _ = directory.told(mark)
        assert {(e.kind, e.account_id) for e in events} == {
            ("updated", directory.id("bruno")), ("deleted", directory.id("ada")),
        }  # fmt: skip
        again, _, _ = directory.told(mark)
        assert {e.event_id for e in again} == {e.event_id for e in events}  # told twice it is the same
        assert directory.told(later)[0] == []

    def test_a_link_that_is_too_old_begins_anew(self, directory):
        directory.application.settings["forbidden"] = "/auditLogs/"
        _, mark, _ = directory.told()
        old = re.sub(r"deltatoken=\d+", "deltatoken=99", mark)
        assert old != mark
        events, fresh, reading = directory.told(old)
        assert (events, fresh) == ([], mark)
        assert any("gone" in note for note in reading.notes)

    @pytest.mark.parametrize("mark", ["no json", "[1]", '{"auditLogs/signIns": "yesterday"}'])
    def test_a_mark_that_is_none_of_ours_counts_as_none(self, directory, mark):
        assert len(directory.told(mark)[0]) == 8


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


def test_an_empty_directory_is_not_believed():
    directory = Directory()
    directory.application.accounts.clear()
    directory.application.grants.clear()
    with directory.sandbox, pytest.raises(IncompleteFeed):
        directory.pulled()


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"page_size": 1000}, "page_size"),
        ({"base_url": "http://graph.example/v1.0/"}, "base_url"),
        ({"login_url": "https://192.168.0.1/"}, "login_url"),
        ({"tenant": ""}, "tenant"),
        ({"secret": "x"}, "secret"),
    ],
)
def test_configuration_that_is_wrong_is_named(options, names):
    directory = Directory(**options)
    with directory.sandbox, pytest.raises(ConfigurationError, match=names), directory.connect():
        pass


def test_national_clouds_are_asked_for_tokens_of_their_own():
    directory = Directory()
    with directory.sandbox:
        directory.pulled()
        [seen] = directory.asked("/token", "POST")
    assert seen.path == "/nwl.example/oauth2/v2.0/token"
    assert seen.body["scope"] == "http://127.0.0.1/.default"
