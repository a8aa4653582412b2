"""The identity provider of the invented company: it signs what it asserts, and applications check the signature.

SAML 2.0 assertions are signed with XML signatures (signxml), id tokens of OpenID Connect with JWS (joserfc). The keys
are made at start and kept nowhere: they open nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from signxml.verifier import SignatureConfiguration, XMLVerifier

from governance.provisioning import Assertion
from governance.provisioning.assertion import EMAIL, PAIRWISE, PERSISTENT

SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
LASTS: Final = timedelta(minutes=5)
_SPACE: Final = UUID("0f2a3c1e-5b7d-4a55-9d1b-6f0f7a1e2c33")
_FIELDS: Final = {  # names on the wire -> ours
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "department": "department",
    "title": "title",
    "employeeNumber": "employee_number",
    "employeeType": "employee_type",
}


class SignatureRefusedError(Exception):
    """What was shown is not what the identity provider signed, or not for this application, or not now."""


@dataclass(frozen=True)
class Claims:
    """What is asserted of one person."""

    immutable_id: str
    username: str
    attributes: dict[str, str]  # names as in `_FIELDS`
    groups: tuple[str, ...] = ()


class IdentityProvider:
    """Signs people in. `certificate` and `public` are what applications know of it."""

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
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM).decode()
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._pem = pem.decode()
        self._jwk = ECKey.import_key(self._pem)
        self.public = ECKey.import_key(self._jwk.as_pem(private=False))

    def saml(self, claims: Claims, audience: str, at: datetime, *, by_email: bool = False) -> bytes:
        """A signed assertion; `by_email`: the subject is the address, as many set it up, else a persistent id."""
        number = f"_{uuid5(_SPACE, f'{claims.immutable_id}{audience}{at.isoformat()}').hex}"
        root = _element("Assertion", ID=number, Version="2.0", IssueInstant=_time(at), nsmap={"saml": SAML})
        _element("Issuer", root, text=self.issuer)
        subject = _element("Subject", root)
        name = claims.attributes["email"] if by_email else claims.immutable_id
        _element("NameID", subject, text=name, Format=EMAIL if by_email else PERSISTENT)
        conditions = _element("Conditions", root, NotBefore=_time(at - LASTS), NotOnOrAfter=_time(at + LASTS))
        _element("Audience", _element("AudienceRestriction", conditions), text=audience)
        _element("AuthnStatement", root, AuthnInstant=_time(at), SessionIndex=number)
        statement = _element("AttributeStatement", root)
        told = {**{k: (v,) for k, v in claims.attributes.items()}, "groups": claims.groups}
        for key, values in told.items():
            attribute = _element("Attribute", statement, Name=key)
            for value in values:
                _element("AttributeValue", attribute, text=value)
        signer = XMLSigner(
            method=SignatureConstructionMethod.enveloped,
            signature_algorithm=SignatureMethod.ECDSA_SHA256,
            c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        )
        signed = signer.sign(root, key=self._pem, cert=self.certificate, reference_uri=number, id_attribute="ID")
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
    """What a signed assertion says, as an application takes it: only the verified element is read."""
    from signxml.exceptions import InvalidInput, InvalidSignature

    expected = SignatureConfiguration(require_x509=True, signature_methods=frozenset({SignatureMethod.ECDSA_SHA256}))
    try:
        result = XMLVerifier().verify(document, x509_cert=idp.certificate, id_attribute="ID", expect_config=expected)
    except (InvalidSignature, InvalidInput) as error:
        raise SignatureRefusedError(f"the signature does not hold: {type(error).__name__}") from error
    root = result[0].signed_xml if isinstance(result, list) else result.signed_xml
    if root is None or root.tag != f"{{{SAML}}}Assertion":
        raise SignatureRefusedError("what is signed is no assertion")
    conditions = root.find(f"{{{SAML}}}Conditions")
    if root.findtext(f"{{{SAML}}}Issuer") != idp.issuer or conditions is None:
        raise SignatureRefusedError("another issuer, or no conditions")
    begins, ends = (datetime.fromisoformat(conditions.get(key, "")) for key in ("NotBefore", "NotOnOrAfter"))
    if not begins <= now < ends:
        raise SignatureRefusedError("it does not hold at this time")
    if audience not in {a.text for a in conditions.iter(f"{{{SAML}}}Audience")}:
        raise SignatureRefusedError("it is for another application")
    attributes = {str(a.get("Name")): tuple(v.text or "" for v in a) for a in root.iter(f"{{{SAML}}}Attribute")}
    name = root.find(f"{{{SAML}}}Subject/{{{SAML}}}NameID")
    statement = root.find(f"{{{SAML}}}AuthnStatement")
    if name is None or statement is None:
        raise SignatureRefusedError("it names nobody")
    return Assertion(
        issuer=idp.issuer,
        audience=audience,
        subject=name.text or "",
        subject_format=str(name.get("Format")),
        at=datetime.fromisoformat(statement.get("AuthnInstant", "")),
        verified=True,
        username=(attributes.get("email") or (None,))[0],
        groups=attributes.get("groups"),
        session_index=statement.get("SessionIndex"),
        attributes=tuple((k, v) for k, v in attributes.items() if k not in _FIELDS and k != "groups"),
        **_ours({name: values[0] for name, values in attributes.items() if values}),
    )


def accept_id_token(token: str, idp: IdentityProvider, audience: str, now: datetime) -> Assertion:
    """What an id token says, as an application takes it."""
    from joserfc.errors import JoseError

    try:
        claims = jwt.decode(token, idp.public, algorithms=["ES256"]).claims
    except (JoseError, ValueError) as error:
        raise SignatureRefusedError(f"the signature does not hold: {type(error).__name__}") from error
    at = int(now.timestamp())
    if claims.get("iss") != idp.issuer or claims.get("aud") != audience:
        raise SignatureRefusedError("another issuer, or for another application")
    if not int(claims.get("iat", at + 1)) <= at < int(claims.get("exp", 0)):
        raise SignatureRefusedError("it does not hold at this time")
    groups = claims.get("groups")
    return Assertion(
        issuer=idp.issuer,
        audience=audience,
        subject=str(claims["sub"]),
        subject_format=PAIRWISE,
        at=datetime.fromtimestamp(int(claims["auth_time"]), UTC),
        verified=True,
        immutable_id=str(claims["oid"]),
        username=claims.get("preferred_username"),
        groups=tuple(map(str, groups)) if isinstance(groups, list) else None,
        amr=tuple(claims.get("amr", ())),
        **_ours(claims),
    )


def _ours(told: Mapping[str, Any]) -> dict[str, Any]:
    return {ours: str(told[theirs]) for theirs, ours in _FIELDS.items() if told.get(theirs)}


def _element(name: str, parent: Any = None, *, text: str | None = None, **attributes: Any) -> Any:
    nsmap = attributes.pop("nsmap", None)
    tag = f"{{{SAML}}}{name}"
    made = etree.Element(tag, attributes, nsmap) if parent is None else etree.SubElement(parent, tag, attributes)
    made.text = text
    return made


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
