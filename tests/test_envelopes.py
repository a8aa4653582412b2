"""However an assertion was pasted, it is found; and the names in it become ours."""

import base64
import json
import zlib
from datetime import timedelta
from urllib.parse import quote

import pytest
from signed import ATTRIBUTES, NAME, NOW, Signer, around, assertion

from governance.errors import RefusedAssertion, SignOnError, UnreadableAssertion
from governance.provisioning.assertion import EMAIL, TRANSIENT, UNSPECIFIED
from governance.provisioning.document import DEPTH, ELEMENTS, LIMIT
from governance.provisioning.reading import read

IDP = Signer()
XML = IDP.response()
TOKEN = IDP.token()
B64 = base64.b64encode(XML.encode()).decode()
RAW = zlib.compressobj(wbits=-15)
DEFLATED = base64.b64encode(RAW.compress(XML.encode()) + RAW.flush()).decode()
FORM = f"""<!doctype html><html><body onload="document.forms[0].submit()"><form method="post" action="https://crm.example/acs">
<input type="hidden" name="RelayState" value="x"/><input type="hidden" name="SAMLResponse" value="{B64}"/></form></body></html>"""
PASTED = {
    "XML": XML, "XML as bytes": XML.encode(), "with a mark": "\ufeff" + XML, "UTF-16": XML.encode("utf-16"),
    "declared": '<?xml version="1.0" encoding="UTF-8"?>\n' + XML,
    "declared as another code": ('<?xml version="1.0" encoding="ISO-8859-1"?>' + XML).encode("latin-1"),
    "with space around": f"\n\n  {XML} \r\n", "base64": B64, "base64 as bytes": B64.encode(),
    "base64 in lines": "\r\n".join(B64[i : i + 76] for i in range(0, len(B64), 76)),
    "base64 without its end": B64.rstrip("="), "base64url": B64.replace("+", "-").replace("/", "_"),
    "base64 for an address": quote(B64, safe=""), "base64 twice": base64.b64encode(B64.encode()).decode(),
    "deflated": DEFLATED, "deflated with a frame": base64.b64encode(zlib.compress(XML.encode())).decode(),
    "a form": FORM, "a form with other quotes": FORM.replace('"', "'"),
    "an address": f"https://crm.example/acs?RelayState=x&SAMLResponse={quote(DEFLATED, safe='')}&SigAlg=y",
    "a body": f"SAMLResponse={quote(B64, safe='')}&RelayState=x",
}  # fmt: skip
TOKENS = {
    "a token": TOKEN, "a header": f"Bearer {TOKEN}", "a whole header": f"Authorization: Bearer {TOKEN}\n",
    "an address": f"https://crm.example/cb#id_token={TOKEN}&state=x", "a body": f"id_token={TOKEN}&state=x",
    "in lines": TOKEN[:40] + "\n  " + TOKEN[40:], "an answer": json.dumps({"access_token": "x", "id_token": TOKEN}),
    "a form": f'<form><input name="id_token" value="{TOKEN}"></form>', "bytes": TOKEN.encode(),
}  # fmt: skip


@pytest.mark.parametrize("how", PASTED)
def test_a_response_is_found(how):
    reading = read(PASTED[how], trust=IDP.trust(), now=NOW)
    assert (reading.protocol, reading.signature, reading.assertion.subject) == ("saml", "verified", "00u1")


@pytest.mark.parametrize("how", TOKENS)
def test_a_token_is_found(how):
    reading = read(TOKENS[how], trust=IDP.trust(), now=NOW)
    assert (reading.protocol, reading.signature, reading.assertion.subject) == ("oidc", "verified", "p-1")


def test_a_relative_namespace_has_no_canonical_form_and_is_read_all_the_same():
    relative = around(assertion()).replace("<saml:Subject>", '<saml:Subject xmlns:x="x">')
    assert read(relative, trust=None, now=NOW).assertion.subject == "00u1"
    with pytest.raises(RefusedAssertion, match="is damaged and cannot be checked"):
        read(XML.replace("<saml:Subject>", '<saml:Subject xmlns:x="x">'), trust=IDP.trust(), now=NOW)


def test_an_assertion_by_itself_is_read():
    assert read(IDP.sign(assertion()), trust=IDP.trust(), now=NOW).signature == "verified"


@pytest.mark.parametrize(
    ("pasted", "reason"),
    [
        ("", "nothing was pasted"), ("  \n", "nothing was pasted"), (b"", "nothing was pasted"),
        ("hello, world", "this is neither: expected a SAML response"),
        ("aGVsbG8sIHdvcmxk", "base64 of something else"), ("AAAA", "base64 of something else"), ("A", "was cut or changed"),
        (DEFLATED[:400], "base64 of something else"),
        ('{"access_token": "x"}', "JSON without an id_token"), ("{oops", "begins like JSON"),
        ("SAMLResponse=", "nothing was pasted"), ("%3Cx", "no well-formed XML"),
        (b"\xff\xfe\x00", "no text: byte 3 is no UTF-16"), (b"<a>\xff</a>", "no text: byte 4 is no UTF-8"),
        ("<a><b></a>", "no well-formed XML: mismatched tag .line 1, column 9."),
        ("<a>\n\n  <b></a>", "no well-formed XML: mismatched tag .line 3, column"),
        ("<html><body>Sign in</body></html>", "expected a Response or an Assertion of SAML 2.0, found html"),
        (XML.replace("samlp:Response", "samlp:LogoutResponse"), "found LogoutResponse"),
        (XML.replace("2026-11-23T08:12:00Z", "tomorrow"), "AuthnStatement/@AuthnInstant: 'tomorrow' is no instant"),
        (around(assertion(name="")), "Assertion/Subject/NameID: expected one with a name, found none"),
        (around(assertion(name=NAME + NAME)), "found 2"),
        (around(assertion(name=NAME.replace("00u1", "<b>root</b>"))), "expected one with a name"),
        (around(assertion(attributes=ATTRIBUTES.replace('Name="email"', ""))), "AttributeStatement/Attribute: one has no Name"),
        ("x" * (LIMIT + 1), "1,000,001 bytes were pasted"),
        ("<a>" * (DEPTH + 1), "more than 64 deep"), ("<a>" + "<b/>" * ELEMENTS + "</a>", "more than 10,000 elements"),
        ("<a" + "".join(f' a{i}="x"' for i in range(200)) + "/>", "more than 128 attributes"),
        ("<a" + "".join(f' xmlns:a{i}="x"' for i in range(200)) + "/>", "more than 128 namespaces"),
        (base64.b64encode(zlib.compress(b" " * (LIMIT + 1))).decode(), "unfolds to more than 1,000,000 bytes"),
    ],
)  # fmt: skip
def test_what_is_no_assertion_says_what_was_expected_and_where(pasted, reason):
    with pytest.raises(UnreadableAssertion, match=reason):
        read(pasted, trust=None, now=NOW)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (around(f"<x>{assertion()}</x>"), "not where it belongs, directly in the response"),
        (around(assertion().replace('ID="_a1"', "")), "the assertion has no ID"),
        (around(assertion().replace('Version="2.0"', 'Version="1.1"')), "not of version 2.0"),
        (XML.replace("</ds:Signature>", "<ds:Object/></ds:Signature>"), "something is packed into a signature"),
        (around(assertion().replace("saml:Issuer", "saml:Advice")), "Assertion/Issuer: expected one, found 0"),
        (
            around(assertion().replace("saml:AuthnStatement", "saml:Advice").replace("IssueInstant", "Issued")),
            "AuthnStatement/@AuthnInstant: expected when somebody signed in",
        ),
        ("<" + "a" * 60_000 + "/>", "no well-formed XML: Name too long"),
    ],
)
def test_another_shape_is_not_read(document, reason):
    with pytest.raises(SignOnError, match=reason):
        read(document, trust=None, now=NOW)


def test_nobody_wraps_for_ever():
    wrapped = B64
    for _ in range(6):
        wrapped = base64.b64encode(wrapped.encode()).decode()
    with pytest.raises(UnreadableAssertion, match="wrapped more than 6 times"):
        read(wrapped, trust=None, now=NOW)


def attribute(name, *values):
    inside = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}">{inside}</saml:Attribute>'


def said(*attributes, name=NAME):
    return read(around(assertion(attributes="".join(attributes), name=name)), trust=None, now=NOW)


SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
ROLES = "http://schemas.microsoft.com/ws/2008/06/identity/claims/"
IDENTITY = "http://schemas.microsoft.com/identity/claims/"


class TestClaims:
    def test_of_entra(self):
        reading = said(
            attribute(IDENTITY + "objectidentifier", "11111111-2222-3333-4444-555555555555"),
            attribute(IDENTITY + "tenantid", "t1"), attribute(SOAP + "name", "ada@nwl.example"),
            attribute(SOAP + "givenname", "Ada"), attribute(SOAP + "surname", "Amaral"),
            attribute(SOAP + "emailaddress", "ada.amaral@nwl.example"), attribute("department", "Sales"),
            attribute(ROLES + "groups", "aaaaaaaa-2222-3333-4444-555555555555"), attribute(ROLES + "role", "Admin", "Reader"),
            attribute("http://schemas.microsoft.com/claims/authnmethodsreferences", "pwd", "mfa"),
        )  # fmt: skip
        told = reading.assertion
        assert (told.immutable_id, told.tenant_id) == ("11111111-2222-3333-4444-555555555555", "t1")
        assert (told.username, told.email) == ("ada@nwl.example", "ada.amaral@nwl.example")
        assert (told.first_name, told.last_name, told.department) == ("Ada", "Amaral", "Sales")
        assert (told.roles, told.amr) == (("Admin", "Reader"), ("pwd", "mfa"))
        assert told.values(ROLES + "role") == ("Admin", "Reader")
        assert any("told by id" in warning for warning in reading.warnings)

    def test_of_okta(self):
        told = said(
            attribute("firstName", "Ada"), attribute("lastName", "Amaral"), attribute("email", "ada@nwl.example"),
            attribute("user.id", "00u1"), attribute("groups", "sales", "everybody"), attribute("manager", "eve"),
            attribute("employeeNumber", "7"), attribute("title", "Lead"), attribute("employeeType", "contractor"),
        ).assertion  # fmt: skip
        assert (told.first_name, told.last_name, told.email, told.immutable_id) == (
            "Ada",
            "Amaral",
            "ada@nwl.example",
            "00u1",
        )
        assert (told.groups, told.manager, told.employee_number) == (("sales", "everybody"), "eve", "7")
        assert (told.title, told.employee_type) == ("Lead", "contractor")

    def test_of_a_directory(self):
        told = said(
            attribute("urn:oid:0.9.2342.19200300.100.1.3", "ada@nwl.example"), attribute("uid", "ada"),
            attribute("urn:oasis:names:tc:SAML:attribute:subject-id", "s-1@nwl.example"),
        ).assertion  # fmt: skip
        assert (told.email, told.immutable_id) == ("ada@nwl.example", "s-1@nwl.example")

    def test_groups_that_are_not_told_are_not_none(self):
        assert said(attribute("email", "a@b")).assertion.groups is None
        assert said(attribute("groups")).assertion.groups == ()
        assert said(attribute("groups", "")).assertion.groups == ()
        overage = said(attribute("http://schemas.microsoft.com/claims/groups.link", "https://graph.example/x"))
        assert (overage.assertion.groups, overage.assertion.groups_overage) == (None, True)
        assert any("more groups than fit" in warning for warning in overage.warnings)

    @pytest.mark.parametrize(
        ("name", "warning"),
        [
            (f'<saml:NameID Format="{TRANSIENT}">x</saml:NameID>', "another one at each sign-in"),
            (f'<saml:NameID Format="{EMAIL}">a@b</saml:NameID>', "the subject is an e-mail address"),
            ("<saml:NameID>a@b</saml:NameID>", "the subject is an e-mail address"),
        ],
    )
    def test_a_subject_that_will_not_stay_is_told(self, name, warning):
        reading = said(name=name)
        assert any(warning in told for told in reading.warnings)
        assert reading.assertion.subject_format in (TRANSIENT, EMAIL, UNSPECIFIED)

    def test_everything_is_kept_as_it_came(self):
        reading = said(attribute("x", "1", "2"), attribute("department", "Sales", "Legal"))
        assert reading.told == (("x", ("1", "2")), ("department", ("Sales", "Legal")))
        assert reading.assertion.attributes == reading.told
        assert any("department has 2 values" in warning for warning in reading.warnings)


def test_times_session_and_strength_are_told():
    reading = read(XML, trust=None, now=NOW)
    told = reading.assertion
    assert (told.at, told.session_index, told.acr) == (NOW, "_s1", "urn:oasis:names:tc:SAML:2.0:ac:classes:Password")
    assert (reading.holds_from, reading.holds_until) == (NOW - timedelta(minutes=5), NOW + timedelta(minutes=5))
    assert not reading.expired
    assert read(XML, trust=None, now=NOW + timedelta(minutes=5)).expired


def test_an_expired_one_passes_only_when_asked_for_and_is_marked():
    late = NOW + timedelta(minutes=6)
    with pytest.raises(RefusedAssertion, match="held until 2026-11-23 08:17:00 UTC"):
        read(XML, trust=IDP.trust(), now=late)
    assert read(XML, trust=IDP.trust(), now=late - timedelta(seconds=1)).signature == "verified"
    reading = read(XML, trust=IDP.trust(), now=late, expired_is_fine=True)
    assert (reading.signature, reading.expired) == ("verified", True)
    with pytest.raises(RefusedAssertion, match="holds only from"):  # what does not hold yet is never fine
        read(XML, trust=IDP.trust(), now=NOW - timedelta(hours=1), expired_is_fine=True)


def test_a_certificate_that_ran_out_is_told():
    reading = read(XML, trust=IDP.trust(), now=NOW + timedelta(days=500), expired_is_fine=True)
    assert any("the certificate ran out on" in warning for warning in reading.warnings)


def test_encrypted_attributes_are_told_and_the_rest_is_read():
    secret = "<saml:EncryptedAttribute><x/></saml:EncryptedAttribute>"
    reading = said(attribute("email", "a@b"), secret)
    assert (reading.assertion.email, reading.signature) == ("a@b", "unverified")
    assert "encrypted attributes that cannot be read here: 1" in reading.warnings
    with pytest.raises(RefusedAssertion, match="an attribute is encrypted"):
        read(IDP.response(attributes=secret), trust=IDP.trust(), now=NOW)
