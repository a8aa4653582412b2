"""The identity provider of the invented company: it signs what it asserts, and applications check the signature.

SAML 2.0 assertions are signed with XML signatures (signxml), id tokens of OpenID Connect with JWS (joserfc). The keys
are made at start and kept nowhere: they open nothing. Applications take them by the reader that people's own assertions
are read with (governance.provisioning).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from governance.errors import RefusedAssertion
from governance.provisioning import Assertion, Reading
from governance.provisioning.assertion import EMAIL, PERSISTENT
from governance.provisioning.reading import read
from governance.provisioning.trust import Trust

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
LASTS: Final = timedelta(minutes=5)
_SPACE: Final = UUID("0f2a3c1e-5b7d-4a55-9d1b-6f0f7a1e2c33")


@dataclass(frozen=True)
class Claims:
    """What is asserted of one person."""

    immutable_id: str
    username: str
    attributes: dict[str, str]  # email, firstName, department ...: names as they go over the wire
    groups: tuple[str, ...] = ()


class IdentityProvider:
    """Signs people in. `certificate` and `keys` are what applications know of it."""

    def __init__(self, issuer: str, now: datetime) -> None:
        self.issuer = issuer
        self._key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Northwind Labs sign-in")])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=4000))
            .not_valid_after(now + timedelta(days=4000))
            .sign(self._key, hashes.SHA256())
        )
        self._certificate = certificate
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._jwk = ECKey.import_key(pem.decode())
        self._trusts: dict[str, Trust] = {}
        self.keys = {"keys": [self._jwk.as_dict(private=False)]}

    def trust(self, audience: str) -> Trust:
        """What an application knows of it. They share a clock here, so none may differ."""
        if audience not in self._trusts:
            trust = Trust(self.issuer, audience, (self.certificate,), self.keys, ("ES256",), skew=timedelta())
            self._trusts[audience] = trust
        return self._trusts[audience]

    def saml(self, claims: Claims, audience: str, at: datetime, *, by_email: bool = False) -> bytes:
        """A signed assertion; `by_email`: the subject is the address, as many set it up, else a persistent id."""
        number = f"_{uuid5(_SPACE, f'{claims.immutable_id}{audience}{at.isoformat()}').hex}"
        root = _element("Assertion", ID=number, Version="2.0", IssueInstant=_time(at), nsmap={"saml": SAML})
        _element("Issuer", root, text=self.issuer)
        subject = _element("Subject", root)
        name = claims.attributes["email"] if by_email else claims.immutable_id
        _element("NameID", subject, text=name, Format=EMAIL if by_email else PERSISTENT)
        confirmation = _element("SubjectConfirmation", subject, Method="urn:oasis:names:tc:SAML:2.0:cm:bearer")
        _element("SubjectConfirmationData", confirmation, NotOnOrAfter=_time(at + LASTS))
        conditions = _element("Conditions", root, NotBefore=_time(at - LASTS), NotOnOrAfter=_time(at + LASTS))
        _element("Audience", _element("AudienceRestriction", conditions), text=audience)
        _element("AuthnStatement", root, AuthnInstant=_time(at), SessionIndex=number)
        statement = _element("AttributeStatement", root)
        told = {
            "username": (claims.username,),
            **{k: (v,) for k, v in claims.attributes.items()},
            "groups": claims.groups,
        }
        for key, values in told.items():
            attribute = _element("Attribute", statement, Name=key)
            for value in values:
                _element("AttributeValue", attribute, text=value)
        signer = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signed = signer.sign(root, key=self._key, cert=[self._certificate], id_attribute="ID")  # all of it, by its ID
        return bytes(etree.tostring(signed))

    def id_token(self, claims: Claims, audience: str, at: datetime) -> str:
        """A signed id token; the subject is another one for each application, as Entra does it."""
        told: dict[str, Any] = {
            "iss": self.issuer,
            "aud": audience,
            "sub": str(uuid5(_SPACE, claims.immutable_id + audience)),
            "oid": claims.immutable_id,
            "iat": int(at.timestamp()),
            "exp": int((at + LASTS).timestamp()),
            "auth_time": int(at.timestamp()),
            "preferred_username": claims.username,
            "groups": list(claims.groups),
            "amr": ["pwd", "mfa"],
            **claims.attributes,
        }
        return jwt.encode({"alg": "ES256"}, told, self._jwk)


def accept_saml(document: bytes, idp: IdentityProvider, audience: str, now: datetime) -> Assertion:
    """What a signed assertion says, as an application takes it. Raises SignOnError."""
    return _accepted(read(document, trust=idp.trust(audience), now=now))


def accept_id_token(token: str, idp: IdentityProvider, audience: str, now: datetime) -> Assertion:
    """What an id token says, as an application takes it. Raises SignOnError."""
    return _accepted(read(token, trust=idp.trust(audience), now=now))


def _accepted(reading: Reading) -> Assertion:
    if reading.assertion is None:
        raise RefusedAssertion("it is encrypted")
    return reading.assertion


def _element(name: str, parent: Any = None, *, text: str | None = None, **attributes: Any) -> Any:
    nsmap = attributes.pop("nsmap", None)
    tag = f"{{{SAML}}}{name}"
    made = etree.Element(tag, attributes, nsmap) if parent is None else etree.SubElement(parent, tag, attributes)
    made.text = text
    return made


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
