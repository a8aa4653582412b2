"""Tokens of Salesforce: client credentials or JWT bearer, both at the organisation's own My Domain.

POST {My Domain}/services/oauth2/token. The client's secret goes into the body (client credentials); or a signed
assertion does (iss the consumer key, sub the username, aud the login server). The answer's `instance_url` says where to
go on: it must be the configured address, so that a token never goes anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from connectors.kit.addresses import Address, origin_of
from connectors.kit.authorization import Granted, Token, client_secret, jwt_bearer, signer, token_endpoint
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.kit.resource import as_text
from governance.errors import ConfigurationError, UnexpectedAnswer

TOKENS: Final = "services/oauth2/token"
LOGIN: Final = "https://login.salesforce.com"


class SalesforceSession:
    """One client's session: `http` asks with its token."""

    def __init__(
        self, address: Address, given: Circumstances, place: str, *, client_id: str, credential: str,
        username: str | None, audience: str,
    ) -> None:  # fmt: skip
        self._tokens = Http(address, given, place)
        if credential.lstrip().startswith("-----BEGIN"):
            if not username:
                raise ConfigurationError(f"{place}: a private key signs for an account: its username is missing")
            sign = signer(credential, place, lambda: self._tokens.deadline.now, lifetime_s=180)
            form = jwt_bearer(sign, {"iss": client_id, "sub": username, "aud": audience})
        else:
            form = client_secret(client_id, credential)
        self.auth = Granted(_pinned(token_endpoint(self._tokens, TOKENS, form, place), address, place))
        self.http = Http(address, given, place, auth=self.auth, headers={"Accept": "application/json"})

    @property
    def scopes(self) -> tuple[str, ...]:
        """What the client was granted."""
        return self.auth.token.scopes

    @property
    def account_id(self) -> str | None:
        """The account the client acts as: the last part of the identity URL."""
        told = as_text(self.auth.token.answer.get("id")) or ""
        return told.rstrip("/").rpartition("/")[2] or None

    def close(self) -> None:
        """Let go of connections."""
        self._tokens.close()
        self.http.close()


def _pinned(grant: Callable[[], Token], address: Address, place: str) -> Callable[[], Token]:
    def pinned() -> Token:
        token = grant()
        instance = token.answer.get("instance_url")
        if instance is not None:
            try:
                origin = origin_of(str(instance))
            except ValueError:
                origin = None
            if origin != address.origin:
                raise UnexpectedAnswer(
                    f"{place}: the token is for another address than base_url: set base_url to the organisation's"
                    " My Domain, such as https://example.my.salesforce.com/",
                    TOKENS,
                )
        return token

    return pinned
