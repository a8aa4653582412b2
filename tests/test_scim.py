"""The SCIM connector reads accounts and groups from servers with all kinds of manners, over real HTTP."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.kit.scim_resource import EXTENSION
from connectors.sandbox.manners import Manners
from governance.errors import AuthenticationFailed, ConfigurationError, IncompleteFeed
from governance.records import Account, Entitlement
from tests.feeds import NOW, scim_connector
from tests.scim_pulls import ENTERPRISE, NO_GROUPS, one_account, people, pulled, reads, sandbox, shown
from tests.wild_server import WildServer, listing, says


class TestReading:
    @pytest.mark.parametrize("count", [1, 9, 10, 11, 20, 21])
    def test_every_account_of_every_page_is_read(self, count):
        with sandbox(people(count)) as server:
            result = pulled(server, page_size=10)
            assert set(result.accounts) == set(server.users)
            assert {a.account_id for a in result.accounts.values() if a.active} == {
                i for i, u in server.users.items() if u["active"]
            }
        assert result.reading.declared_total == count
        assert result.reading.source == server.url + "Users"

    def test_a_server_without_any_account_is_not_believed(self):
        with sandbox([]) as server, pytest.raises(IncompleteFeed, match="no account at all"):
            pulled(server)

    def test_attributes_arrive(self):
        account = one_account(
            {
                "id": "42",
                "userName": "ada",
                "externalId": "X9",
                "displayName": "Ada",
                "active": True,
                "userType": "Service",
                "emails": [{"value": "home@x.example"}, {"value": "ada@x.example", "primary": True}],
                "meta": {"created": "2026-01-02T03:04:05Z"},
                ENTERPRISE: {"employeeNumber": "007", "department": "Finance"},
                EXTENSION: {"lastSignInAt": "2026-11-20T10:00:00Z", "mfaEnabled": False},
            }
        )
        assert account == Account(
            application="wiki",
            account_id="42",
            username="ada",
            email="ada@x.example",
            display_name="Ada",
            external_id="X9",
            employee_id="007",
            kind="service",
            active=True,
            last_seen_at=datetime(2026, 11, 20, 10, tzinfo=UTC),
            last_seen_known=True,
            created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            mfa=False,
            privileged=None,
            department="Finance",
        )

    @pytest.mark.parametrize(
        ("told", "at", "known"),
        [
            ("never", None, True),
            (None, None, False),
            ("", None, False),
            ("soon", None, False),
            (1790000000, datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC), True),
            ("1790000000000", datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC), True),
            ("2026-12-24T00:00:00Z", NOW, True),
        ],
    )
    def test_last_use_is_a_time_or_never_or_unknown(self, told, at, known):
        account = one_account({"id": "1", "active": True, EXTENSION: {"lastSignInAt": told}})
        assert (account.last_seen_at, account.last_seen_known) == (at, known)

    def test_other_names_of_the_vendor_can_be_told(self):
        resource = {"id": "1", "urn:x:User": {"seen": "never", "mfa": "TRUE"}, "stats": {"last": "2026-11-01"}}
        account = one_account(resource, last_seen_attribute="urn:x:User:seen", mfa_attribute="urn:x:User:mfa")
        assert (account.last_seen_known, account.mfa) == (True, True)
        assert one_account(resource, last_seen_attribute="stats.last").last_seen_at == datetime(2026, 11, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("told", "kind"),
        [
            ("Bot", "bot"),
            ("service_account", "service"),
            ("Guest", "guest"),
            ("Employee", "human"),
            ("Wizard", None),
            (None, None),
            (7, None),
        ],
    )
    def test_the_kind_is_taken_only_when_it_is_said(self, told, kind):
        assert one_account({"id": "1", "userType": told}).kind == kind

    def test_an_account_without_id_is_listed_and_the_others_are_read(self):
        result = reads(NO_GROUPS, says(listing({"id": "1"}, {"userName": "x"}, "nonsense", {"id": ""}, {"id": "2"})))
        assert set(result.accounts) == {"1", "2"}
        assert [r.where.partition("#")[2] for r in result.reading.rejected] == ["2", "3", "4"]

    def test_the_filter_is_sent_and_kept_as_evidence(self):
        with sandbox(people(6)) as server:
            result = pulled(server, filter="active eq true")
            assert {a.active for a in result.accounts.values()} == {True}
            assert result.reading.filters == "active eq true"

    def test_accounts_a_list_hides_are_found_with_a_second_filter(self):
        with sandbox(people(9), Manners(hide_inactive=True)) as server:
            assert len(pulled(server).accounts) == 6
            result = pulled(server, inactive_filter="active eq false")
            assert set(result.accounts) == set(server.users)

    def test_a_cursor_of_the_server_is_followed(self):
        first = listing({"id": "1"}, total=3, nextCursor="a b")
        result = reads(
            NO_GROUPS,
            says(first),
            says(listing({"id": "2"}, total=3, nextCursor="c")),
            says(listing({"id": "3"}, total=3)),
        )
        assert set(result.accounts) == {"1", "2", "3"}

    def test_a_total_written_as_text_counts(self):
        with pytest.raises(IncompleteFeed, match="3 are declared, 2"):
            reads(NO_GROUPS, says(listing({"id": "1"}, {"id": "2"}, total="3")), says(listing(total="3")))

    def test_a_list_without_a_total_ends_with_an_empty_page(self):
        page = {"Resources": [{"id": "1"}, {"id": "2"}]}
        result = reads(NO_GROUPS, says(page), says({"Resources": []}))
        assert set(result.accounts) == {"1", "2"}


class TestGroups:
    GROUPS = [{"displayName": "Admins", "members": []}, {"displayName": "Readers", "members": []}]

    def server(self, manners=None):
        accounts = [{**person, "id": f"a{n}"} for n, person in enumerate(people(4))]
        groups = [
            {"id": "g1", "displayName": "Admins", "members": ["a0"]},
            {"id": "g2", "displayName": "Readers", "members": ["a0", "a1"]},
        ]
        return sandbox(accounts, manners, groups=groups)

    def test_groups_become_entitlements_and_grants(self):
        with self.server() as server:
            result = pulled(server, privileged=("adm*",))
        assert {(e.entitlement_id, e.kind, e.privileged) for e in result.of(Entitlement)} == {
            ("g1", "group", True),
            ("g2", "group", False),
        }
        assert result.held == {("a0", "g1"), ("a0", "g2"), ("a1", "g2")}
        assert {a: x.privileged for a, x in result.accounts.items()} == {
            "a0": True,
            "a1": False,
            "a2": False,
            "a3": False,
        }

    @pytest.mark.parametrize("status", [404, 405, 501])
    def test_without_groups_nothing_is_known_about_what_is_held(self, status):
        refusals = [says({}, status)] * (2 if status == 501 else 1)  # 501 may be about `count`: asked once more
        result = reads(*refusals, says(listing({"id": "1"})))
        assert result.accounts["1"].privileged is None
        assert any("group" in note for note in result.reading.notes)

    def test_groups_without_members_tell_nothing(self):
        result = reads(says(listing({"id": "g", "displayName": "Admins"})), says(listing({"id": "1"})))
        assert result.accounts["1"].privileged is None

    def test_accounts_may_tell_their_groups_and_roles_themselves(self):
        resource = {
            "id": "1",
            "groups": [{"value": "g1", "display": "Admins"}, {"value": "g2", "type": "indirect"}],
            "roles": [{"value": "owner", "display": "Owner"}, "editor"],
            "entitlements": {"value": 7},
        }
        result = reads(NO_GROUPS, says(listing(resource)), privileged=("own*",))
        assert result.accounts["1"].privileged is True
        assert {(g.entitlement_id, g.how) for g in result.records if type(g).__name__ == "Grant"} == {
            ("g1", "direct"),
            ("g2", "group"),
            ("role:owner", "direct"),
            ("role:editor", "direct"),
            ("entitlement:7", "direct"),
        }

    def test_groups_within_groups_are_no_accounts(self):
        group = {"id": "g", "displayName": "G", "members": [{"value": "1"}, {"value": "2", "type": "Group"}]}
        result = reads(says(listing(group)), says(listing({"id": "1"}, {"id": "2"})))
        assert result.held == {("1", "g")}

    def test_a_group_list_with_a_hole_makes_the_pull_incomplete(self):
        with pytest.raises(IncompleteFeed, match="Groups"):
            reads(says(listing({"id": "g"}, total=2)), says(listing(total=2)), says(listing({"id": "1"})))


class TestManners:
    """Dialects a client has to live with."""

    @pytest.mark.parametrize(
        "manners",
        [
            Manners(reject_count=True),
            Manners(reject_count=True, clamp=4),
            Manners(clamp=4),
            Manners(clamp=1),
            Manners(active_as_string=True),
            Manners(rate_limit=1, retry_after_s=0),
        ],
        ids=shown,
    )
    def test_all_accounts_are_read_right(self, manners):
        with sandbox(people(25), manners) as server:
            result = pulled(server, page_size=10)
            assert {i: a.active for i, a in result.accounts.items()} == {
                i: u["active"] for i, u in server.users.items()
            }

    def test_a_server_that_rejects_count_is_asked_only_once(self):
        with sandbox(people(5), Manners(reject_count=True, clamp=2)) as server:
            pulled(server)
            assert sum("count" in seen.query for seen in server.requests) == 1

    def test_a_filter_that_is_ignored_changes_nothing(self):
        with sandbox(people(5), Manners(ignore_filter=True)) as server:
            assert len(pulled(server, filter='userName eq "p1@nwl.example"').accounts) == 5

    def test_json_may_be_the_only_media_type(self):
        with WildServer(NO_GROUPS, says(listing({"id": "1"}), kind="application/json")) as server:
            pulled(server, media_type="application/json")
            assert b"Accept: application/json\r\n" in server.heads[0]

    @pytest.mark.parametrize(("option", "active"), [({}, None), ({"absent_active": "active"}, True)])
    def test_a_state_that_is_never_told_is_unknown_unless_the_server_is_known(self, option, active):
        with sandbox(people(5), Manners(missing_active=True)) as server:
            assert {a.active for a in pulled(server, **option).accounts.values()} == {active}


class TestSettings:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"page_size": 0}, "page_size"),
            ({"page_size": "many"}, "page_size"),
            ({"page_size": True}, "page_size"),
            ({"absent_active": "maybe"}, "absent_active"),
            ({"allow_private": "yes"}, "allow_private"),
            ({"filter": 5}, "filter"),
            ({"basse_url": "x"}, "basse_url"),
        ],
    )
    def test_a_wrong_setting_is_named(self, options, words):
        with pytest.raises(ConfigurationError, match=words):
            scim_connector("http://127.0.0.1:9/", **options)

    def test_an_unsafe_address_is_refused(self):
        with pytest.raises(ConfigurationError, match="base_url"):
            scim_connector("http://example.com/")

    def test_a_token_that_is_empty_is_named(self):
        with pytest.raises(ConfigurationError, match="token: is empty"):
            scim_connector("http://127.0.0.1:9/", token="")


def test_manners_can_change_while_a_server_runs():
    with sandbox(people(3)) as server:
        assert len(pulled(server).accounts) == 3
        server.manners = replace(server.manners, fail_status=403)
        with pytest.raises(AuthenticationFailed):
            pulled(server)
