"""A signed SAML assertion that buys an access token (RFC 7522), as SAP SuccessFactors wants it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner
from ulid import ULID

from connectors.kit.redaction import guard_logs
from governance.errors import ConfigurationError

GRANT: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"  # RFC 7522, 2.1
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
LASTS: Final = timedelta(minutes=10)


@dataclass(frozen=True)
class Subject:
    """For whom a token is asked, by which client, and where."""

    client_id: str
    company_id: str
    user: str
    audience: str
    token_url: str


def saml_bearer(
    subject: Subject, private_key: str, certificate: str | None, place: str, now: Callable[[], datetime]
) -> Callable[[], Mapping[str, str]]:
    """The form that exchanges a signed assertion for a token; ConfigurationError for a key that is none."""
    guard_logs([private_key])
    try:
        key = load_pem_private_key(private_key.encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(f"{place}: expected an unencrypted private RSA key in PEM form")

    def form() -> Mapping[str, str]:
        assertion = base64.b64encode(_signed(subject, key, certificate, now())).decode("ascii")
        told = {"company_id": subject.company_id, "client_id": subject.client_id}
        return {**told, "grant_type": GRANT, "assertion": assertion}

    return form


def _signed(subject: Subject, key: RSAPrivateKey, certificate: str | None, at: datetime) -> bytes:
    root = etree.Element(f"{{{SAML}}}Assertion", nsmap={"saml2": SAML})
    number = f"_{ULID()}"
    for name, value in (("ID", number), ("Version", "2.0"), ("IssueInstant", _time(at))):
        root.set(name, value)
    _add(root, "Issuer", subject.client_id)
    who = _add(root, "Subject")
    _add(who, "NameID", subject.user, Format=UNSPECIFIED)
    confirmed = _add(who, "SubjectConfirmation", Method=BEARER)
    _add(confirmed, "SubjectConfirmationData", NotOnOrAfter=_time(at + LASTS), Recipient=subject.token_url)
    conditions = _add(root, "Conditions", NotBefore=_time(at - LASTS), NotOnOrAfter=_time(at + LASTS))
    _add(_add(conditions, "AudienceRestriction"), "Audience", subject.audience)
    _add(root, "AuthnStatement", AuthnInstant=_time(at), SessionIndex=number)
    attribute = _add(_add(root, "AttributeStatement"), "Attribute", Name="api_key")
    _add(attribute, "AttributeValue", subject.client_id)
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm=SignatureMethod.RSA_SHA256,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    signed = signer.sign(root, key=key, cert=certificate or None, reference_uri=number, id_attribute="ID")
    return bytes(etree.tostring(signed))


def _add(parent: Any, name: str, text: str | None = None, **attributes: str) -> Any:
    element = etree.SubElement(parent, f"{{{SAML}}}{name}", attributes)
    element.text = text
    return element


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
