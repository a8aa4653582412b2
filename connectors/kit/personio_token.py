"""Personio's way of granting tokens, and of saying that something went wrong with a 200."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.kit.answers import Answer
from connectors.kit.authorization import Granted, Token
from connectors.kit.http import Http
from connectors.kit.redaction import guard_logs
from governance.errors import AuthenticationFailed, UnexpectedAnswer

PATH: Final = "v1/auth"
LIFETIME_S: Final = 23 * 3600.0  # a token is good for a day
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_CODES: Final = (401, 403)


class Rotating(Granted):
    """A token that the header `authorization` of any answer may replace, after which the old one is worthless."""

    def heard(self, headers: Mapping[str, str]) -> None:
        """Go on with the token an answer hands out, where it does."""
        name, _, value = (headers.get("authorization") or "").partition(" ")
        if name.casefold() == "bearer" and _TOKEN.fullmatch(value) and self._token is not None:
            guard_logs([value])
            self._token = Token(value, LIFETIME_S)


def requested(http: Http, client_id: str, secret: str, place: str) -> Callable[[], Token]:
    """Asks for a token with a client id and its secret (personio-auth-api.yaml)."""
    guard_logs([secret])

    def grant() -> Token:
        http.begin()
        body = {"client_id": client_id, "client_secret": secret}
        answer = http.send("POST", PATH, body, allow=(400, 401, 403), idempotent=True)
        if answer.status != 200:
            raise AuthenticationFailed(f"{place}: {answer.status}: no token was granted for this client id")
        data = told_well(answer).get("data")
        value = data.get("token") if isinstance(data, Mapping) else None
        if not isinstance(value, str) or not _TOKEN.fullmatch(value):
            raise UnexpectedAnswer(f"{place}: the answer of {answer.path} holds no token", answer.path)
        return Token(value, LIFETIME_S)

    return grant


def told_well(answer: Answer) -> Mapping[str, Any]:
    """The answer's object; an error where it says `success: false`, which comes with a 200 at times."""
    told = answer.data if isinstance(answer.data, dict) else {}
    if told.get("success") is False:
        error = told.get("error")
        code = error.get("code") if isinstance(error, Mapping) else None
        if code in _CODES:
            raise AuthenticationFailed(f"{answer.path}: {code}: the credential was refused or lacks the right")
        shown = f" ({code})" if isinstance(code, int) else ""
        raise UnexpectedAnswer(f"{answer.path}: Personio says that it did not succeed{shown}", answer.path)
    return told
