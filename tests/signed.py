"""An identity provider of the tests' own: SAML responses and id tokens signed for real, whole or with one thing wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from joserfc import jwt
from joserfc.jwk import ECKey
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureConstructionMethod, SignatureMethod
from signxml.signer import XMLSigner

from governance.provisioning.trust import Trust

NOW = datetime(2026, 11, 23, 8, 12, tzinfo=UTC)
ISSUER = "https://id.nwl.example/"
AUDIENCE = "https://crm.example/"
RECIPIENT = "https://crm.example/acs"
A = "{urn:oasis:names:tc:SAML:2.0:assertion}"
P = "{urn:oasis:names:tc:SAML:2.0:protocol}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
ATTRIBUTES = """
<saml:Attribute Name="email"><saml:AttributeValue>ada@nwl.example</saml:AttributeValue></saml:Attribute>
<saml:Attribute Name="groups"><saml:AttributeValue>sales</saml:AttributeValue>
<saml:AttributeValue>everybody</saml:AttributeValue></saml:Attribute>"""
NAME = '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">00u1</saml:NameID>'


def assertion(*, name: str = NAME, attributes: str = ATTRIBUTES, number: str = "_a1", issuer: str = ISSUER) -> str:
    """An assertion without a signature."""
    return f"""<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{number}" Version="2.0"
 IssueInstant="2026-11-23T08:12:00Z"><saml:Issuer>{issuer}</saml:Issuer><saml:Subject>{name}<saml:SubjectConfirmation
 Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="{RECIPIENT}" InResponseTo="_q1"
 NotOnOrAfter="2026-11-23T08:17:00Z"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions
 NotBefore="2026-11-23T08:07:00Z" NotOnOrAfter="2026-11-23T08:17:00Z"><saml:AudienceRestriction><saml:Audience
>{AUDIENCE}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement SessionIndex="_s1"
 AuthnInstant="2026-11-23T08:12:00Z"><saml:AuthnContext><saml:AuthnContextClassRef
>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement
><saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion>"""


def around(inner: str) -> str:
    """The response that holds an assertion."""
    return f"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" Version="2.0"
 IssueInstant="2026-11-23T08:12:00Z" Destination="{RECIPIENT}" InResponseTo="_q1"><saml:Issuer
 xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{ISSUER}</saml:Issuer><samlp:Status><samlp:StatusCode
 Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>{inner}</samlp:Response>"""


def text(element: Any) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)


@dataclass
class Signer:
    """A key pair with its certificate and its JSON Web Key."""

    name: str = "id.nwl.example"
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(NOW - timedelta(days=400))
            .not_valid_after(NOW + timedelta(days=400))
            .sign(self.key, None if isinstance(self.key, ed25519.Ed25519PrivateKey) else hashes.SHA256())
        )
        self.certificate = built.public_bytes(serialization.Encoding.PEM).decode()
        self.pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            self.jwk = ECKey.import_key(self.pem, {"kid": "k1", "use": "sig"})

    @property
    def jwks(self) -> dict[str, Any]:
        return {"keys": [self.jwk.as_dict(private=False)]}

    def trust(self, **more: Any) -> Trust:
        """What an application knows of it; the recipient and the request unless told otherwise."""
        told = {"recipient": RECIPIENT, "in_response_to": "_q1", "certificates": (self.certificate,), "keys": self.jwks}
        return Trust(**{"issuer": ISSUER, "audience": AUDIENCE, **told, **more})

    def sign(self, document: str, **more: Any) -> str:
        """The element with an enveloped signature as its last child."""
        root = etree.fromstring(document)
        options = {
            "method": SignatureConstructionMethod.enveloped,
            "signature_algorithm": more.get("algorithm", SignatureMethod.ECDSA_SHA256),
            "digest_algorithm": more.get("digest", DigestAlgorithm.SHA256),
            "c14n_algorithm": CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
        }
        uri = more.get("uri", root.get("ID"))
        return text(
            XMLSigner(**options).sign(root, key=self.pem, cert=self.certificate, reference_uri=uri, id_attribute="ID")
        )

    def response(self, *, signed: str = "assertion", **parts: Any) -> str:
        """A response: the assertion signed, the response, or both."""
        inner = assertion(**parts)
        if signed in ("assertion", "both"):
            inner = self.sign(inner)
        whole = around(inner)
        return self.sign(whole) if signed in ("response", "both") else whole

    def token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An id token; a claim of None is left out."""
        told = {**CLAIMS, **claims}
        return jwt.encode(
            {"alg": "ES256", "kid": "k1", **(header or {})},
            {name: value for name, value in told.items() if value is not None},
            self.jwk,
        )


AT = int(NOW.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER, "aud": AUDIENCE, "sub": "p-1", "oid": "00u1", "tid": "t1", "iat": AT, "nbf": AT, "exp": AT + 300,
    "auth_time": AT - 60, "nonce": "_q1", "preferred_username": "ada", "email": "ada@nwl.example", "groups": ["sales"],
    "amr": ["pwd", "mfa"],
}  # fmt: skip
