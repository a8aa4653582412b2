"""Whose signatures count: the certificates or keys of one identity provider, for one application."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from governance.errors import ConfigurationError, UnreadableAssertion
from governance.provisioning.document import parse
from governance.provisioning.envelope import decoded

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")  # of id tokens, when the trust names none
_KNOWN: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519", "Ed448"}
)
_METADATA: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_CERTIFICATE: Final = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"
_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Trust:
    """What an assertion is held against. `certificates` (PEM) check SAML, `keys` (a JSON Web Key Set) id tokens.

    A certificate counts because it stands here: its own dates are told as a warning and refuse nothing, as the metadata
    interoperability profile of SAML has it. `recipient` and `in_response_to` (of a token: its nonce) are held against
    the assertion when given. Raises ConfigurationError for certificates, keys and algorithms that cannot count.
    """

    issuer: str
    audience: str
    certificates: tuple[str, ...] = ()
    keys: Mapping[str, Any] | None = None
    algorithms: tuple[str, ...] = ALGORITHMS
    legacy_sha1: bool = False  # SAML signatures with SHA-1, which can be forged by who has means
    recipient: str | None = None
    in_response_to: str | None = None
    skew: timedelta = timedelta(seconds=60)

    def __post_init__(self) -> None:
        if not self.issuer or not self.audience:
            raise ConfigurationError(
                "a trust needs the issuer and the audience: whose assertions, and for which application"
            )
        if not self.certificates and self.keys is None:
            raise ConfigurationError("a trust needs certificates (SAML) or keys (OpenID Connect)")
        if unknown := set(self.algorithms) - _KNOWN:
            told = ", ".join(sorted(map(str, unknown)))
            raise ConfigurationError(f"algorithms: {told} cannot count; expected some of {', '.join(sorted(_KNOWN))}")
        if not timedelta() <= self.skew <= timedelta(seconds=60):
            raise ConfigurationError("skew: clocks may differ by 0 to 60 seconds")
        for certificate in self.certificates:
            _certificate(certificate)
        if self.keys is not None:
            _check_keys(self.keys)

    @classmethod
    def of_certificates(cls, pem: str, *, issuer: str, audience: str, **more: Any) -> Trust:
        """From the text of one or more PEM certificates. Raises ConfigurationError."""
        found = tuple(_PEM.findall(pem))
        if not found:
            raise ConfigurationError("no certificate: expected text with -----BEGIN CERTIFICATE-----")
        return cls(issuer=issuer, audience=audience, certificates=found, **more)

    @classmethod
    def of_metadata(cls, xml: str | bytes, *, audience: str, issuer: str | None = None, **more: Any) -> Trust:
        """From SAML metadata: its signing certificates; `issuer` chooses among several. Raises ConfigurationError."""
        try:
            root = parse(decoded(xml) if isinstance(xml, bytes) else xml, comments=False)
        except UnreadableAssertion as error:
            raise ConfigurationError(f"metadata: {error}") from error
        found = {
            str(entity.get("entityID")): role
            for entity in root.iter(f"{_METADATA}EntityDescriptor")
            for role in entity.findall(f"{_METADATA}IDPSSODescriptor")
        }
        name = issuer or (next(iter(found)) if len(found) == 1 else "")
        if name not in found:
            told = ", ".join(sorted(found)) or "none"
            raise ConfigurationError(
                f"metadata: expected the identity provider {issuer or 'by its name'}, found: {told}"
            )
        return cls(issuer=name, audience=audience, certificates=_signing(found[name]), **more)

    @classmethod
    def of_keys(cls, jwks: str | bytes, *, issuer: str, audience: str, **more: Any) -> Trust:
        """From the text of a JSON Web Key Set. Raises ConfigurationError."""
        try:
            keys = json.loads(jwks)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"keys: no JSON: {error}") from error
        return cls(issuer=issuer, audience=audience, keys=keys, **more)


def _signing(role: Any) -> tuple[str, ...]:
    """The certificates an identity provider signs with, as PEM, each once; a key without a use is for both."""
    found = dict.fromkeys(
        "".join("".join(element.itertext()).split())
        for key in role.findall(f"{_METADATA}KeyDescriptor")
        if key.get("use") in (None, "signing")
        for element in key.iter(_CERTIFICATE)
    )
    if not found:
        raise ConfigurationError("metadata: the identity provider names no signing certificate")
    try:
        loaded = [x509.load_der_x509_certificate(base64.b64decode(text, validate=True)) for text in found]
    except (binascii.Error, ValueError, TypeError) as error:
        raise ConfigurationError(f"metadata: a signing certificate cannot be read: {error}") from error
    return tuple(certificate.public_bytes(Encoding.PEM).decode() for certificate in loaded)


def _certificate(pem: str) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key = certificate.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"a certificate cannot be read: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise ConfigurationError(f"a certificate holds no RSA or EC key: {certificate.subject.rfc4514_string()}")
    return certificate


def _check_keys(keys: Any) -> None:
    """Only public keys of pairs count: what is shared can be used to sign, what is private has no place here."""
    listed = keys.get("keys") if isinstance(keys, Mapping) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(key, Mapping) for key in listed):
        raise ConfigurationError('keys: expected a JSON Web Key Set: {"keys": [...]} with at least one key')
    if any(key.get("kty") not in ("RSA", "EC", "OKP") for key in listed):
        raise ConfigurationError("keys: only RSA, EC and OKP keys count: who can check with a shared key can also sign")
    if any("d" in key for key in listed):
        raise ConfigurationError("keys: a private key is among them: give the public ones only")
    try:
        KeySet.import_key_set(cast(Any, dict(keys)))
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f"keys: one cannot be read: {error}") from error
