"""The HTTP kit keeps secrets: none reaches a log or an error, in any spelling."""

import logging
import traceback

import pytest

from connectors.kit.redaction import STRUCK, guard_logs, strike
from governance.errors import ConfigurationError
from tests.http_session import ask, session
from tests.wild_server import WildServer, head, raw, says, silence

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
