"""Every SAML response of python3-saml's corpus: what becomes of it with the certificate it was made for.

The clock stands at the time each was made for, and SHA-1 is allowed, which all but one are signed with. The issuer, the
application and the certificate are those of the library's own settings (named in its tests), or of the document itself
where the corpus has none. A file that is not named here fails.
"""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from real_data import real
from signed import DS, A, P, Signer, text

from governance.errors import ConfigurationError, SignOnError
from governance.provisioning.reading import read
from governance.provisioning.trust import Trust

pytestmark = pytest.mark.filterwarnings("ignore:Parsed a serial number")  # a certificate of the corpus has none

STUFF = ("http://idp.example.com/", "http://stuff.com/endpoints/metadata.php")
PITBULK = (
    "https://pitbulk.no-ip.org/simplesaml/saml2/idp/metadata.php",
    "https://pitbulk.no-ip.org/newonelogin/demo1/metadata.php",
)
EXAMPLE = (
    "https://example.com/simplesaml/saml2/idp/metadata.php",
    "https://example.com/newonelogin/demo1/metadata.php",
)
PYTOOLKIT = ("https://idp.example.com/simplesaml/saml2/idp/metadata.php", "http://pytoolkit.com:8000/metadata/")
ONELOGIN = ("https://app.onelogin.com/saml/metadata/13590", "{audience}")
ONELOGIN2 = ("https://app.onelogin.com/saml2", "audience")
LOCAL = ("http://example.com", "http://localhost:9001/")

ACCEPTED = {  # file -> issuer and application, the subject
    "double_signed_response.xml.base64": (PITBULK, "_2126dd19b8a9a28238d88fdc7385e60995004a7782"),
    "double_signed_response2.xml.base64": (PYTOOLKIT, "25ddd7d34a7d79db69167625cda56a320adf2876"),
    "response_without_assertion_reference_uri.xml.base64": (LOCAL, "saml@user.com"),
    "response_without_reference_uri.xml.base64": (LOCAL, "saml@user.com"),
    "signed_assertion_response.xml.base64": (PITBULK, "_3af62f1d03513bdd61dd5bf04d3deb7aa617480e22"),
    "signed_assertion_response2.xml.base64": (PYTOOLKIT, "25ddd7d34a7d79db69167625cda56a320adf2876"),
    "signed_message_response.xml.base64": (PITBULK, "_b98f98bb1ab512ced653b58baaff543448daed535d"),
    "valid_response.xml.base64": (STUFF, "492882615acf31c8096b627245d76ae53036c090"),
    "valid_response2.xml.base64": (PYTOOLKIT, "25ddd7d34a7d79db69167625cda56a320adf2876"),
    "valid_response_with_namequalifier.xml.base64": (STUFF, "492882615acf31c8096b627245d76ae53036c090"),
    "valid_response_without_inresponseto.xml.base64": (PITBULK, "492882615acf31c8096b627245d76ae53036c090"),
}
ENCRYPTED = {
    "double_signed_encrypted_assertion.xml.base64": PITBULK,
    "double_signed_encrypted_assertion2.xml.base64": PYTOOLKIT,
    "response_encrypted_nameid.xml.base64": PITBULK,
    "signed_encrypted_assertion.xml.base64": STUFF,
    "signed_encrypted_assertion2.xml.base64": PYTOOLKIT,
    "signed_message_encrypted_assertion.xml.base64": PITBULK,
    "signed_message_encrypted_assertion2.xml.base64": PYTOOLKIT,
    "signed_message_response2.xml.base64": PYTOOLKIT,
    "valid_encrypted_assertion.xml.base64": STUFF,
    "valid_encrypted_assertion_encrypted_nameid.xml.base64": PITBULK,
}
CHANGED = "does not hold: it was changed"
NOTHING = "nothing is signed"
UNREADABLE_CERTIFICATE = (
    "trust"  # the certificate inside was cut when the file was made anonymous: no trust can be made
)
REFUSED = {  # file -> issuer and application, the reason. Those beside the invalids were made to be read, not to be valid
    "adfs_response.xml.base64": (("http://login.example.com/issuer", "example.com"), CHANGED),
    "decrypted_valid_encrypted_assertion.xml": (STUFF, NOTHING),
    "expired_response.xml.base64": (PITBULK, NOTHING),
    "no_audience.xml.base64": (STUFF, NOTHING),
    "open_saml_response.xml": (("https://idm.orademo.com", "hello.com"), UNREADABLE_CERTIFICATE),
    "pretty_decrypted_valid_encrypted_assertion.xml": (STUFF, NOTHING),
    "pretty_signed_message_response.xml": (PITBULK, CHANGED),
    "response1.xml.base64": (ONELOGIN, CHANGED),
    "response1_with_duplicate_attributes.xml.base64": (ONELOGIN, CHANGED),
    # Its assertion's signature holds; the response names no issuer, as the one among the invalids.
    "response1_with_friendlyname.xml.base64": (ONELOGIN, "the response names 0 issuers"),
    "response2.xml.base64": (("wibble", "example.com"), UNREADABLE_CERTIFICATE),
    "response3.xml.base64": (("http://example.com/services/trust", "consumer.example.com"), UNREADABLE_CERTIFICATE),
    "response4.xml.base64": (ONELOGIN2, "2 assertions where one belongs"),
    "response5.xml.base64": (("example", "fooble.com"), UNREADABLE_CERTIFICATE),
    "response_node_text_attack.xml.base64": (ONELOGIN, UNREADABLE_CERTIFICATE),
    "response_with_ampersands.xml": (("PF-DEMO", "fac"), CHANGED),
    "response_with_ampersands.xml.base64": (ONELOGIN2, "2 assertions where one belongs"),
    "response_with_nested_nameid_values.xml.base64": (ONELOGIN, CHANGED),
    "simple_saml_php.xml": (("https://federate.example.net/saml/saml2/idp/metadata.php", "hello.com"), UNREADABLE_CERTIFICATE),
    "unsigned_assertion.xml.base64": (STUFF, "no well-formed XML: unbound prefix"),
    "unsigned_response.xml.base64": (STUFF, NOTHING),
    "unsigned_response_with_miliseconds.xm.base64": (STUFF, NOTHING),
    "valid_unsigned_response.xml": (PITBULK, NOTHING),
    "valid_unsigned_response.xml.base64": (PITBULK, NOTHING),
    "wrapped_response_2.xml.base64": (PITBULK, "a signature stands where none belongs"),
    "invalids/bad_reference.xml.base64": (EXAMPLE, CHANGED),
    "invalids/duplicated_attributes.xml.base64": (PITBULK, "the attribute uid stands twice"),
    "invalids/empty_destination.xml.base64": (STUFF, "the response has an empty Destination"),
    "invalids/empty_nameid.xml.base64": (PITBULK, "Subject/NameID: expected one with a name, found an empty one"),
    "invalids/encrypted_attrs.xml.base64": (STUFF, NOTHING),
    "invalids/encrypted_nameID_without_EncMethod.xml.base64": (PITBULK, CHANGED),
    "invalids/encrypted_nameID_without_keyinfo.xml.base64": (PITBULK, CHANGED),
    "invalids/invalid_audience.xml.base64": (STUFF, NOTHING),
    "invalids/invalid_issuer_assertion.xml.base64": (STUFF, NOTHING),
    "invalids/invalid_issuer_message.xml.base64": (STUFF, NOTHING),
    "invalids/invalid_sessionindex.xml.base64": (STUFF, NOTHING),
    "invalids/invalid_subjectconfirmation_inresponse.xml.base64": (STUFF, NOTHING),
    "invalids/invalid_subjectconfirmation_nb.xml.base64": (STUFF, NOTHING),
    "invalids/invalid_subjectconfirmation_noa.xml.base64": (STUFF, NOTHING),
    "invalids/invalid_subjectconfirmation_recipient.xml.base64": (STUFF, NOTHING),
    "invalids/multiple_assertions.xml.base64": (ONELOGIN, "2 assertions where one belongs"),
    "invalids/no_authnstatement.xml.base64": (PITBULK, "no AuthnStatement"),
    "invalids/no_conditions.xml.base64": (PITBULK, "0 Conditions where one belongs"),
    "invalids/no_id.xml.base64": (EXAMPLE, "the response has no ID"),
    "invalids/no_issuer_assertion.xml.base64": (PITBULK, "the assertion names 0 issuers"),
    "invalids/no_issuer_response.xml.base64": (PITBULK, "the response names 0 issuers"),
    "invalids/no_key.xml.base64": (EXAMPLE, "has 0 SignatureMethod where one belongs"),
    "invalids/no_nameid.xml.base64": (STUFF, NOTHING),
    "invalids/no_saml2.xml.base64": (STUFF, "found Response of SAML 1, which is not read"),
    "invalids/no_signature.xml.base64": (EXAMPLE, NOTHING),
    "invalids/no_status.xml.base64": (ONELOGIN, "does not say whether signing in succeeded"),
    "invalids/no_status_code.xml.base64": (ONELOGIN, "does not say whether signing in succeeded"),
    "invalids/no_subjectconfirmation_data.xml.base64": (STUFF, NOTHING),
    "invalids/no_subjectconfirmation_method.xml.base64": (STUFF, NOTHING),
    "invalids/not_after_failed.xml.base64": (EXAMPLE, "does not say whether signing in succeeded"),
    "invalids/not_before_failed.xml.base64": (EXAMPLE, "does not say whether signing in succeeded"),
    "invalids/response_encrypted_attrs.xml.base64": (STUFF, NOTHING),
    "invalids/signature_wrapping_attack.xml.base64": (PITBULK, "two elements have the ID"),
    "invalids/signature_wrapping_attack2.xml.base64": (
        ("urn:mace:example.com:saml:roland:idp", "urn:mace:example.com:saml:roland:sp"), "2 assertions where one belongs"),
    "invalids/signed_assertion_response.xml.base64": (PITBULK, CHANGED),
    "invalids/status_code_responder.xml.base64": (STUFF, "the identity provider refused: Responder"),
    "invalids/status_code_responer_and_msg.xml.base64": (STUFF, "refused: Responder: something_is_wrong"),
    "invalids/wrong_spnamequalifier.xml.base64": (PITBULK, "the subject is named for wrong-sp-entityid"),
}  # fmt: skip
# Those of the invalids that nobody signed, or whose signature does not hold: signed anew, their own fault is told.
OWN_FAULT = {
    "encrypted_attrs": "an attribute is encrypted",
    "encrypted_nameID_without_EncMethod": "does not say how and with which key",
    "encrypted_nameID_without_keyinfo": "does not say how and with which key",
    "invalid_audience": "the assertion is for http://invalid.audience.com",
    "invalid_issuer_assertion": "the assertion was issued by http://invalid.issuer.example.com/",
    "invalid_issuer_message": "the response was issued by http://invalid.isser.example.com/",
    "invalid_sessionindex": "the assertion held until 2013-06-17",
    "invalid_subjectconfirmation_inresponse": "it answers invalid_inresponse, not _57bcbf70",
    "invalid_subjectconfirmation_nb": "it has no end",
    "invalid_subjectconfirmation_noa": "the assertion held until 2010-06-17",
    "invalid_subjectconfirmation_recipient": "it is for http://invalid.recipent.example.com",
    "no_nameid": "Subject/NameID: expected one with a name, found none",
    "no_subjectconfirmation_data": "there is none for a bearer",
    "no_subjectconfirmation_method": "there is none for a bearer",
    "not_after_failed": "the assertion held until 2014-02-19",
    "not_before_failed": "the assertion holds only from 2993-02-19",
    "response_encrypted_attrs": "an attribute is encrypted",
}
_NAMESPACES = {"a": A.strip("{}"), "d": DS.strip("{}")}
SUCCESS = f'<s:Status xmlns:s="{P[1:-1]}"><s:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></s:Status>'
AGAIN = Signer()
OTHER = Signer(key=rsa.generate_private_key(65537, 2048))


def document(name):
    data = (real("saml_responses") / "responses" / name).read_bytes()
    return data if data.lstrip().startswith(b"<") else base64.b64decode(data)


def made_for(name):
    """The certificates that stand in the document, and an instant at which it holds."""
    try:
        root = etree.fromstring(document(name))
    except etree.XMLSyntaxError:
        return (), datetime(2026, 11, 26, tzinfo=UTC)
    found = dict.fromkeys("".join(c.text.split()) for c in root.iter(f"{DS}X509Certificate") if c.text)
    pem = tuple(f"-----BEGIN CERTIFICATE-----\n{c}\n-----END CERTIFICATE-----\n" for c in found)
    begins = root.xpath("//a:Conditions/@NotBefore", namespaces=_NAMESPACES)
    at = datetime.fromisoformat(begins[0]) if begins else datetime(2014, 3, 21, 13, 42, tzinfo=UTC)
    return pem, at + timedelta(minutes=1)


def trust_of(name, names, **more):
    pem, at = made_for(name)
    told = {"certificates": pem or (AGAIN.certificate,), "legacy_sha1": True, **more}
    return Trust(names[0], names[1], **told), at


def pasted(name):
    return (real("saml_responses") / "responses" / name).read_bytes()


def test_every_file_of_the_corpus_has_its_line():
    folder = real("saml_responses") / "responses"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {*ACCEPTED, *ENCRYPTED, *REFUSED}
    assert len([name for name in files if name.startswith("invalids/")]) == 38


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_valid_one_is_accepted(name):
    names, subject = ACCEPTED[name]
    trust, at = trust_of(name, names)
    reading = read(pasted(name), trust=trust, now=at)
    assert (reading.signature, reading.assertion.subject, reading.assertion.audience) == ("verified", subject, names[1])
    assert any("signed with SHA-1" in warning for warning in reading.warnings)
    with pytest.raises(SignOnError, match="signed with SHA-1"):
        read(pasted(name), trust=replace(trust, legacy_sha1=False), now=at)
    with pytest.raises(SignOnError, match="another certificate"):
        read(pasted(name), trust=replace(trust, certificates=(OTHER.certificate, AGAIN.certificate)), now=at)
    late = at + timedelta(days=500_000)
    with pytest.raises(SignOnError, match="held until"):
        read(pasted(name), trust=trust, now=late)
    assert read(pasted(name), trust=trust, now=late, expired_is_fine=True).expired


@pytest.mark.parametrize("name", ENCRYPTED)
def test_an_encrypted_one_is_told_as_encrypted_and_names_nobody(name):
    trust, at = trust_of(name, ENCRYPTED[name])
    for reading in (read(pasted(name), trust=trust, now=at), read(pasted(name), trust=None, now=at)):
        assert (reading.signature, reading.assertion, reading.told) == ("encrypted", None, ())
        assert any("is encrypted for the application" in warning for warning in reading.warnings)


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_is_refused_with_its_reason(name):
    names, reason = REFUSED[name]
    more = {}
    if reason == UNREADABLE_CERTIFICATE:
        with pytest.raises(ConfigurationError, match="a certificate cannot be read"):
            trust_of(name, names)
        reason, more = "is damaged and cannot be checked", {"certificates": (OTHER.certificate,)}
    trust, at = trust_of(name, names, **more)
    with pytest.raises(SignOnError, match=reason):
        read(pasted(name), trust=trust, now=at)


@pytest.mark.parametrize("name", OWN_FAULT)
def test_signed_anew_an_invalid_one_is_refused_for_its_own_fault(name):
    file = f"invalids/{name}.xml.base64"
    names, _ = REFUSED[file]
    root = etree.fromstring(document(file))
    for signature in list(root.iter(f"{DS}Signature")):
        signature.getparent().remove(signature)
    inner = root.find(f"{A}Assertion")
    for subject in inner.iter(f"{A}NameID"):
        subject.attrib.pop("SPNameQualifier", None)  # of another application in most of them
    root.replace(inner, etree.fromstring(AGAIN.sign(text(inner))))
    if root.find(f"{P}Status") is None:
        root.insert(1, etree.fromstring(SUCCESS))
    recipient = "http://stuff.com/endpoints/endpoints/acs.php" if name.endswith("recipient") else None
    at = datetime(2014, 3, 21, 13, 42, tzinfo=UTC) if names == STUFF else made_for(file)[1]
    at = {
        "not_after_failed": datetime(2014, 3, 1, tzinfo=UTC),
        "not_before_failed": datetime(2014, 3, 1, tzinfo=UTC),
    }.get(name, at)
    trust = Trust(names[0], names[1], (AGAIN.certificate,), recipient=recipient)
    with pytest.raises(SignOnError, match=re.escape(OWN_FAULT[name])):
        read(text(root), trust=trust, now=at)


def test_a_comment_in_a_name_does_not_cut_it_short():
    reading = read(pasted("response_node_text_attack.xml.base64"), trust=None, now=datetime(2026, 11, 26, tzinfo=UTC))
    assert reading.assertion.subject == "support@onelogin.com"
    assert dict(reading.told)["surname"] == ("smith",)


METADATA = {  # file -> issuer and how many certificates it signs with
    "idp_metadata.xml": ("https://app.onelogin.com/saml/metadata/383123", 1),
    "idp_metadata2.xml": ("urn:example:idp", 1),
    "idp_metadata_different_sign_and_encrypt_cert.xml": ("https://app.onelogin.com/saml/metadata/383123", 1),
    "idp_metadata_multi_certs.xml": ("https://idp.examle.com/saml/metadata", 2),
    "idp_metadata_multi_signing_certs.xml": ("https://idp.examle.com/saml/metadata", 2),
    "idp_metadata_same_sign_and_encrypt_cert.xml": ("https://app.onelogin.com/saml/metadata/383123", 1),
    "testshib-providers.xml": ("https://idp.testshib.org/idp/shibboleth", 1),
}


def test_metadata_gives_the_signing_certificates():
    folder = real("saml_responses") / "metadata"
    for path in folder.iterdir():
        if path.name in METADATA:
            trust = Trust.of_metadata(path.read_bytes(), audience="a")
            assert (trust.issuer, len(trust.certificates)) == METADATA[path.name]
        else:  # of applications, of two providers, damaged
            with pytest.raises(ConfigurationError, match="metadata: "):
                Trust.of_metadata(path.read_bytes(), audience="a")
    two = (folder / "idp_multiple_descriptors.xml").read_text()
    with pytest.raises(ConfigurationError, match=r"found: https://bar\.example\.com/access/saml/idp\.xml, https://foo"):
        Trust.of_metadata(two, audience="a")
    with pytest.raises(ConfigurationError, match="a signing certificate cannot be read"):  # it is made up
        Trust.of_metadata(two, audience="a", issuer="https://foo.example.com/access/saml/idp.xml")
