"""What a SAML assertion says of itself: until when it holds, for which application, brought by whom.

Source: SAML core 2.5 and the web browser single sign-on profile, section 4.1.4 (what a service provider must check).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from governance.errors import RefusedAssertion, UnreadableAssertion
from governance.provisioning.trust import Trust

A: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
P: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
_BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_UNDERSTOOD: Final = frozenset({f"{A}AudienceRestriction", f"{A}OneTimeUse", f"{A}ProxyRestriction"})
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?")


def words(element: Any) -> str:
    """The text of an element parsed without comments, so that nothing in between can cut it short."""
    return "".join(element.itertext()).strip()


def instant(element: Any, attribute: str) -> datetime | None:
    """An instant in UTC, which is meant where no zone stands. Raises UnreadableAssertion with the place."""
    told = element.get(attribute)
    if told is None:
        return None
    try:
        if not _INSTANT.fullmatch(told.strip()):
            raise ValueError(told)
        read = datetime.fromisoformat(told.strip())
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        place = f"{element.tag.rpartition('}')[2]}/@{attribute}"
        raise UnreadableAssertion(f"{place}: {told[:40]!r} is no instant like 2026-11-23T08:12:00Z") from error


def window(assertion: Any) -> tuple[datetime | None, datetime | None]:
    """From when and until when it holds: the narrowest of its conditions, its confirmation and its session."""
    conditions = assertion.findall(f"{A}Conditions")
    begins = [instant(c, "NotBefore") for c in conditions]
    ends = [instant(c, "NotOnOrAfter") for c in conditions]
    ends += [instant(data, "NotOnOrAfter") for data in _bearers(assertion)]
    ends += [instant(s, "SessionNotOnOrAfter") for s in assertion.findall(f"{A}AuthnStatement")]
    return max((b for b in begins if b), default=None), min((e for e in ends if e), default=None)


def audiences(assertion: Any) -> list[list[str]]:
    """Each restriction with the applications it names: all of them must name ours."""
    return [
        [words(audience) for audience in restriction.findall(f"{A}Audience")]
        for restriction in assertion.findall(f"{A}Conditions/{A}AudienceRestriction")
    ]


def check(assertion: Any, response: Any | None, trust: Trust) -> None:
    """Everything but the times. Raises RefusedAssertion with the first thing that does not hold."""
    if response is not None:
        check_response(response, trust)
    _issuer(assertion, trust, "assertion")
    conditions = assertion.findall(f"{A}Conditions")
    if len(conditions) != 1:
        raise RefusedAssertion(
            f"the assertion has {len(conditions)} Conditions where one belongs: it holds for anybody"
        )
    if strange := [c.tag for c in conditions[0] if c.tag not in _UNDERSTOOD]:
        raise RefusedAssertion(f"the assertion sets a condition that is not understood: {strange[0]}")
    told = audiences(assertion)
    if not told:
        raise RefusedAssertion("the assertion names no audience: it holds for any application")
    if any(trust.audience not in names for names in told):
        raise RefusedAssertion(f"the assertion is for {', '.join(told[0]) or 'nobody'}, not for {trust.audience}")
    if not assertion.findall(f"{A}AuthnStatement"):
        raise RefusedAssertion("the assertion has no AuthnStatement: it does not say that anybody signed in")
    qualifier = next((n.get("SPNameQualifier") for n in assertion.findall(f"{A}Subject/{A}NameID")), None)
    if qualifier not in (None, trust.audience):
        raise RefusedAssertion(f"the subject is named for {qualifier}, not for {trust.audience}")
    _confirmed(assertion, response, trust)


def check_response(response: Any, trust: Trust) -> None:
    """The message around the assertion. Raises RefusedAssertion."""
    _issuer(response, trust, "response")
    destination = response.get("Destination")
    if destination == "":
        raise RefusedAssertion("the response has an empty Destination")
    if trust.recipient is not None and destination not in (None, trust.recipient):
        raise RefusedAssertion(f"the response was sent to {destination}, not to {trust.recipient}")
    if trust.in_response_to is not None and response.get("InResponseTo") not in (None, trust.in_response_to):
        raise RefusedAssertion(f"the response answers {response.get('InResponseTo')}, not {trust.in_response_to}")


def _issuer(element: Any, trust: Trust, what: str) -> None:
    found = [words(issuer) for issuer in element.findall(f"{A}Issuer")]
    if len(found) != 1:
        raise RefusedAssertion(f"the {what} names {len(found)} issuers where one belongs")
    if found[0] != trust.issuer:
        raise RefusedAssertion(f"the {what} was issued by {found[0]}, not by {trust.issuer}")


def _bearers(assertion: Any) -> Iterator[Any]:
    for confirmation in assertion.findall(f"{A}Subject/{A}SubjectConfirmation"):
        if confirmation.get("Method") == _BEARER:
            yield from confirmation.findall(f"{A}SubjectConfirmationData")


def _confirmed(assertion: Any, response: Any | None, trust: Trust) -> None:
    """One confirmation must fit: whoever brings the assertion is who it is about, at this place, for this request."""
    asked = trust.in_response_to or (response.get("InResponseTo") if response is not None else None)
    reasons = []
    for data in _bearers(assertion):
        recipient, answers = data.get("Recipient"), data.get("InResponseTo")
        if instant(data, "NotOnOrAfter") is None:
            reasons.append("it has no end")
        elif data.get("NotBefore") is not None:
            reasons.append("it has a beginning, which a bearer's never has")
        elif trust.recipient is not None and recipient != trust.recipient:
            reasons.append(f"it is for {recipient}, not for {trust.recipient}")
        elif asked and answers not in ((asked,) if trust.in_response_to else (asked, None)):
            reasons.append(f"it answers {answers}, not {asked}")
        else:
            return
    said = reasons[0] if reasons else "there is none for a bearer"
    raise RefusedAssertion(f"no subject confirmation fits: {said}")
