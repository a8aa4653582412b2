"""Documents made to be believed: signatures wrapped, exchanged and taken away, files and addresses asked for."""

import base64
import hashlib
import hmac
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signed import (
    ATTRIBUTES,
    AUDIENCE,
    DS,
    ISSUER,
    NAME,
    NOW,
    RECIPIENT,
    A,
    P,
    Signer,
    around,
    assertion,
    text,
)
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.signer import XMLSigner

from governance.errors import RefusedAssertion, SignOnError, UnreadableAssertion
from governance.provisioning.reading import read

IDP = Signer()
EVE = Signer("id.eve.example")
TRUST = IDP.trust()
SIGNED = {kind: IDP.response(signed=kind) for kind in ("assertion", "response", "both")}
EVIL = NAME.replace("00u1", "00u0root")


def parsed(kind="assertion"):
    root = etree.fromstring(SIGNED[kind])
    return root, root.find(f"{A}Assertion")


def evil(element, number):
    """A copy that names somebody else, without the signature."""
    copy = etree.fromstring(text(element))
    for signature in copy.iter(f"{DS}Signature"):
        signature.getparent().remove(signature)
        break
    for name in copy.iter(f"{A}NameID"):
        name.text = "00u0root"
    copy.set("ID", number)
    return copy


def without_signature(element):
    copy = etree.fromstring(text(element))
    copy.remove(copy.find(f"{DS}Signature"))
    return copy


def wrapped(form, same_id):
    """The eight forms of SAML Raider (github.com/CompassSecurity/SAMLRaider), which follow Somorovsky's "On breaking SAML"."""
    root, signed = parsed("response" if form in (1, 2) else "assertion")
    signature = (root if form in (1, 2) else signed).find(f"{DS}Signature")
    number = (root if form in (1, 2) else signed).get("ID") if same_id else "_evil"
    if form in (1, 2):
        original = without_signature(root)
        forged = evil(root, number)
        if form == 1:
            forged.append(signature)
            signature.append(original)
        else:
            forged.append(original)
            forged.append(signature)
        return text(forged)
    forged = evil(signed, number)
    if form == 3:
        root.insert(list(root).index(signed), forged)
    elif form == 4:
        root.replace(signed, forged)
        forged.append(signed)
    elif form in (5, 6):
        original = without_signature(signed)
        for name in signed.iter(f"{A}NameID"):
            name.text = "00u0root"
        signed.set("ID", number)
        (root if form == 5 else signature).append(original)
    elif form == 7:
        extensions = etree.SubElement(root, f"{P}Extensions")
        extensions.append(forged)
    else:
        original = without_signature(signed)
        for name in signed.iter(f"{A}NameID"):
            name.text = "00u0root"
        signed.set("ID", number)
        etree.SubElement(signature, f"{DS}Object").append(original)
    return text(root)


class TestWhatIsTrue:
    @pytest.mark.parametrize("kind", SIGNED)
    def test_is_accepted_and_read_from_the_signed_bytes(self, kind):
        reading = read(SIGNED[kind], trust=TRUST, now=NOW)
        assert (reading.signature, reading.assertion.verified) == ("verified", True)
        assert (reading.assertion.subject, reading.assertion.groups) == ("00u1", ("sales", "everybody"))
        assert "CN=id.nwl.example" in reading.by
        assert "ECDSA-SHA256" in reading.by
        assert not reading.expired

    def test_either_of_two_certificates_counts(self):
        both = IDP.trust(certificates=(EVE.certificate, IDP.certificate))
        assert read(SIGNED["both"], trust=both, now=NOW).signature == "verified"

    def test_a_comment_does_not_cut_a_name_short(self):
        name = NAME.replace("00u1", "admin@nwl.example<!-- -->.eve.example")
        for document in (IDP.response(name=name), around(assertion(name=name))):
            trust = TRUST if "Signature" in document else None
            assert read(document, trust=trust, now=NOW).assertion.subject == "admin@nwl.example.eve.example"
        later = SIGNED["assertion"].replace(">00u1<", ">00<!-- -->u1<")  # a comment is not signed: anybody can add one
        assert read(later, trust=TRUST, now=NOW).assertion.subject == "00u1"


@pytest.mark.parametrize("same_id", [True, False], ids=["same ID", "other ID"])
@pytest.mark.parametrize("form", range(1, 9))
def test_no_form_of_wrapping_is_accepted(form, same_id):
    document = wrapped(form, same_id)
    assert "00u0root" in document
    for trust in (TRUST, None):
        with pytest.raises(
            RefusedAssertion, match=r"which one is signed|where none belongs|where nothing belongs|wrapped"
        ):
            read(document, trust=trust, now=NOW)


def forged(change, kind="assertion"):
    root, signed = parsed(kind)
    change(root, signed)
    return text(root)


def _signature(root, signed):
    return next(root.iter(f"{DS}Signature"))


def _drop(root, signed):
    signed.remove(signed.find(f"{DS}Signature"))


def _rename(root, signed):
    next(signed.iter(f"{A}NameID")).text = "00u0root"


def _by_hmac(root, signed):
    """The certificate is public: whoever took it for a shared key would accept this."""
    info = _signature(root, signed).find(f"{DS}SignedInfo")
    info.find(f"{DS}SignatureMethod").set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256")
    data = etree.tostring(info, method="c14n", exclusive=True)
    value = base64.b64encode(hmac.digest(IDP.certificate.encode(), data, hashlib.sha256)).decode()
    _signature(root, signed).find(f"{DS}SignatureValue").text = value


def _transform(address):
    def change(root, signed):
        next(root.iter(f"{DS}Transform")).set("Algorithm", address)

    return change


def _second_reference(root, signed):
    info = _signature(root, signed).find(f"{DS}SignedInfo")
    info.append(etree.fromstring(text(info.find(f"{DS}Reference"))))


def _elsewhere(root, signed):
    next(root.iter(f"{DS}Reference")).set("URI", "https://eve.example/assertion.xml")


def _move_up(root, signed):
    root.append(signed.find(f"{DS}Signature"))


def _nobody(root, signed):
    next(root.iter(f"{DS}SignatureValue")).text = ""


FORGED = {
    "nothing is signed": forged(_drop),
    "changed after it was signed": forged(_rename),
    "the response does not hold": forged(_rename, "response"),
    "not accepted: http://www.w3.org/2001/04/xmldsig-more#hmac-sha256": forged(_by_hmac),
    "another certificate signed it": EVE.response(),
    "another certificate": EVE.response(signed="both"),
    "transforms that SAML does not allow": forged(_transform("http://www.w3.org/TR/1999/REC-xslt-19991116")),
    "does not allow": forged(_transform("http://www.w3.org/TR/1999/REC-xpath-19991116")),
    "2 Reference where one belongs": forged(_second_reference),
    "for something else: https://eve.example": forged(_elsewhere),
    "for something else": forged(_move_up),
    "is damaged and cannot be checked": forged(_nobody),
    "inner signature": IDP.sign(around(EVE.sign(assertion()))),
}


@pytest.mark.parametrize("reason", FORGED)
def test_no_forged_signature_is_accepted(reason):
    expected = "another certificate" if reason == "inner signature" else reason
    with pytest.raises(RefusedAssertion, match=expected):
        read(FORGED[reason], trust=TRUST, now=NOW)


WRONG = {
    "issued by https://id.eve.example/, not by": IDP.response(issuer="https://id.eve.example/"),
    f"is for https://other.example/, not for {AUDIENCE}": IDP.sign(
        assertion().replace(f">{AUDIENCE}<", ">https://other.example/<")
    ),
    "names no audience": IDP.sign(assertion().replace("AudienceRestriction", "OneTimeUse")),
    "0 Conditions": IDP.sign(assertion().replace("saml:Conditions", "saml:Advice")),
    "a condition that is not understood": IDP.sign(
        assertion().replace("<saml:AudienceRestriction>", "<saml:Condition/><saml:AudienceRestriction>")
    ),
    "no AuthnStatement": IDP.sign(assertion().replace("saml:AuthnStatement", "saml:Advice")),
    "it is for https://other.example/acs": IDP.sign(assertion().replace(RECIPIENT, "https://other.example/acs")),
    "it answers _q2, not _q1": IDP.sign(assertion().replace("_q1", "_q2")),
    "it has no end": IDP.sign(assertion().replace('\n NotOnOrAfter="2026-11-23T08:17:00Z"/>', "/>")),
    "it has a beginning": IDP.sign(assertion().replace('Recipient="', 'NotBefore="2026-11-23T08:00:00Z" Recipient="')),
    "there is none for a bearer": IDP.sign(assertion().replace("cm:bearer", "cm:sender-vouches")),
    "was sent to https://other.example/acs": IDP.response().replace(
        f'Destination="{RECIPIENT}"', 'Destination="https://other.example/acs"'
    ),
    "an empty Destination": IDP.response().replace(f'Destination="{RECIPIENT}"', 'Destination=""'),
    "the response answers _q9": IDP.response().replace('"_q1"><saml:Issuer', '"_q9"><saml:Issuer'),
    "the attribute email stands twice": IDP.response(attributes=ATTRIBUTES.replace('"groups"', '"email"')),
    "named for https://other.example/": IDP.response(name=NAME.replace("Format", 'SPNameQualifier="https://other.example/" Format')),
    "refused: Responder, AuthnFailed: sorry": around("").replace(
        'Success"/>', 'Responder"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed"/></samlp:StatusCode>'
        "<samlp:StatusMessage>sorry</samlp:StatusMessage>"
    ),
    "holds no assertion": around(""),
}  # fmt: skip


@pytest.mark.parametrize("reason", WRONG)
def test_what_is_signed_is_still_held_against_the_trust(reason):
    with pytest.raises(RefusedAssertion, match=reason):
        read(WRONG[reason], trust=TRUST, now=NOW)


def test_everything_that_may_be_older_needs_its_switch():
    class Older(XMLSigner):
        """The library refuses to sign with SHA-1 at all."""

        def check_deprecated_methods(self):
            return

    old = Signer(key=rsa.generate_private_key(65537, 2048))
    signer = Older(
        signature_algorithm=SignatureMethod.RSA_SHA1, digest_algorithm=DigestAlgorithm.SHA1,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )  # fmt: skip
    document = text(
        signer.sign(
            etree.fromstring(assertion()), key=old.pem, cert=old.certificate, reference_uri="_a1", id_attribute="ID"
        )
    )
    with pytest.raises(RefusedAssertion, match="signed with SHA-1"):
        read(document, trust=TRUST.of_certificates(old.certificate, issuer=ISSUER, audience=AUDIENCE), now=NOW)
    legacy = TRUST.of_certificates(old.certificate, issuer=ISSUER, audience=AUDIENCE, legacy_sha1=True)
    reading = read(document, trust=legacy, now=NOW)
    assert "signed with SHA-1" in reading.warnings[0]
    assert reading.by.endswith("RSA-SHA1")


@pytest.fixture(scope="module")
def listener():
    """A server that no document may make us call."""
    asked = []

    class Asked(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Asked)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    path = tmp_path_factory.mktemp("outside") / "secret.txt"
    path.write_text("canary-7f3a")
    return path


PLAIN = around(assertion())
BODY = PLAIN.replace(">00u1<", ">&x;<")
DECLARED = {
    "a file": ("<!DOCTYPE r [<!ENTITY x SYSTEM 'file://FILE'>]>", BODY),
    "a file by its path": ("<!DOCTYPE r [<!ENTITY x SYSTEM 'FILE'>]>", BODY),
    "an address": ("<!DOCTYPE r [<!ENTITY x SYSTEM 'HTTP/entity'>]>", BODY),
    "a public name": ("<!DOCTYPE r [<!ENTITY x PUBLIC 'a' 'HTTP/public'>]>", BODY),
    "a foreign document type": ("<!DOCTYPE r SYSTEM 'HTTP/r.dtd'>", PLAIN),
    "a foreign part of the document type": ("<!DOCTYPE r [<!ENTITY % p SYSTEM 'HTTP/p.dtd'> %p;]>", PLAIN),
    "a part that sends a file": (
        "<!DOCTYPE r [<!ENTITY % f SYSTEM 'file://FILE'><!ENTITY % p SYSTEM 'HTTP/evil.dtd'>%p;%send;]>", PLAIN),
    "an entity in an attribute": ("<!DOCTYPE r [<!ENTITY x 'canary'>]>", PLAIN.replace('"_s1"', '"&x;"')),
    "an entity that is not parsed": ("<!DOCTYPE r [<!NOTATION n SYSTEM 'n'><!ENTITY x SYSTEM 'FILE' NDATA n>]>", PLAIN),
    "an attribute that becomes an ID": ("<!DOCTYPE r [<!ATTLIST Assertion Evil ID #IMPLIED>]>", PLAIN),
    "an entity nobody declared": ("", BODY),
}  # fmt: skip
INERT = {
    "an inclusion": ATTRIBUTES.replace(
        "ada@nwl.example",
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="FILE" parse="text"/>'
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="HTTP/include" parse="text"/>',
    ),
    "a schema": ATTRIBUTES.replace(
        "<saml:AttributeValue>ada",
        '<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a HTTP/a.xsd">ada',
    ),
    "a style sheet": "<?xml-stylesheet href='HTTP/style.xsl' type='text/xsl'?>" + ATTRIBUTES,
}


class TestWhatAsksForMore:
    @pytest.mark.parametrize("kind", DECLARED)
    @pytest.mark.parametrize("trust", [TRUST, None], ids=["trust", "no trust"])
    def test_a_declaration_is_refused_before_anything_is_asked_for(self, kind, trust, listener, canary):
        address, asked = listener
        head, body = DECLARED[kind]
        document = (head + body).replace("FILE", str(canary)).replace("HTTP", address)
        with pytest.raises(UnreadableAssertion, match=r"a document type or an entity|undefined entity") as caught:
            read(document, trust=trust, now=NOW)
        assert "canary" not in str(caught.value)
        assert asked == []

    @pytest.mark.parametrize("kind", INERT)
    def test_an_invitation_is_not_followed(self, kind, listener, canary):
        address, asked = listener
        attributes = INERT[kind].replace("FILE", str(canary)).replace("HTTP", address)
        for trust in (TRUST, None):
            reading = read(IDP.response(attributes=attributes), trust=trust, now=NOW)
            assert "canary" not in repr(reading)
        assert asked == []


def test_without_a_trust_nothing_is_called_verified():
    for document in (SIGNED["both"], around(assertion()), EVE.response()):
        reading = read(document, trust=None, now=NOW)
        assert (reading.signature, reading.by, reading.assertion.verified) == ("unverified", None, False)
    with pytest.raises(SignOnError):
        read(around(assertion()), trust=TRUST, now=NOW)
