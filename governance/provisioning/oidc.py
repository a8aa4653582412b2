"""Reading an id token of OpenID Connect: a compact JWS, checked against pinned keys.

Sources: OpenID Connect core, section 3.1.3.7 (what a client must check); RFC 8725 (algorithms from the trust, never
from the token; keys that a header points to are not fetched; one kind of token is not taken for another).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final, NoReturn, cast

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

from governance.errors import RefusedAssertion, UnreadableAssertion
from governance.provisioning import claims
from governance.provisioning.assertion import PAIRWISE, Assertion, Reading
from governance.provisioning.document import LIMIT
from governance.provisioning.trust import Trust

_POINTERS: Final = ("jku", "x5u", "jwk", "x5c")
_KINDS: Final = frozenset({None, "jwt", "application/jwt", "id_token+jwt"})
_OF_THE_PROTOCOL: Final = frozenset(
    {"iss", "aud", "sub", "exp", "iat", "nbf", "jti", "nonce", "azp", "auth_time", "at_hash", "c_hash", "s_hash", "acr",
     "ver", "rh", "uti", "aio", "_claim_names", "_claim_sources"}
)  # fmt: skip
_KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


class _Registry(JWSRegistry):
    """The library's own caps are for small tokens; ours is the cap of everything that is pasted."""

    max_header_length = max_payload_length = max_signature_length = LIMIT

    def get_alg(self, name: str) -> Any:
        """The algorithm the trust allows; "EdDSA" is still what most call it, without the library's warning."""
        return self.algorithms[name] if self.allowed and name in self.allowed else super().get_alg(name)


def read_token(text: str, trust: Trust | None, now: datetime, *, expired_is_fine: bool = False) -> Reading:
    """What a compact token says: see `reading.read`."""
    parts = text.split(".")
    header = _object(_bytes(parts[0], "the token's header"), "the token's header")
    if len(parts) == 5:
        if not isinstance(header.get("enc"), str):
            raise UnreadableAssertion("a token of five parts is encrypted, and this one does not say how (enc)")
        said = "the token is encrypted for the application: nothing of it can be read here"
        return Reading("oidc", None, "encrypted", warnings=(said,))
    by, body = _verified(text, header, trust) if trust is not None else (None, _bytes(parts[1], "the token's payload"))
    payload = _object(body, "the token's payload")
    warnings = [f"the token points to a key by {name}, which is ignored" for name in _POINTERS if name in header]
    if trust is not None:
        _check(payload, trust)
    times = {name: _instant(payload, name) for name in ("nbf", "iat", "auth_time", "exp")}
    begins, ends = times["nbf"] or times["iat"], times["exp"]
    expired = ends is not None and now - (trust.skew if trust else claims.NO_TIME) >= ends
    if trust is not None:
        if expired and not expired_is_fine:
            raise RefusedAssertion(f"the token held until {ends:%Y-%m-%d %H:%M:%S} UTC")
        for name in ("nbf", "iat", "auth_time"):
            if (instant := times[name]) is not None and instant - trust.skew > now:
                raise RefusedAssertion(f"the token holds only from {instant:%Y-%m-%d %H:%M:%S} UTC ({name})")
    told = _told(payload)
    said_by = _assertion(payload, told, trust)
    if said_by.groups is None and not said_by.groups_overage:
        warnings.append(
            "no groups are told; where more than fit into a token, some leave them out without a word (100)"
        )
    warnings += claims.warnings(told, {"groups": said_by.groups})
    return Reading(
        protocol="oidc",
        assertion=said_by,
        signature="verified" if trust is not None else "unverified",
        by=by,
        holds_from=begins,
        holds_until=ends,
        expired=expired,
        warnings=tuple(dict.fromkeys((*warnings, *said_by.cautions))),
        told=told,
    )


def _verified(token: str, header: dict[str, Any], trust: Trust) -> tuple[str, bytes]:
    """Which key signed the token and how, and the bytes it signed. Raises RefusedAssertion."""
    algorithm, kid = header.get("alg"), header.get("kid")
    if trust.keys is None:
        raise RefusedAssertion("the trust has no keys, which an id token needs")
    if not isinstance(algorithm, str) or algorithm not in trust.algorithms:
        raise RefusedAssertion(f"the token is signed with {algorithm}; accepted are {', '.join(trust.algorithms)}")
    if header.keys() & {"crit", "b64"}:
        raise RefusedAssertion("the token demands an extension that is not understood (crit)")
    kind = header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _KINDS:
        raise RefusedAssertion(f"the token is no id token but of type {kind}")
    listed = [dict(key) for key in trust.keys["keys"]]
    named = [key.get("kid") for key in listed]  # the library names keys that have no name
    keys = [
        key
        for key, name in zip(KeySet.import_key_set(cast(Any, {"keys": listed})).keys, named, strict=True)
        if _fits(key, algorithm) and (kid is None or name in (kid, None))
    ]
    if not keys:
        of = f" of the name {kid}" if kid is not None else ""
        raise RefusedAssertion(f"none of the trusted keys{of} can check {algorithm}: it is not looked for elsewhere")
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    for key in keys:
        try:
            signed = jws.deserialize_compact(token, key, [algorithm], registry)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue
        by = f"key {key.kid or 'without a name'}, SHA-256 thumbprint {key.thumbprint()}, {algorithm}"
        return by, signed.payload or b""
    raise RefusedAssertion("the signature of the token does not hold: it was changed, or signed by another key")


def _fits(key: Key, algorithm: str) -> bool:
    told = key.as_dict(private=False)
    return (
        key.key_type == _KEY_TYPES.get(algorithm[:2])
        and told.get("use") in (None, "sig")
        and told.get("alg") in (None, algorithm)
    )


def _check(payload: dict[str, Any], trust: Trust) -> None:
    """Everything but the times. Raises RefusedAssertion with the first thing that does not hold."""
    if payload.get("iss") != trust.issuer:
        raise RefusedAssertion(f"the token was issued by {payload.get('iss')}, not by {trust.issuer}")
    audience = payload.get("aud")
    for_whom = audience if isinstance(audience, list) else [audience]
    if trust.audience not in for_whom:
        raise RefusedAssertion(f"the token is for {', '.join(map(str, for_whom))}, not for {trust.audience}")
    if (len(for_whom) > 1 or "azp" in payload) and payload.get("azp") != trust.audience:
        raise RefusedAssertion(f"the token was made for {payload.get('azp')} (azp), not for {trust.audience}")
    for name in ("exp", "iat"):
        if name not in payload:
            raise RefusedAssertion(f"the token does not say {name}: it would hold for ever")
    if trust.in_response_to is not None and payload.get("nonce") != trust.in_response_to:
        raise RefusedAssertion(f"the token answers {payload.get('nonce')} (nonce), not {trust.in_response_to}")


def _assertion(payload: dict[str, Any], told: claims.Told, trust: Trust | None) -> Assertion:
    """The record. Raises UnreadableAssertion with the claim that is missing."""
    for name in ("iss", "sub"):
        if not isinstance(payload.get(name), str) or not payload[name].strip():
            raise UnreadableAssertion(f"the token's claim {name}: expected text, found {payload.get(name)!r:.40}")
    at = _instant(payload, "auth_time") or _instant(payload, "iat") or _instant(payload, "nbf")
    if at is None:
        raise UnreadableAssertion("the token's claim auth_time or iat: expected when somebody signed in")
    audience = payload.get("aud")
    first = next(iter(audience), "") if isinstance(audience, list) else audience
    acr = payload.get("acr")
    fields = claims.fields(told, "oidc")
    names = payload.get("_claim_names")
    if isinstance(names, dict) and "groups" in names:
        fields.update(groups=None, groups_overage=True)
    session = payload.get("sid")
    return Assertion(
        issuer=payload["iss"],
        audience=trust.audience if trust is not None else str(first or ""),
        subject=payload["sub"],
        subject_format=PAIRWISE,
        at=at,
        verified=trust is not None,
        session_index=session if isinstance(session, str) else None,
        acr=acr if isinstance(acr, str) else None,
        attributes=tuple((name, values) for name, values in told if name not in _OF_THE_PROTOCOL),
        **fields,
    )


def _told(payload: dict[str, Any]) -> claims.Told:
    return tuple((name, tuple(_values(value))) for name, value in payload.items() if value is not None)


def _values(value: Any) -> Iterable[str]:
    """A claim as texts: lists one by one, what has parts as JSON."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str):
            yield one
        elif one is not None:
            yield json.dumps(one, ensure_ascii=False)


def _instant(payload: dict[str, Any], name: str) -> datetime | None:
    """A claim of seconds since 1970 in UTC. Raises UnreadableAssertion when it is none."""
    told = payload.get(name)
    if told is None:
        return None
    try:
        if isinstance(told, bool) or not isinstance(told, int | float):
            raise TypeError(told)
        return datetime.fromtimestamp(told, UTC)
    except (TypeError, ValueError, OverflowError, OSError) as error:
        raise UnreadableAssertion(f"the token's claim {name}: {told!r:.40} is no time in seconds") from error


def _bytes(part: str, what: str) -> bytes:
    try:
        return urlsafe_b64decode(part.encode())
    except ValueError as error:
        raise UnreadableAssertion(f"{what} is not in base64url: {error}") from error


def _object(data: bytes, what: str) -> dict[str, Any]:
    """One part of a token. Raises UnreadableAssertion, also for a name that stands twice and for half characters."""
    try:
        read = json.loads(data, object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(read, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise UnreadableAssertion(f"{what} is no JSON: {error}") from error
    if not isinstance(read, dict):
        raise UnreadableAssertion(f"{what}: expected an object of JSON")
    return read


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("a name stands twice")
    return read


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
