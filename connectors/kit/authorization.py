"""How a request proves who asks: a fixed credential, or a token that is fetched for it and renewed."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from ulid import ULID

from connectors.kit.redaction import guard_logs
from governance.errors import AuthenticationFailed, ConfigurationError, UnexpectedAnswer

if TYPE_CHECKING:
    from connectors.kit.http import Http

JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523, 2.1
CLIENT_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2
_EARLY_S: Final = 60.0  # a token is renewed before it ends
_LIFETIME_S: Final = 3600.0  # of a token that does not tell
_REFUSED: Final = (400, 401, 403)
_OAUTH_ERROR: Final = re.compile(r"[a-z_]{2,40}")


class Authorization(Protocol):
    """What puts the Authorization header on a request."""

    def header(self) -> str | None:
        """The header's value; None: without."""

    def renew(self) -> bool:
        """After a 401: whether there is another credential now, so that asking once more makes sense."""


class Fixed:
    """A credential that stays as it is."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def header(self) -> str | None:
        """The header as configured."""
        return self._value

    def renew(self) -> bool:
        """There is no other."""
        return False


def scheme(name: str, token: str | None, place: str) -> Fixed:
    """`NAME token`, such as Okta's `SSWS …`; ConfigurationError for a token that no header may hold."""
    token = (token or "").strip()
    if not token:
        return Fixed(None)
    guard_logs([token])
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigurationError(f"{place}: the token holds signs that no header may hold")
    return Fixed(f"{name} {token}")


def bearer(token: str | None, place: str) -> Fixed:
    """`Bearer token` (RFC 6750)."""
    return scheme("Bearer", token, place)


def basic(name: str, password: str, place: str) -> Fixed:
    """Name and password (RFC 7617)."""
    if ":" in name:
        raise ConfigurationError(f"{place}: the name of a basic authorization must not hold a colon")
    pair = base64.b64encode(f"{name}:{password}".encode()).decode("ascii")
    guard_logs([password] if password else [])
    return scheme("Basic", pair, place)


@dataclass(frozen=True)
class Token:
    """A token as the other side granted it."""

    value: str
    lifetime_s: float = _LIFETIME_S
    scopes: tuple[str, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)


class Granted:
    """A token that is fetched when first needed, renewed before it ends and once after a 401."""

    def __init__(self, grant: Callable[[], Token], name: str = "Bearer") -> None:
        self._grant = grant
        self._name = name
        self._token: Token | None = None
        self._ends = 0.0

    @property
    def token(self) -> Token:
        """The token that is valid now; raises what fetching one raises."""
        token = self._token
        if token is None or time.monotonic() >= self._ends:
            token = self._fetch()
        return token

    def header(self) -> str | None:
        """The header with the token."""
        return f"{self._name} {self.token.value}"

    def renew(self) -> bool:
        """Fetch another token."""
        self._fetch()
        return True

    def _fetch(self) -> Token:
        token = self._token = self._grant()
        guard_logs([token.value])
        self._ends = time.monotonic() + max(token.lifetime_s - _EARLY_S, token.lifetime_s / 2)
        return token


def token_endpoint(http: Http, path: str, form: Callable[[], Mapping[str, str]], place: str) -> Callable[[], Token]:
    """Asks a token endpoint (RFC 6749, 3.2) with this form; AuthenticationFailed names the endpoint's error code."""

    def grant() -> Token:
        http.begin()
        answer = http.send("POST", path, None, form=form(), allow=_REFUSED, idempotent=True)
        told = answer.data if isinstance(answer.data, Mapping) else {}
        value = told.get("access_token")
        if answer.status in _REFUSED:
            code = told.get("error")
            known = f": {code}" if isinstance(code, str) and _OAUTH_ERROR.fullmatch(code) else ""
            raise AuthenticationFailed(f"{place}: {answer.status}: no token was granted{known}")
        if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]+", value):
            raise UnexpectedAnswer(f"{place}: the answer of {answer.path} holds no access_token", answer.path)
        scopes = told.get("scope")
        return Token(
            value,
            _seconds(told.get("expires_in")),
            tuple(scopes.replace(",", " ").split()) if isinstance(scopes, str) else (),
            told,
        )

    return grant


def client_secret(client_id: str, secret: str, scope: str = "", **more: str) -> Callable[[], Mapping[str, str]]:
    """The form of client credentials with a secret in the body (RFC 6749, 4.4 and 2.3.1)."""
    guard_logs([secret])
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret, **more}
    return lambda: {**form, "scope": scope} if scope else form


def client_assertion(
    client_id: str, sign: Callable[[Mapping[str, Any]], str], audience: str, scope: str = ""
) -> Callable[[], Mapping[str, str]]:
    """The form of client credentials with a signed assertion instead of a secret (RFC 7523, 2.2)."""

    def form() -> Mapping[str, str]:
        assertion = sign({"iss": client_id, "sub": client_id, "aud": audience, "jti": str(ULID())})
        told = {"grant_type": "client_credentials", "client_assertion_type": CLIENT_ASSERTION}
        return {**told, "client_assertion": assertion, **({"scope": scope} if scope else {})}

    return form


def jwt_bearer(sign: Callable[[Mapping[str, Any]], str], claims: Mapping[str, Any]) -> Callable[[], Mapping[str, str]]:
    """The form that exchanges a signed assertion for a token (RFC 7523, 2.1): Google, Salesforce."""
    return lambda: {"grant_type": JWT_BEARER, "assertion": sign(claims)}


def signer(
    private_key: str, place: str, now: Callable[[], datetime], *, key_id: str | None = None, lifetime_s: int = 300
) -> Callable[[Mapping[str, Any]], str]:
    """Signs claims with a private key in PEM form (RSA: RS256, P-256: ES256); adds `iat` and `exp`."""
    guard_logs([private_key])
    try:
        if "EC PRIVATE KEY" in private_key:
            key: RSAKey | ECKey = ECKey.import_key(private_key)
        else:
            key = _either(private_key)
    except (JoseError, ValueError, TypeError):
        raise ConfigurationError(
            f"{place}: expected an unencrypted private key in PEM form (-----BEGIN PRIVATE KEY-----)"
        ) from None
    if not key.is_private:
        raise ConfigurationError(f"{place}: this is a public key; expected the private one")
    algorithm = "RS256" if isinstance(key, RSAKey) else "ES256"
    head = {"alg": algorithm, "typ": "JWT"} | ({"kid": key_id} if key_id else {})

    def sign(claims: Mapping[str, Any]) -> str:
        at = now()
        times = {"iat": int(at.timestamp()), "exp": int((at + timedelta(seconds=lifetime_s)).timestamp())}
        return jwt.encode(head, {**times, **claims}, key, algorithms=[algorithm])

    return sign


def _either(private_key: str) -> RSAKey | ECKey:
    try:
        return RSAKey.import_key(private_key)
    except (JoseError, ValueError, TypeError):
        return ECKey.import_key(private_key)


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        return _LIFETIME_S
    return seconds if 0 < seconds < 10**8 else _LIFETIME_S
