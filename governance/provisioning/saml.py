"""Reading a SAML 2.0 response or assertion: first its shape, then its signature, then what the signed part says.

Every way of wrapping a signature needs a second assertion, a second element of the same ID, or a signature at a place
where none belongs. Documents like that are refused before anything is checked or read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lxml import etree

from governance.errors import RefusedAssertion, UnreadableAssertion
from governance.provisioning import claims
from governance.provisioning.assertion import UNSPECIFIED, Assertion, Reading
from governance.provisioning.conditions import A, P, audiences, check, check_response, instant, window, words
from governance.provisioning.document import build, parse
from governance.provisioning.signature import DS, Signed, refers_to_everything, verified
from governance.provisioning.trust import Trust

_SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
_XENC: Final = "{http://www.w3.org/2001/04/xmlenc#}"


@dataclass(frozen=True, slots=True)
class _Message:
    """The parts that may count. `assertion` is an Assertion or an EncryptedAssertion."""

    response: Any | None
    assertion: Any


def read_saml(text: str, trust: Trust | None, now: datetime, *, expired_is_fine: bool = False) -> Reading:
    """What the XML of a response or an assertion says: see `reading.read`."""
    message = _shape(parse(text))
    response, assertion, signatures = _checked(message, trust, now)
    by = "; ".join(dict.fromkeys(s.by for s in signatures)) or None
    warnings = [w for s in signatures for w in s.warnings]
    if hidden := _hidden(assertion):
        if trust is not None and response is not None:
            check_response(response, trust)
        warnings.append(f"{hidden} is encrypted for the application: nothing of it can be read here")
        return Reading("saml", None, "encrypted", by, warnings=tuple(dict.fromkeys(warnings)))
    if trust is not None:
        check(assertion, response, trust)
    begins, ends = window(assertion)
    expired = ends is not None and now - (trust.skew if trust else claims.NO_TIME) >= ends
    if trust is not None:
        if expired and not expired_is_fine:
            raise RefusedAssertion(f"the assertion held until {ends:%Y-%m-%d %H:%M:%S} UTC")
        if begins is not None and begins - trust.skew > now:
            raise RefusedAssertion(f"the assertion holds only from {begins:%Y-%m-%d %H:%M:%S} UTC")
    told = _told(assertion, trust, warnings)
    said = _assertion(assertion, told, trust)
    warnings += claims.warnings(told, {"groups": said.groups})
    return Reading(
        protocol="saml",
        assertion=said,
        signature="verified" if trust is not None else "unverified",
        by=by,
        holds_from=begins,
        holds_until=ends,
        expired=expired,
        warnings=tuple(dict.fromkeys((*warnings, *said.cautions))),
        told=told,
    )


def _shape(root: Any) -> _Message:
    """The one assertion and the response that holds it. Raises RefusedAssertion for every other shape."""
    tag = str(root.tag)
    if tag not in (f"{P}Response", f"{A}Assertion", f"{A}EncryptedAssertion"):
        name = tag.rpartition("}")[2]
        older = " of SAML 1, which is not read" if "SAML:1" in tag else ""
        raise UnreadableAssertion(f"expected a Response or an Assertion of SAML 2.0, found {name}{older}")
    response = root if tag == f"{P}Response" else None
    ids = Counter(
        v for e in root.iter(etree.Element) for k, v in e.attrib.items() if k.rpartition("}")[2].lower() == "id"
    )
    if twice := next((value for value, count in ids.items() if count > 1), None):
        raise RefusedAssertion(f"two elements have the ID {twice}: which one is signed cannot be told")
    if response is not None:
        _status(response)
    found = [*root.iter(f"{A}Assertion"), *root.iter(f"{A}EncryptedAssertion")]
    if not found:
        raise RefusedAssertion("the response holds no assertion")
    if len(found) > 1 or len(list(root.iter(f"{P}Response"))) > 1:
        raise RefusedAssertion(f"{len(found)} assertions where one belongs: which one is signed cannot be told")
    assertion = found[0]
    if response is not None and assertion.getparent() is not root:
        raise RefusedAssertion("the assertion is not where it belongs, directly in the response")
    if assertion.tag == f"{A}Assertion" and (assertion.get("Version") != "2.0" or not assertion.get("ID")):
        raise RefusedAssertion("the assertion has no ID, or is not of version 2.0")
    places = Counter(signature.getparent() for signature in root.iter(f"{DS}Signature"))
    if any(place is not response and place is not assertion for place in places) or max(places.values(), default=0) > 1:
        raise RefusedAssertion("a signature stands where none belongs: it would vouch for something else")
    if next(root.iter(f"{DS}Object"), None) is not None:
        raise RefusedAssertion("something is packed into a signature, where nothing belongs")
    return _Message(response, assertion)


def _status(response: Any) -> None:
    """An identity provider that could not sign somebody in says so. Raises RefusedAssertion with its words."""
    if response.get("Version") != "2.0" or not response.get("ID"):
        raise RefusedAssertion("the response has no ID, or is not of version 2.0")
    codes = response.findall(f"{P}Status/{P}StatusCode")
    if len(codes) != 1 or len(response.findall(f"{P}Status")) != 1:
        raise RefusedAssertion("the response does not say whether signing in succeeded (Status/StatusCode)")
    if codes[0].get("Value") != _SUCCESS:
        inner = [code.get("Value", "") for code in response.iter(f"{P}StatusCode")]
        said = [" ".join(words(m).split()) for m in response.findall(f"{P}Status/{P}StatusMessage")]
        names = ", ".join(value.rpartition(":")[2] for value in inner)
        raise RefusedAssertion(": ".join([f"the identity provider refused: {names}", *said]))


def _checked(message: _Message, trust: Trust | None, now: datetime) -> tuple[Any | None, Any, list[Signed]]:
    """The parts to read from, and who signed them: made from the signed bytes with a trust, as they came without."""
    response, assertion = message.response, message.assertion
    signatures: list[Signed] = []
    if trust is not None:
        if response is not None and response.find(f"{DS}Signature") is not None:
            signatures.append(verified(message.response, trust, now, "response"))
            response = signatures[-1].element
            assertion = next(e for e in response if e.tag == message.assertion.tag)
        if message.assertion.find(f"{DS}Signature") is not None:
            if response is not None and refers_to_everything(message.assertion):
                inside = message.assertion.tag
                signatures.append(verified(message.response, trust, now, "response", inside=inside))
                response = signatures[-1].element
                assertion = next(e for e in response if e.tag == inside)
            else:
                signatures.append(verified(message.assertion, trust, now, "assertion"))
                assertion = signatures[-1].element
        if not signatures and assertion.tag == f"{A}Assertion":
            raise RefusedAssertion("nothing is signed")
    return None if response is None else _plain(response), _plain(assertion), signatures


def _plain(element: Any) -> Any:
    """The element by itself, without comments and processing instructions."""
    return build(etree.tostring(element, with_tail=False), comments=False)


def _hidden(assertion: Any) -> str | None:
    """What is encrypted, so that nobody can be named. Raises UnreadableAssertion when it says not how."""
    name = assertion.find(f"{A}Subject/{A}EncryptedID")
    hidden = assertion if assertion.tag == f"{A}EncryptedAssertion" else name
    if hidden is None:
        return None
    data = hidden.findall(f"{_XENC}EncryptedData")
    keys = [*hidden.findall(f"{_XENC}EncryptedKey"), *(key for one in data for key in one.findall(f"{DS}KeyInfo"))]
    said = [one.find(f"{_XENC}EncryptionMethod") for one in (*data, *hidden.iter(f"{_XENC}EncryptedKey"))]
    if len(data) != 1 or not keys or None in said:
        raise UnreadableAssertion("something is encrypted, and it does not say how and with which key")
    return "the assertion" if hidden is assertion else "the subject"


def _told(assertion: Any, trust: Trust | None, warnings: list[str]) -> claims.Told:
    """Every attribute by its name, which may stand once."""
    if secret := assertion.findall(f"{A}AttributeStatement/{A}EncryptedAttribute"):
        if trust is not None:
            raise RefusedAssertion("an attribute is encrypted: what it says cannot be read here")
        warnings.append(f"encrypted attributes that cannot be read here: {len(secret)}")
    told: dict[str, tuple[str, ...]] = {}
    for attribute in assertion.findall(f"{A}AttributeStatement/{A}Attribute"):
        name = attribute.get("Name", "")
        if not name:
            raise UnreadableAssertion("AttributeStatement/Attribute: one has no Name")
        if name in told:
            raise RefusedAssertion(f"the attribute {name} stands twice: which one counts cannot be told")
        told[name] = tuple(filter(None, map(words, attribute.findall(f"{A}AttributeValue"))))
    return tuple(told.items())


def _assertion(assertion: Any, told: claims.Told, trust: Trust | None) -> Assertion:
    """The record. Raises UnreadableAssertion with the path of what is missing."""
    issuers = [words(issuer) for issuer in assertion.findall(f"{A}Issuer")]
    names = assertion.findall(f"{A}Subject/{A}NameID")
    if len(names) != 1 or not words(names[0]) or len(names[0]):
        told_so = "an empty one" if len(names) == 1 else len(names) or "none"
        raise UnreadableAssertion(f"Assertion/Subject/NameID: expected one with a name, found {told_so}")
    if len(issuers) != 1:
        raise UnreadableAssertion(f"Assertion/Issuer: expected one, found {len(issuers)}")
    statement = next(iter(assertion.findall(f"{A}AuthnStatement")), None)
    at = instant(statement, "AuthnInstant") if statement is not None else None
    at = at or instant(assertion, "IssueInstant")
    if at is None:
        raise UnreadableAssertion("Assertion/AuthnStatement/@AuthnInstant: expected when somebody signed in")
    context = statement.find(f"{A}AuthnContext/{A}AuthnContextClassRef") if statement is not None else None
    for_whom = [name for names in audiences(assertion) for name in names]
    return Assertion(
        issuer=issuers[0],
        audience=trust.audience if trust is not None else next(iter(for_whom), ""),
        subject=words(names[0]),
        subject_format=names[0].get("Format") or UNSPECIFIED,
        at=at,
        verified=trust is not None,
        session_index=statement.get("SessionIndex") if statement is not None else None,
        acr=words(context) if context is not None else None,
        attributes=told,
        **claims.fields(told, "saml"),
    )
