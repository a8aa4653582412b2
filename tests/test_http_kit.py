"""The HTTP kit over real sockets: it ends in time, talks to one address only, keeps secrets, and raises our errors."""

import gzip
import json
import logging
import time
import traceback
from pathlib import Path

import pytest
import requests
import urllib3

from connectors.kit.addresses import check_base
from connectors.kit.contract import Circumstances
from connectors.kit.failures import FOREIGN, translated
from connectors.kit.http import Http
from connectors.kit.patience import retry_after
from connectors.kit.redaction import STRUCK, guard_logs, strike
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    LeaverwatchError,
    RateLimited,
    Unavailable,
    UnexpectedAnswer,
)
from tests.feeds import NOW, TOKEN
from tests.wild_server import WildServer, drip, head, raw, says, silence

WHERE = "leaverwatch.toml: [[application]] wiki"


def session(url, deadline_s=5.0, max_answer_bytes=1024 * 1024, token=TOKEN, **more):
    given = Circumstances(NOW, Path("/nowhere"), deadline_s=deadline_s, max_answer_bytes=max_answer_bytes)
    return Http(check_base(url, WHERE), given, "wiki", token=token, **more)


def ask(*behaviours, deadline_s=5.0, path="Users", **more):
    """What one GET gives, or the error, and what the server saw."""
    with WildServer(*behaviours) as server:
        http = session(server.url, deadline_s, **more)
        try:
            return http.get(path), server
        except LeaverwatchError as error:
            return error, server
        finally:
            http.close()


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
        error, _ = ask(says({"detail": "ada@nwl.example"}, status), deadline_s=0.3)
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
        error, _ = ask(says(b"[1]", Content_Encoding="gzip"), deadline_s=0.5)
        assert type(error) is UnexpectedAnswer


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
            http = session(server.url, deadline_s=1.0)

            def ten():
                return [http.get("Users") for _ in range(10)]

            with pytest.raises(Unavailable, match="not finished within the 1 s"):
                ten()
            assert 1 < len(server.heads) < 10
            http.begin()
            assert http.get("Users").data == []

    def test_a_read_timeout_below_the_deadline_is_asked_again(self):
        answer, server = ask(silence, says([]), read_s=0.2)
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
        begun = time.monotonic()
        answer, server = ask(says({}, 429, Retry_After="1"), says([]))
        assert answer.data == []
        assert 1.0 <= time.monotonic() - begun < 2.0
        assert len(server.heads) == 2

    def test_being_asked_to_wait_often_is_no_failure(self):
        patient = [says({}, 429, Retry_After="0")] * 8
        answer, server = ask(*patient, says([]))
        assert (answer.data, len(server.heads)) == ([], 9)

    def test_waiting_for_ever_ends(self):
        error, _ = ask(says({}, 429, Retry_After="0"), deadline_s=3)
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
        begun = time.monotonic()
        error, server = ask(says({}, 429, **headers))
        assert type(error) is RateLimited
        assert 85 < (error.until - NOW).total_seconds() < 95
        assert time.monotonic() - begun < 1
        assert len(server.heads) == 1

    @pytest.mark.parametrize("told", ["soon", "-5", "1.5", "", "\u0663", "99999999999999999999"])
    def test_nonsense_in_retry_after_harms_nothing(self, told):
        wait = retry_after({"Retry-After": told}, NOW)
        assert wait is None or 0 <= wait <= 6 * 3600


STATUSES = [301, 302, 303, 307, 308]
TRICKS = {
    "other port": "http://127.0.0.1:{thief}/x",
    "no scheme": "//127.0.0.1:{thief}/x",
    "host as a name": "http://127.0.0.1:{port}@127.0.0.1:{thief}/x",
    "name before the host": "http://ada:pw@127.0.0.1:{port}/x",
    "other scheme": "https://127.0.0.1:{port}/x",
    "other name of the host": "http://localhost:{port}/x",
    "backslash and at": "http://127.0.0.1:{thief}\\@127.0.0.1:{port}/x",
    "backslashes": "\\\\127.0.0.1:{thief}\\x",
    "slash and backslash": "http:/\\127.0.0.1:{thief}/x",
    "capitals": "HTTP://127.0.0.1:{thief}/x",
    "escaped slash": "http://127.0.0.1%2f@127.0.0.1:{thief}/x",
    "full-width digits": "http://\uff11\uff12\uff17.0.0.1:{thief}/x",
    "decimal address": "http://2130706433:{thief}/x",
    "blank inside": "http://127.0.0.1:{thief} /x",
    "other protocol": "file:///etc/passwd",
    "IPv6 of the same machine": "http://[::1]:{thief}/x",
}


class TestOneAddress:
    @pytest.mark.parametrize("status", STATUSES)
    @pytest.mark.parametrize("trick", TRICKS)
    def test_no_redirect_leads_the_token_elsewhere(self, trick, status):
        with WildServer(says([])) as thief:

            def lead_astray(sock, server):
                location = TRICKS[trick].format(port=server.port, thief=thief.port)
                sock.sendall(head(status, 0)[:-2] + f"Location: {location}\r\n\r\n".encode())

            error, server = ask(lead_astray)
            assert type(error) is UnexpectedAnswer, trick
            assert thief.connections == 0
            assert len(server.heads) == 1

    @pytest.mark.parametrize("status", STATUSES)
    def test_a_redirect_on_the_same_address_is_followed(self, status):
        answer, server = ask(says({}, status, Location="/scim/v2/People?x=1"), says([1]))
        assert answer.data == [1]
        assert server.paths() == ["/scim/v2/Users", "/scim/v2/People?x=1"]

    def test_circles_end(self):
        error, server = ask(says({}, 302, Location="/scim/v2/Users"))
        assert type(error) is UnexpectedAnswer
        assert len(server.heads) <= 5

    def test_a_change_is_never_redirected(self):
        with WildServer(says({}, 307, Location="/scim/v2/Users/2"), says({})) as server:
            with pytest.raises(UnexpectedAnswer, match="307"):
                session(server.url).send("PUT", "Users/1", {}, idempotent=True)
            assert len(server.heads) == 1

    def test_a_full_url_of_another_host_is_not_sent(self):
        with WildServer(says([])) as thief, WildServer(says([])) as server:
            with pytest.raises(UnexpectedAnswer, match="not sent"):
                session(server.url).get(thief.url)
            assert thief.connections == 0

    def test_cookies_are_not_kept(self):
        _, server = ask(says({}, 302, Location="/scim/v2/X", Set_Cookie="a=b; Path=/"), says([]))
        assert b"ookie" not in server.heads[1]

    def test_names_and_passwords_of_netrc_are_not_sent(self, tmp_path, monkeypatch):
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password hunter2\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        _, server = ask(says([]), token=None)
        assert b"Authorization" not in server.heads[0]

    def test_a_public_name_of_a_private_address_gets_nothing(self):
        # 127.1 is no IP address to look at, yet it resolves to one of this machine.
        with WildServer(says([])) as server:
            with pytest.raises(ConfigurationError, match="allow_private"):
                session(f"https://127.1:{server.port}/").get("Users")
            assert server.heads == []


class TestBaseAddress:
    @pytest.mark.parametrize(
        "url",
        [
            "http://example.com/scim/v2/",
            "ftp://example.com/",
            "https://ada:pw@example.com/",
            "https://ada@example.com/",
            "https://example.com@evil.example/",
            "https://10.0.0.8/",
            "https://192.168.1.4/scim",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fd00::1]/",
            "https://[fe80::1%25eth0]/",
            "https://[::ffff:10.0.0.8]/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
            "https://2130706433/",
            "https://intranet/",
            "https://wiki.corp/",
            "https://wiki.internal/",
            "http://10.0.0.8/",
            "https://exämple.com/",
            "https://example.com/a b",
            "https://example.com\\@evil.example/",
            "https://example.com/?tenant=1",
            "https://example.com/#x",
            "https:///scim",
            "https://",
            "example.com/scim",
            "//example.com/",
            "javascript:alert(1)",
            "https://example.com:99999/",
            "https://example.com:port/",
            "https://exa\nmple.com/",
            "https://[::1/",
            "",
            None,
            5,
        ],
    )
    def test_these_are_refused_and_the_key_is_named(self, url):
        with pytest.raises(ConfigurationError, match=r"\[\[application\]\] wiki: base_url: "):
            check_base(url, WHERE)

    @pytest.mark.parametrize(
        ("url", "private"),
        [
            ("https://example.com/scim/v2", False),
            ("https://example.com:8443/", False),
            ("http://127.0.0.1:5080/", False),
            ("http://localhost:5080/scim", False),
            ("http://[::1]:80/", False),
            ("https://8.8.8.8/", False),
            ("https://10.0.0.8/", True),
            ("http://wiki.corp/", True),
            ("http://wiki/", True),
        ],
    )
    def test_these_are_allowed(self, url, private):
        address = check_base(url, WHERE, allow_private=private)
        assert address.url.endswith("/")
        assert address.join("/Users") == address.url + "Users"

    def test_a_password_in_the_address_is_not_repeated(self):
        with pytest.raises(ConfigurationError) as caught:
            check_base("https://ada:hunter2@example.com/", WHERE)
        assert "hunter2" not in str(caught.value)


def kinds(module, base):
    found = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, base) and v is not Warning]
    return sorted({k for k in found if not issubclass(k, Warning)}, key=lambda k: k.__name__)


class TestForeignErrors:
    @pytest.mark.parametrize("kind", kinds(requests.exceptions, requests.RequestException), ids=lambda k: k.__name__)
    def test_each_of_requests_becomes_one_of_ours(self, kind):
        self.check(kind)

    @pytest.mark.parametrize("kind", kinds(urllib3.exceptions, urllib3.exceptions.HTTPError), ids=lambda k: k.__name__)
    def test_each_of_urllib3_becomes_one_of_ours(self, kind):
        self.check(kind)

    @pytest.mark.parametrize(
        "kind",
        [
            ConnectionResetError,
            TimeoutError,
            BrokenPipeError,
            OSError,
            ValueError,
            RecursionError,
            json.JSONDecodeError,
        ],
        ids=lambda k: k.__name__,
    )
    def test_and_what_lies_below_them(self, kind):
        self.check(kind)

    @staticmethod
    def check(kind):
        foreign = kind.__new__(kind, "https://ada:hunter2@evil.example")
        assert isinstance(foreign, FOREIGN)
        ours = translated(foreign, "wiki: GET /scim/v2/Users", "/scim/v2/Users")
        assert isinstance(ours, FeedError | ConfigurationError)
        assert type(ours) is not FeedError
        assert str(ours).startswith("wiki: GET /scim/v2/Users: ")
        assert "hunter2" not in str(ours)
        if isinstance(ours, UnexpectedAnswer):
            assert ours.path == "/scim/v2/Users"

    def test_ours_stay_as_they_are(self):
        error = Unavailable("x")
        assert translated(error, "place", "/") is error


CANARY = "canary-7f3a-token/+="


class TestSecrets:
    @pytest.mark.parametrize(
        "behaviour",
        [
            says([]),
            says({}, 401),
            says({}, 503),
            says(b"<html>", kind="text/html"),
            says({}, 302, Location=f"http://127.0.0.1:1/?t={CANARY}"),
            says({}, 302, Location=f"/scim/v2/Users?t={CANARY}"),
            says({}, 429, Retry_After="900"),
            raw(f"HTTP/1.1 200 {CANARY}\r\nX {CANARY}\r\n\r\n".encode()),
            raw(head(200, 100) + CANARY.encode()),
            silence,
        ],
    )
    def test_no_secret_reaches_a_log_or_an_error(self, behaviour, caplog):
        caplog.set_level(logging.DEBUG)
        outcome, _ = ask(behaviour, token=CANARY, deadline_s=0.4)
        if isinstance(outcome, Exception):
            logging.getLogger("leaverwatch").error("failed", exc_info=outcome)
            assert CANARY not in "".join(traceback.format_exception(outcome))
        assert caplog.text
        assert CANARY not in caplog.text

    @pytest.mark.parametrize("token", ["two words", "line\nbreak-secret", "tab\tsecret", "ümlaut-secret"])
    def test_a_token_that_no_header_can_hold_is_named_but_not_shown(self, token):
        with pytest.raises(ConfigurationError, match="wiki: the token holds") as caught:
            session("http://127.0.0.1:9/", token=token)
        assert token not in "".join(traceback.format_exception(caught.value))

    def test_blanks_around_a_token_from_a_file_do_not_matter(self):
        with WildServer(says([])) as server:
            session(server.url, token="abcdef\n").get("Users")
            assert b"Bearer abcdef\r\n" in server.heads[0]

    def test_secrets_are_struck_out_of_every_logger_in_every_spelling(self, caplog):
        guard_logs([CANARY])
        caplog.set_level(logging.DEBUG)
        logging.getLogger("urllib3.connectionpool").debug('"GET /x?t=%s"', CANARY)
        logging.getLogger("new.library").warning("canary-7f3a-token%2F%2B%3D in a URL")
        logging.getLogger("new.library").warning({"token": CANARY})
        try:
            raise ValueError(f"Bearer {CANARY}")
        except ValueError:
            logging.getLogger("new.library").exception("an error")
        assert "canary-7f3a" not in caplog.text
        assert caplog.text.count(STRUCK) >= 4  # other tests' secrets are known too

    def test_a_secret_that_is_a_word_of_the_mark_does_not_spoil_it(self):
        assert strike(f"token {CANARY}", {CANARY, "secret"}) == f"token {STRUCK}"

    def test_other_lines_stay_as_they_are(self, caplog):
        guard_logs([CANARY, "abc"])
        logging.getLogger("x").warning("%s of %d abc", "one", 2)
        assert caplog.messages == ["one of 2 abc"]
        assert caplog.records[0].args == ("one", 2)
