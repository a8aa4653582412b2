"""The HTTP kit over real sockets: what answers say, that it ends in time, and when it asks again or waits."""

import gzip
import time

import pytest

from connectors.kit import http
from connectors.kit.answers import Answer
from connectors.kit.patience import retry_after
from governance.errors import AuthenticationFailed, IncompleteFeed, RateLimited, Unavailable, UnexpectedAnswer
from tests.feeds import NOW, TOKEN
from tests.http_session import ask, session
from tests.wild_server import WildServer, drip, head, raw, says, silence

TRIES = 3  # a busy machine may make one late, not all


class TestAnswers:
    def test_json_comes_with_status_path_and_digest(self):
        answer, server = ask(says({"a": 1}))
        assert (answer.status, answer.data, answer.path) == (200, {"a": 1}, "/scim/v2/Users")
        assert len(answer.sha256) == 64
        assert f"Authorization: Bearer {TOKEN}".encode() in server.heads[0]

    def test_no_content_is_no_data(self):
        answer, _ = ask(raw(head(204)))
        assert (answer.status, answer.data) == (204, None)

    @pytest.mark.parametrize("kind", ["application/json", "application/scim+json; charset=utf-8", "text/plain", ""])
    def test_json_under_these_types_is_read(self, kind):
        answer, _ = ask(says([1], kind=kind))
        assert answer.data == [1]

    @pytest.mark.parametrize("kind", ["text/html", "text/html; charset=utf-8", "application/xml", "image/png"])
    def test_a_page_with_200_is_unexpected_and_its_body_is_not_shown(self, kind):
        error, _ = ask(says(b"<html>hunter2</html>", kind=kind))
        assert type(error) is UnexpectedAnswer
        assert error.path == "/scim/v2/Users"
        assert "hunter2" not in str(error)

    @pytest.mark.parametrize("body", [b"{", b"\xff\xfe\xff", b"nope", b"[" * 100_000, b"1" * 5000])
    def test_broken_json_is_unexpected(self, body):
        error, _ = ask(says(body))
        assert type(error) is UnexpectedAnswer
        assert error.path == "/scim/v2/Users"

    @pytest.mark.parametrize(
        ("status", "kind", "words"),
        [
            (401, AuthenticationFailed, "missing, wrong or expired"),
            (403, AuthenticationFailed, "lacks the right"),
            (400, UnexpectedAnswer, "400"),
            (404, UnexpectedAnswer, "404"),
            (409, UnexpectedAnswer, "409"),
            (500, Unavailable, "500"),
            (599, Unavailable, "599"),
        ],
    )
    def test_a_status_becomes_the_error_that_says_what_to_do(self, status, kind, words):
        error, _ = ask(says({"detail": "ada@nwl.example"}, status))
        assert type(error) is kind
        assert words in str(error)
        assert "/scim/v2/Users" in str(error)
        assert "ada@" not in str(error)

    def test_statuses_the_caller_expects_are_answers(self):
        with WildServer(says({"scimType": "x"}, 404)) as server:
            answer = session(server.url).get("Users/1", allow=(404,))
        assert answer.status == 404

    def test_a_refusal_names_the_kind_of_scim_error(self):
        error, _ = ask(says({"scimType": "invalidFilter"}, 400))
        assert "invalidFilter" in str(error)


class TestSize:
    def test_an_answer_beyond_the_limit_is_refused(self):
        error, _ = ask(says([0] * 10_000), max_answer_bytes=10_000)
        assert type(error) is UnexpectedAnswer
        assert "larger than 10000" in str(error)

    def test_a_decompression_bomb_counts_after_decompression(self):
        bomb = gzip.compress(b" " * 50_000_000)
        error, _ = ask(says(bomb, Content_Encoding="gzip"), max_answer_bytes=1_000_000)
        assert len(bomb) < 1_000_000
        assert type(error) is UnexpectedAnswer

    def test_compressed_answers_are_read(self):
        answer, _ = ask(says(gzip.compress(b"[1]"), Content_Encoding="gzip"))
        assert answer.data == [1]

    def test_what_only_claims_to_be_compressed_is_unexpected(self):
        error, _ = ask(says(b"[1]", Content_Encoding="gzip"))
        assert type(error) is UnexpectedAnswer

    @pytest.mark.parametrize("said", ["[1, 2.5]", "[" + "7, " * 40_000 + "7]", "[NaN", "<html>", "\ufeff[]"])
    def test_what_lies_in_a_file_is_read_as_what_is_in_memory(self, monkeypatch, said):
        monkeypatch.setattr(http, "MOST_HELD", 1)
        body = gzip.compress(said.encode())
        both = [ask(says(body, Content_Encoding="gzip"), stored=stored)[0] for stored in (False, True)]
        plain, stored = ((it.data, it.sha256) if isinstance(it, Answer) else (type(it), str(it)) for it in both)
        assert plain == stored

    def test_what_lies_in_a_file_has_the_same_limit_and_is_asked_for_again_when_it_breaks_off(self, monkeypatch):
        monkeypatch.setattr(http, "MOST_HELD", 1)
        error, _ = ask(says([0] * 10_000), max_answer_bytes=10_000, stored=True)
        assert "larger than 10000" in str(error)

        def half(sock, server):
            sock.sendall(head(200, 500) + b"[0, 0")

        answer, server = ask(half, says([1]), stored=True)
        assert (answer.data, len(server.heads)) == ([1], 2)


LONG_HEADER = head(200, 10_000).replace(b"Connection", b"X-" + b"y" * 2000 + b": 1\r\nConnection")


class TestTime:
    @pytest.mark.parametrize(
        "behaviour",
        [
            pytest.param(silence, id="never answers"),
            pytest.param(drip(LONG_HEADER), id="head byte by byte"),
            pytest.param(drip(head(200, 10_000) + b"[" * 9000), id="body byte by byte"),
            pytest.param(drip(head(200, Transfer_Encoding="chunked") + b"1\r\n[\r\n" * 900), id="chunks byte by byte"),
            pytest.param(drip(head(503, 10_000) + b"[" * 9000), id="error byte by byte"),
            pytest.param(says({}, 503), id="503 for ever"),
            pytest.param(raw(b""), id="hangs up"),
        ],
    )
    def test_every_request_ends_within_its_deadline(self, behaviour):
        begun = time.monotonic()
        error, _ = ask(behaviour, deadline_s=0.6)
        assert time.monotonic() - begun < 0.6 + 4  # they would drip for minutes; a busy machine may be late
        assert type(error) is Unavailable

    def test_the_deadline_is_for_all_requests_together(self):
        with WildServer(raw(b"", head(200, 2), b"[]", pause=0.15)) as server:
            http = session(server.url, deadline_s=2.0)

            def ten():
                return [http.get("Users") for _ in range(10)]

            with pytest.raises(Unavailable, match="not finished within the 2 s"):
                ten()
            assert 1 < len(server.heads) < 10
            http.begin()
            assert http.get("Users").data == []

    def test_a_read_timeout_below_the_deadline_is_asked_again(self):
        answer, server = ask(silence, says([]), read_s=1.0)
        assert answer.data == []
        assert len(server.heads) == 2


class TestAskingAgain:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_a_passing_failure_is_asked_again(self, status):
        answer, server = ask(says({}, status), says([1]))
        assert answer.data == [1]
        assert len(server.heads) == 2

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 501])
    def test_a_lasting_refusal_is_not(self, status):
        _, server = ask(says({}, status), says([1]))
        assert len(server.heads) == 1

    def test_it_gives_up_after_three_more_tries(self):
        error, server = ask(says({}, 503))
        assert type(error) is Unavailable
        assert len(server.heads) == 4

    @pytest.mark.parametrize(
        "broken",
        [
            pytest.param(raw(head(200, 100)[:-30]), id="half a head"),
            pytest.param(raw(head(200, 100) + b"[1"), id="half a body"),
            pytest.param(raw(head(200, Transfer_Encoding="chunked") + b"5\r\n[1"), id="half a chunk"),
            pytest.param(raw(head(200, Transfer_Encoding="chunked") + b"2\r\n[1\r\n"), id="no last chunk"),
            pytest.param(raw(head(200, Transfer_Encoding="chunked") + b"zz\r\n[1\r\n"), id="no chunk size"),
        ],
    )
    def test_a_broken_body_is_asked_for_again_and_then_incomplete(self, broken):
        answer, server = ask(broken, says([1]))
        assert (answer.data, len(server.heads)) == ([1], 2)
        error, server = ask(broken)
        assert type(error) is IncompleteFeed
        assert len(server.heads) == 4

    def test_garbage_instead_of_http_is_unavailable(self):
        error, _ = ask(raw(b"\x00\x01garbage\r\n\r\n"), deadline_s=0.5)
        assert type(error) is Unavailable

    def test_nobody_listening_is_unavailable(self):
        with WildServer() as server:
            port = server.port
        with pytest.raises(Unavailable, match="GET /scim/v2/Users"):
            session(f"http://127.0.0.1:{port}/scim/v2/", deadline_s=0.5).get("Users")

    @pytest.mark.parametrize("status", [502, 503])
    def test_a_change_is_asked_again_only_when_it_may_happen_twice(self, status):
        for idempotent, expected in ((False, 1), (True, 2)):
            with WildServer(says({}, status), says({})) as server:
                http = session(server.url)
                if idempotent:
                    assert http.send("PATCH", "Users/1", {}, idempotent=True).status == 200
                else:
                    with pytest.raises(Unavailable):
                        http.send("PATCH", "Users/1", {})
                assert len(server.heads) == expected

    def test_a_change_is_not_asked_again_after_500(self):
        with WildServer(says({}, 500), says({})) as server, pytest.raises(Unavailable):
            session(server.url).send("PATCH", "Users/1", {}, idempotent=True)


class TestRateLimits:
    def test_it_waits_as_long_as_it_is_told(self):
        took = []
        for _ in range(TRIES):
            begun = time.monotonic()
            answer, server = ask(says({}, 429, Retry_After="1"), says([]))
            took.append(time.monotonic() - begun)
            assert answer.data == []
            assert took[-1] >= 1.0
            assert len(server.heads) == 2
            if took[-1] < 2.0:
                return
        raise AssertionError(f"it waits longer than it is told: {took}")

    def test_being_asked_to_wait_often_is_no_failure(self):
        patient = [says({}, 429, Retry_After="0")] * 8
        answer, server = ask(*patient, says([]))
        assert (answer.data, len(server.heads)) == ([], 9)

    def test_waiting_for_ever_ends(self):
        error, _ = ask(says({}, 429, Retry_After="0"))
        assert type(error) is RateLimited

    @pytest.mark.parametrize(
        "headers",
        [
            {"Retry_After": "90"},
            {"Retry_After": "Mon, 23 Nov 2026 12:01:30 GMT"},
            {"Retry_After": "Tue, 01 Jan 2030 00:01:30 GMT", "Date": "Tue, 01 Jan 2030 00:00:00 GMT"},
        ],
        ids=["seconds", "date by our clock", "date by their clock"],
    )
    def test_a_wait_beyond_the_deadline_says_until_when(self, headers):
        took = []
        for _ in range(TRIES):
            begun = time.monotonic()
            error, server = ask(says({}, 429, **headers))
            took.append(time.monotonic() - begun)
            assert type(error) is RateLimited
            assert 85 < (error.until - NOW).total_seconds() < 95
            assert len(server.heads) == 1
        assert min(took) < 1

    @pytest.mark.parametrize("told", ["soon", "-5", "1.5", "", "\u0663", "99999999999999999999"])
    def test_nonsense_in_retry_after_harms_nothing(self, told):
        wait = retry_after({"Retry-After": told}, NOW)
        assert wait is None or 0 <= wait <= 6 * 3600
