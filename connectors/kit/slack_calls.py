"""Calls to Slack's Web API, whose answer to almost everything is 200: `ok: false` becomes an error of ours.

Confirmed in docs.slack.dev/apis/web-api: `ok`, `error`, `needed` and `provided` for a missing scope, the header
x-oauth-scopes, cursors (`response_metadata.next_cursor`, empty at the end), 429 with Retry-After.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectors.kit.addresses import Address
from connectors.kit.answers import Answer, Reads
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.kit.momentary import asked_again
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import Page
from governance.errors import AuthenticationFailed, UnexpectedAnswer

REFUSED: Final = frozenset(
    {
        "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "org_login_required",
        "two_factor_setup_required", "ekm_access_denied", "team_access_not_granted", "accesslimited",
        "access_denied", "no_permission", "missing_scope", "not_allowed_token_type", "permission_denied",
        "restricted_action", "user_is_bot", "user_is_restricted", "not_an_admin", "invalid_admin",
    }
)  # fmt: skip
PLAN: Final = frozenset(
    {"paid_only", "paid_teams_only", "plan_upgrade_required", "not_an_enterprise", "feature_not_enabled",
     "enterprise_is_restricted", "team_not_enterprise", "unknown_method", "upgrade_required"}
)  # fmt: skip
_PASSING: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
     "team_added_to_org"}
)  # fmt: skip
_CODE: Final = re.compile(r"[a-z0-9_]{2,60}")
_SCOPES: Final = re.compile(r"[a-z0-9_.:, ]{2,200}")


class SlackCalls:
    """One session with the Web API."""

    def __init__(
        self, address: Address, given: Circumstances, place: str, token: str, limits: tuple[RateLimit, ...]
    ) -> None:
        self.http = Http(address, given, place, token=token, limits=limits)
        self.digest = hashlib.sha256()
        self.scopes: frozenset[str] | None = None  # as the last answer told them
        self._place = place

    def get(
        self,
        method: str,
        params: Mapping[str, str] | None = None,
        *,
        allow: frozenset[str] = frozenset(),
        form: Reads | None = None,
    ) -> dict[str, Any]:
        """Read. Error codes in `allow` are answers too: then `ok` is False. `form`: as `Http.get` has it."""
        return self._told(method, lambda: self.http.get(method, params, form=form), allow)

    def post(self, method: str, form: Mapping[str, str], *, allow: frozenset[str] = frozenset()) -> dict[str, Any]:
        """Change something; all that are used here may be done twice."""
        return self._told(method, lambda: self.http.send("POST", method, None, form=form, idempotent=True), allow)

    def pages(
        self, method: str, key: str, params: Mapping[str, str], form: Reads | None = None
    ) -> Callable[[str | None], Page]:
        """What fetches one page of a list that goes on by cursor."""

        def fetch(cursor: str | None) -> Page:
            told = self.get(method, {**params, "cursor": cursor} if cursor else params, form=form)
            items = told.get(key) if told["ok"] is True else []
            if not isinstance(items, list):
                raise UnexpectedAnswer(f"{self._place}: {method}: the answer holds no list of {key}", method)
            metadata = told.get("response_metadata")
            following = metadata.get("next_cursor") if isinstance(metadata, dict) else None
            if following is not None and not isinstance(following, str):
                raise UnexpectedAnswer(f"{self._place}: {method}: next_cursor is no text", method)
            return Page(items, following or None)

        return fetch

    def close(self) -> None:
        """Let go of the connections."""
        self.http.close()

    def _told(self, method: str, ask: Callable[[], Answer], allow: frozenset[str]) -> dict[str, Any]:
        def passes(answer: Answer) -> float | None:
            return 0.0 if _error(answer) in _PASSING else None

        place = f"{self._place}: {method}"
        answer = asked_again(ask, passes, self.http.deadline, place, limited=False)
        told = answer.data
        header = answer.headers.get("x-oauth-scopes")
        if header is not None:
            self.scopes = frozenset(scope.strip() for scope in header.split(",") if scope.strip())
        if not isinstance(told, dict) or not isinstance(told.get("ok"), bool):
            raise UnexpectedAnswer(f"{place}: the answer does not say whether it is ok", method)
        code = _error(answer)
        if told["ok"] or code in allow:
            self.digest.update(answer.sha256.encode())
            return told
        shown = code if _CODE.fullmatch(code) else "an unknown error"
        if code in REFUSED:
            needed = told.get("needed")
            known = f"; needs {needed}" if isinstance(needed, str) and _SCOPES.fullmatch(needed) else ""
            raise AuthenticationFailed(f"{place}: {shown}{known}")
        hint = "; the token of an organisation needs team_id" if code == "missing_argument" else ""
        raise UnexpectedAnswer(f"{place}: {shown}{hint}", method)


def _error(answer: Answer) -> str:
    told = answer.data
    if not isinstance(told, dict) or told.get("ok") is not False:
        return ""
    code = told.get("error")
    return code if isinstance(code, str) else "unknown"
