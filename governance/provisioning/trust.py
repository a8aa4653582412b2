"""Whose signatures count: the certificates or keys of one identity provider, for one application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")  # of id tokens; "none" and shared secrets never count


@dataclass(frozen=True)
class Trust:
    """What an assertion is held against. `certificates` (PEM) check SAML, `keys` (a JSON Web Key Set) id tokens.

    A certificate counts because it stands here: its own dates are told as a warning and refuse nothing, as the metadata
    interoperability profile of SAML has it. `recipient` and `in_response_to` are held against the assertion when given.
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

    @classmethod
    def of_certificates(cls, pem: str, *, issuer: str, audience: str, **more: Any) -> Trust:
        """From the text of one or more PEM certificates. Raises ConfigurationError."""
        raise NotImplementedError

    @classmethod
    def of_metadata(cls, xml: str | bytes, *, audience: str, issuer: str | None = None, **more: Any) -> Trust:
        """From SAML metadata: its signing certificates; `issuer` chooses among several. Raises ConfigurationError."""
        raise NotImplementedError

    @classmethod
    def of_keys(cls, jwks: str | bytes, *, issuer: str, audience: str, **more: Any) -> Trust:
        """From the text of a JSON Web Key Set. Raises ConfigurationError."""
        raise NotImplementedError
