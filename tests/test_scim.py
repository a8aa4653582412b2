"""The SCIM connector against servers with all kinds of manners, over real HTTP."""

import logging
import random
import re
import time
import traceback
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.kit.scim_resource import EXTENSION
from connectors.sandbox.manners import Manners
from connectors.sandbox.scim_server import ScimSandbox
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    LeaverwatchError,
    NotSupported,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)
from governance.records import Account, Entitlement
from tests.feeds import NOW, TOKEN, WRITE_TOKEN, pull, scim_connector
from tests.wild_server import WildServer, drip, head, listing, raw, says, silence

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def people(count):
    return [
        {"userName": f"p{n}@nwl.example", "active": n % 3 != 0, "emails": [{"value": f"p{n}@nwl.example"}]}
        for n in range(count)
    ]


def shown(manners):
    """Only what is unusual about them."""
    usual = vars(Manners())
    return " ".join(f"{name}={value}" for name, value in vars(manners).items() if value != usual[name]) or "usual"


def sandbox(accounts, manners=None, **more):
    return ScimSandbox(accounts, token=TOKEN, manners=manners, **more)


def pulled(server, **options):
    connector = scim_connector(server.url, **options)
    try:
        return pull(connector)
    finally:
        connector.close()


def reads(*behaviours, **options):
    """A pull from a server that answers exactly so."""
    with WildServer(*behaviours) as server:
        return pulled(server, **options)


NO_GROUPS = says({"status": "404"}, 404)


def one_account(resource, **options):
    """The one account of a server without groups."""
    result = reads(NO_GROUPS, says(listing(resource)), **options)
    return next(iter(result.accounts.values()))


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


class TestIncomplete:
    """C2, C3: whatever is not whole is no snapshot."""

    @pytest.mark.parametrize(
        "manners", [Manners(overlap=True), Manners(hole=True), Manners(drifting_total=True)], ids=shown
    )
    def test_a_list_that_loses_somebody_is_incomplete(self, manners):
        with sandbox(people(25), manners) as server, pytest.raises(IncompleteFeed, match="declared"):
            pulled(server, page_size=10)

    def test_an_endless_list_ends(self):
        begun = time.monotonic()
        with sandbox(people(25), Manners(endless_cursor=True)) as server:
            with pytest.raises(IncompleteFeed):
                pulled(server, page_size=10)
            assert len(server.requests) <= 4
        assert time.monotonic() - begun < 5

    @pytest.mark.parametrize("cursors", [["a", "a", "a"], ["a", "b", "a"]])
    def test_a_cursor_that_comes_back_ends_the_pull(self, cursors):
        pages = [says(listing({"id": str(n)}, total=99, nextCursor=c)) for n, c in enumerate(cursors)]
        with WildServer(NO_GROUPS, *pages) as server:
            with pytest.raises(IncompleteFeed, match="no end"):
                pulled(server)
            assert len(server.heads) <= len(cursors) + 1

    def test_a_server_that_ignores_the_index_ends(self):
        page = says(listing({"id": "1"}, {"id": "2"}, total=9))
        with WildServer(NO_GROUPS, page) as server:
            with pytest.raises(IncompleteFeed, match="no end"):
                pulled(server)
            assert len(server.heads) <= 4

    def test_duplicates_are_dropped_and_counted(self):
        result = reads(NO_GROUPS, says(listing({"id": "1"}, {"id": "2"}, {"id": "1"}, total=2)))
        assert set(result.accounts) == {"1", "2"}
        assert result.reading.duplicates == 1


ACCOUNT = {"id": "1", "active": True}
HALF = b'{"totalResults": 2, "Resources": [{"id": "1"'
BEHAVIOURS = {
    "500": says({}, 500),
    "502 page": says(b"<html>", 502, kind="text/html"),
    "503": says({}, 503),
    "504": says({}, 504),
    "503 for an hour": says({}, 503, Retry_After="3600"),
    "429 for an hour": says({}, 429, Retry_After="3600"),
    "429 without a word": says({}, 429),
    "401": says({}, 401),
    "403": says({}, 403),
    "404": says({}, 404),
    "400": says({}, 400),
    "418": says({}, 418),
    "100 lines of noise": raw(b"noise\r\n" * 100),
    "hangs up at once": raw(b""),
    "hangs up in the head": raw(head(200, 50)[:-20]),
    "never answers": silence,
    "head byte by byte": drip(head(200, 50)),
    "body byte by byte": drip(head(200, 5000) + b"{" * 5000),
    "half a body": raw(head(200, 5000) + HALF),
    "half a chunk": raw(head(200, Transfer_Encoding="chunked") + b"400\r\n" + HALF),
    "half of JSON as a whole answer": says(HALF),
    "HTML with 200": says(b"<!doctype html><title>Sign in</title>", kind="text/html"),
    "HTML called JSON": says(b"<!doctype html><title>Sign in</title>"),
    "empty with 200": says(b""),
    "204": raw(head(204)),
    "[]": says([]),
    "null": says(None),
    '"text"': says("text"),
    '{"value": []}': says({"value": []}),
    "Resources is a text": says({"totalResults": 1, "Resources": "x"}),
    "no account": says(listing()),
    "declares more": says(listing(ACCOUNT, total=2)),
    "all without id": says(listing({"a": 1}, {"b": 2})),
    "not compressed": says({}, Content_Encoding="gzip"),
    "redirect away": says({}, 302, Location="http://127.0.0.1:1/"),
    "redirect in circles": says({}, 302, Location="/scim/v2/Users"),
    "too large": says(listing({"id": "1", "x": "y" * 300_000})),
}


class TestChaos:
    """C6, C7: every kind of failure ends in time, in an error that says what to do, and in nothing derived."""

    @pytest.mark.parametrize("name", BEHAVIOURS)
    def test_a_failed_read_is_one_of_our_errors_in_time(self, name):
        begun = time.monotonic()
        with WildServer(NO_GROUPS, BEHAVIOURS[name]) as server:
            connector = scim_connector(server.url, deadline_s=0.4, max_answer_bytes=200_000)
            with pytest.raises(FeedError) as caught:
                pull(connector)
            connector.close()
        assert time.monotonic() - begun < 0.4 + 4  # without a deadline it would be minutes
        assert type(caught.value) is not FeedError
        assert TOKEN not in "".join(traceback.format_exception(caught.value))

    def test_a_failure_that_passes_is_survived(self):
        result = reads(NO_GROUPS, says({}, 502), raw(head(200, 99) + b"{"), says(listing(ACCOUNT)))
        assert set(result.accounts) == {"1"}

    @pytest.mark.parametrize("page", [0, 1, 2])
    def test_a_token_that_expires_on_any_page_fails_the_pull(self, page):
        manners = Manners(unauthorized_after_page=page)
        with sandbox(people(25), manners) as server, pytest.raises(AuthenticationFailed, match="401"):
            pulled(server, page_size=10)

    def test_a_lost_scope_is_named(self):
        with sandbox(people(5), Manners(forbidden=True)) as server, pytest.raises(AuthenticationFailed, match="403"):
            pulled(server)

    def test_a_wrong_token_is_found_by_check(self):
        with sandbox(people(5)) as server:
            scim_connector(server.url).check()
            with pytest.raises(AuthenticationFailed):
                scim_connector(server.url, token="wrong").check()

    def test_check_is_one_small_request(self):
        with sandbox(people(5)) as server:
            scim_connector(server.url).check()
            assert [(r.path, r.query["count"]) for r in server.requests] == [("/Users", "1")]

    def test_a_long_wait_says_until_when(self):
        manners = Manners(rate_limit=9, retry_after_s=900, retry_after_as_date=True)
        with sandbox(people(5), manners) as server, pytest.raises(RateLimited) as caught:
            pulled(server)
        assert 890 < (caught.value.until - NOW).total_seconds() < 910

    def test_secrets_stay_out_of_logs_errors_and_evidence(self, caplog):
        caplog.set_level(logging.DEBUG)
        with sandbox(people(3)) as server:
            connector = scim_connector(server.url, write_token=TOKEN)
            evidence = pull(connector).reading
            receipt = connector.deactivate(next(iter(server.users)))
            server.manners = Manners(fail_status=400)
            with pytest.raises(LeaverwatchError) as caught:
                pull(connector)
        everything = f"{caplog.text} {evidence} {receipt} {caught.value!r} {connector.__dict__}"
        assert caplog.text
        assert TOKEN not in everything.replace(str(connector.given), "")


TRUTHS = (True, False)


def told(truth):
    """Ways to say it rightly."""
    word = str(truth)
    return [truth, word, word.lower(), word.upper(), f" {word} "]


HIDDEN = [None, 0, 1, "yes", "no", "inactive", "", [], {}, [True], {"value": True}, 1.0, "0", "enabled"]


def mutations(count):
    """Resources out of shape, and what may be said about `active`: the truth or nothing."""
    dice = random.Random(12)
    for n in range(count):
        truth = dice.choice(TRUTHS)
        account_id = dice.choice([f"id-{n}", 10**18 + n, str(2**63 + n), f"ünï {n}", f"{n}/../x?y#z"])
        resource = {"id": account_id, "userName": f"p{n}", "emails": [{"value": f"p{n}@x"}], "active": truth}
        expected = truth
        shape = n % 5
        if shape == 0:
            resource["active"] = dice.choice(told(truth))
        elif shape == 1:
            resource["active"] = dice.choice(HIDDEN)
            expected = None
        elif shape == 2:
            del resource["active"]
            expected = None
        elif shape == 3:
            resource = {dice.choice([k, k.upper(), k.title(), k.capitalize()]): v for k, v in resource.items()}
        else:
            resource["Active"] = not truth
            expected = None
        for _ in range(dice.randrange(4)):
            key = dice.choice(["emails", "name", "groups", "roles", "meta", "userType", "extra", ENTERPRISE, EXTENSION])
            resource[key] = dice.choice(
                [
                    None,
                    5,
                    "text",
                    [],
                    {},
                    [None],
                    [5, "x"],
                    {"value": {}},
                    [{"value": [1]}],
                    {"created": []},
                    True,
                    [[]],
                ]
            )
        yield resource, str(account_id), expected


class TestSchemaMutations:
    """C12: out of 200 resources out of shape, no account gets a state it was not told to have."""

    def test_no_account_has_a_wrong_state(self):
        cases = list(mutations(200))
        result = reads(NO_GROUPS, says(listing(*(resource for resource, _, _ in cases))))
        assert len(result.accounts) == 200
        wrong = {i: (result.accounts[i].active, e) for _, i, e in cases if result.accounts[i].active is not e}
        assert wrong == {}
        assert sum(a.active is None for a in result.accounts.values()) == 120

    def test_numbers_keep_every_digit(self):
        assert one_account({"id": 2**63 + 1}).account_id == str(2**63 + 1)

    @pytest.mark.parametrize("account_id", [True, 1.5, None, [], {}, ""])
    def test_what_cannot_be_an_id_is_none(self, account_id):
        result = reads(NO_GROUPS, says(listing({"id": account_id}, {"id": "1"})))
        assert set(result.accounts) == {"1"}


def writer(server, **options):
    return scim_connector(server.url, write_token=WRITE_TOKEN, **options)


class TwoTokens(ScimSandbox):
    """Reads with one token and writes with the other, as the connector must."""

    def _admit(self, headers):
        self.token = TOKEN if self.requests[-1].method == "GET" else WRITE_TOKEN
        super()._admit(headers)


WRITE_MANNERS = [
    Manners(),
    Manners(answer_204_on_patch=True),
    Manners(no_patch=True),
    Manners(active_as_string=True),
    Manners(active_as_string=True, no_patch=True),
    Manners(reject_count=True),
]


class TestChanging:
    @pytest.mark.parametrize("manners", WRITE_MANNERS, ids=shown)
    def test_an_account_is_switched_off_read_back_and_on_again(self, manners):
        with TwoTokens(people(4), manners=manners) as server:
            account_id = next(i for i, u in server.users.items() if u["active"])
            others = {i: dict(u) for i, u in server.users.items() if i != account_id}
            connector = writer(server)
            receipt = connector.deactivate(account_id)
            assert server.users[account_id]["active"] is False
            assert connector.account(account_id).active is False
            assert re.fullmatch(r"(PATCH|PUT) /scim/v2/Users/\S+ active=false", receipt.call)
            assert receipt.answer in ("200", "204")
            assert receipt.at >= NOW
            connector.deactivate(account_id)
            assert connector.account(account_id).active is False
            connector.reactivate(account_id)
            assert connector.account(account_id).active is True
            assert {i: u for i, u in server.users.items() if i != account_id} == others

    def test_put_keeps_everything_else(self):
        person = {"userName": "ada", "active": True, "nickName": "A", ENTERPRISE: {"department": "Finance"}}
        with TwoTokens([person], manners=Manners(no_patch=True)) as server:
            account_id = next(iter(server.users))
            writer(server).deactivate(account_id)
            after = server.users[account_id]
            assert (after["nickName"], after[ENTERPRISE]["department"], after["active"]) == ("A", "Finance", False)
            put = next(r for r in server.requests if r.method == "PUT")
            assert put.if_match == 'W/"1"'
            assert "PATCH" not in {r.method for r in server.requests}  # the server says that it has none

    def test_somebody_else_s_change_is_not_overwritten(self):
        resource = {"id": "1", "active": True, "meta": {"version": 'W/"1"'}}
        newer = {**resource, "title": "New", "meta": {"version": 'W/"2"'}}
        with WildServer(
            says({}, 404), says({}, 501), says(resource), says({}, 412), says(newer), says({**newer, "active": False})
        ) as server:
            assert writer(server).deactivate("1").answer == "200"
            assert b'If-Match: W/"1"' in server.heads[3]
            assert b'If-Match: W/"2"' in server.heads[5]

    def test_endless_conflicts_end(self):
        conflicts = [says({"id": "1"}), says({}, 412)] * 5
        with (
            WildServer(says({}, 404), says({}, 501), *conflicts) as server,
            pytest.raises(Unavailable, match="somebody else"),
        ):
            writer(server).deactivate("1")

    def test_dialects_of_patch_are_tried_and_the_right_one_is_remembered(self):
        with WildServer(says({}, 404), says({}, 400), says({}, 400), says({"id": "1"}), says({"id": "2"})) as server:
            connector = writer(server)
            connector.deactivate("1")
            connector.deactivate("2")
        assert [h.split(b" ")[0] for h in server.heads] == [b"GET", b"PATCH", b"PATCH", b"PATCH", b"PATCH"]

    def test_a_server_with_neither_patch_nor_put_becomes_a_task(self):
        answers = (says({}, 404), says({}, 501), says({"id": "1"}), says({}, 405))
        with WildServer(*answers) as server, pytest.raises(NotSupported):
            writer(server).deactivate("1")

    @pytest.mark.parametrize("status", [404, 410])
    def test_an_account_that_is_gone_cannot_sign_in(self, status):
        with WildServer(says({}, 404), says({}, 404), says({}, status)) as server:
            assert "gone" in writer(server).deactivate("1").answer
        with WildServer(says({}, status)) as server:
            assert writer(server).account("1") is None
        with WildServer(says({}, 404), says({}, 404), says({}, status)) as server, pytest.raises(NotSupported):
            writer(server).reactivate("1")

    @pytest.mark.parametrize(
        "options",
        [{"write_token": None}, {"write_token": WRITE_TOKEN, "write": False}],
        ids=["no token", "not allowed"],
    )
    def test_without_write_access_nothing_is_sent(self, options):
        with sandbox(people(2)) as server:
            connector = scim_connector(server.url, **options)
            for verb in (connector.deactivate, connector.reactivate):
                with pytest.raises(NotSupported, match="read-only"):
                    verb(next(iter(server.users)))
            assert server.requests == []

    def test_a_lie_is_seen_by_reading_back(self):
        with TwoTokens(people(2), manners=Manners(lie=True)) as server:
            account_id = next(i for i, u in server.users.items() if u["active"])
            connector = writer(server)
            assert connector.deactivate(account_id).answer == "200"
            assert connector.account(account_id).active is True

    @pytest.mark.parametrize(
        ("behaviour", "error"),
        [
            (says({}, 401), AuthenticationFailed),
            (says({}, 403), AuthenticationFailed),
            (says({}, 409), UnexpectedAnswer),
            (says({}, 500), Unavailable),
            (says({}, 503), Unavailable),
            (says({}, 429, Retry_After="900"), RateLimited),
            (silence, Unavailable),
            (says(b"<html>", kind="text/html"), UnexpectedAnswer),
            (says({}, 307, Location="http://127.0.0.1:1/"), UnexpectedAnswer),
        ],
    )
    def test_a_change_that_fails_says_so(self, behaviour, error):
        with WildServer(says({}, 404), behaviour) as server, pytest.raises(error):
            writer(server, deadline_s=0.5).deactivate("1")

    def test_a_conflict_is_not_asked_again(self):
        with WildServer(says({}, 404), says({}, 409)) as server:
            with pytest.raises(UnexpectedAnswer):
                writer(server).deactivate("1")
            assert len(server.heads) == 2

    def test_a_passing_failure_is_asked_again(self):
        with WildServer(says({}, 404), says({}, 503), says({"id": "1"})) as server:
            assert writer(server).deactivate("1").answer == "200"

    @pytest.mark.parametrize("account_id", ["a/b", "../Groups", "a?b=c#d", "ü", "a b", "%2e%2e", "1;DELETE"])
    def test_an_id_never_leads_to_another_path(self, account_id):
        with WildServer(says({"id": account_id, "active": True})) as server:
            assert writer(server).account(account_id).account_id == account_id
            path = server.paths()[0]
        assert path.count("/") == 4
        assert "?" not in path

    @pytest.mark.parametrize("account_id", [".", "..", ""])
    def test_an_id_that_is_a_step_in_a_path_is_refused(self, account_id):
        with WildServer(says({})) as server:
            with pytest.raises(NotSupported):
                writer(server).account(account_id)
            assert server.heads == []

    def test_an_answer_about_another_account_is_not_believed(self):
        with WildServer(says({"id": "2", "active": False})) as server, pytest.raises(UnexpectedAnswer):
            writer(server).account("1")

    def test_a_read_of_one_tells_what_the_account_itself_tells(self):
        with WildServer(says({"id": "1", "active": True, "groups": [{"value": "g", "display": "Admins"}]})) as server:
            assert writer(server, privileged=("adm*",)).account("1").privileged is True
        with WildServer(says({"id": "1", "active": True})) as server:
            assert writer(server).account("1").privileged is None


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
