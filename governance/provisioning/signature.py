"""Checking the signature of a SAML element, so that what is read afterwards is what was signed.

The cryptography and the canonical form are signxml's. Here stands what SAML asks beyond it (SAML core, section 5.4):
one reference, to the element that holds the signature; only the two transforms that SAML names; keys from the trust and
never from the document. The caller goes on with the element that comes back, which is made from the signed bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import InvalidDigest, InvalidSignature, SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from governance.errors import RefusedAssertion
from governance.provisioning.document import build
from governance.provisioning.trust import Trust

DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_CANONICAL: Final = frozenset({_EXCLUSIVE, f"{_EXCLUSIVE}WithComments"})
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_METHODS: Final = frozenset(
    method
    for method in SignatureMethod
    if method.name.startswith(("RSA_SHA", "ECDSA_SHA", "SHA"))
    and any(size in method.name for size in ("256", "384", "512"))
    and "SHA3_" not in method.name
)
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
# What signxml and the libraries under it raise for what somebody made up.
_BROKEN: Final = (
    SignXMLException, etree.LxmlError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError,
    NotImplementedError, AssertionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signed:
    """The element as it was signed, who signed it, and what to think of that."""

    element: Any
    by: str
    warnings: tuple[str, ...]


def refers_to_everything(element: Any) -> bool:
    """Whether the element's signature refers to the whole document, by an empty address."""
    return any(
        reference.get("URI") == "" for reference in element.iterfind(f"{DS}Signature/{DS}SignedInfo/{DS}Reference")
    )


def verified(element: Any, trust: Trust, now: datetime, what: str, *, inside: str = "") -> Signed:
    """The element that holds a signature as its child, checked against the trust's certificates.

    `inside`: the tag of its child that holds the signature, when the element does not itself. `what` is the element's
    name in the reasons. Raises RefusedAssertion with the one thing that does not hold.
    """
    location = f"./{inside}/" if inside else "./"
    method, warnings = _form(element, location, trust, what)
    data = etree.tostring(element, with_tail=False)
    digest = False
    for pem in trust.certificates:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        if isinstance(certificate.public_key(), rsa.RSAPublicKey) == method.name.startswith("ECDSA"):
            continue
        try:
            result = XMLVerifier().verify(
                data,
                x509_cert=certificate,
                id_attribute="ID",
                expect_config=_expected(trust, certificate, now, location),
            )
        except InvalidDigest:
            digest = True
        except InvalidSignature:
            continue
        except _BROKEN as error:
            raise RefusedAssertion(f"the signature of the {what} is damaged and cannot be checked") from error
        else:
            signed = build(result.signed_data) if not isinstance(result, list) else None
            if signed is None or signed.tag != element.tag or signed.get("ID") != element.get("ID"):
                raise RefusedAssertion(f"what is signed is not the {what}")
            return Signed(signed, _by(certificate, method), (*warnings, *_doubts(certificate, now)))
    if digest:
        raise RefusedAssertion(f"the signature of the {what} does not hold: it was changed after it was signed")
    if not trust.certificates:
        raise RefusedAssertion("the trust has no certificate, which a SAML signature needs")
    raise RefusedAssertion(
        f"the signature of the {what} does not hold: it was changed, or another certificate signed it"
    )


def _form(element: Any, location: str, trust: Trust, what: str) -> tuple[SignatureMethod, list[str]]:
    """How it was signed, once the signature has the form that SAML demands."""
    (signature,) = element.findall(f"{location}{DS}Signature")
    told = {
        path.rpartition("/")[2]: signature.findall(f"{DS}{path.replace('/', '/' + DS)}")
        for path in (
            "SignedInfo", "SignedInfo/SignatureMethod", "SignedInfo/CanonicalizationMethod", "SignedInfo/Reference",
            "SignedInfo/Reference/Transforms", "SignedInfo/Reference/DigestMethod",
        )
    }  # fmt: skip
    for name, found in told.items():
        if len(found) != 1:
            raise RefusedAssertion(f"the signature of the {what} has {len(found)} {name} where one belongs")
    warnings = []
    uri = told["Reference"][0].get("URI")
    if uri == "":
        warnings.append(f"the signature of the {what} refers to it by an empty address, not by its ID")
    elif uri != f"#{element.get('ID')}":
        raise RefusedAssertion(f"the signature of the {what} is for something else: {uri}")
    transforms = [t.get("Algorithm") for t in told["Transforms"][0]]
    canonical = told["CanonicalizationMethod"][0].get("Algorithm")
    if transforms[:1] != [_ENVELOPED] or len(transforms) != 2 or not {transforms[-1], canonical} <= _CANONICAL:
        raise RefusedAssertion(f"the signature of the {what} uses transforms that SAML does not allow")
    names = told["SignatureMethod"][0].get("Algorithm"), told["DigestMethod"][0].get("Algorithm")
    if any(str(name).endswith("sha1") for name in names):
        if not trust.legacy_sha1:
            raise RefusedAssertion(f"the {what} is signed with SHA-1, which can be forged (legacy_sha1 allows it)")
        warnings.append(f"the {what} is signed with SHA-1, which can be forged: have the identity provider use SHA-256")
    methods, digests = _allowed(trust)
    by_address = {m.value: m for m in methods}
    if names[0] not in by_address or names[1] not in {d.value for d in digests}:
        raise RefusedAssertion(f"the {what} is signed in a way that is not accepted: {names[0]}, {names[1]}")
    return by_address[names[0]], warnings


def _allowed(trust: Trust) -> tuple[frozenset[SignatureMethod], frozenset[DigestAlgorithm]]:
    if not trust.legacy_sha1:
        return _METHODS, _DIGESTS
    return _METHODS | {SignatureMethod.RSA_SHA1}, _DIGESTS | {DigestAlgorithm.SHA1}


def _expected(trust: Trust, certificate: x509.Certificate, now: datetime, location: str) -> SignatureConfiguration:
    methods, digests = _allowed(trust)
    # The certificate was given, not found: its dates are told as a doubt (see `Trust`); it is taken at a day it held.
    day = min(max(now, certificate.not_valid_before_utc), certificate.not_valid_after_utc)
    return SignatureConfiguration(
        location=location,
        expect_references=1,
        signature_methods=methods,
        digest_algorithms=digests,
        ignore_ambiguous_key_info=True,
        verification_time=day,
    )


def _by(certificate: x509.Certificate, method: SignatureMethod) -> str:
    fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":")
    return (
        f"certificate {certificate.subject.rfc4514_string()}, SHA-256 fingerprint {fingerprint}, "
        f"{method.name.replace('_', '-')}"
    )


def _doubts(certificate: x509.Certificate, now: datetime) -> list[str]:
    found = []
    if now > certificate.not_valid_after_utc:
        found.append(f"the certificate ran out on {certificate.not_valid_after_utc:%Y-%m-%d}")
    if now < certificate.not_valid_before_utc:
        found.append(f"the certificate holds only from {certificate.not_valid_before_utc:%Y-%m-%d}")
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        found.append(f"the certificate's key has only {key.key_size} bits")
    return found
