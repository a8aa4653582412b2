"""SCIM servers that fail, lie or lose somebody: no pull but a whole one counts, and no account gets a wrong state."""

import logging
import random
import time
import traceback

import pytest

from connectors.kit.scim_resource import EXTENSION
from connectors.sandbox.manners import Manners
from governance.errors import AuthenticationFailed, FeedError, IncompleteFeed, LeaverwatchError, RateLimited
from tests.feeds import NOW, TOKEN, pull, scim_connector
from tests.scim_pulls import ENTERPRISE, NO_GROUPS, one_account, people, pulled, reads, sandbox, shown
from tests.wild_server import WildServer, drip, head, listing, raw, says, silence


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
