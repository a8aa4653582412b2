"""Whatever is pasted: a reading or one of the two named errors, and never "verified" for what was not signed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signed import NOW, Signer, around, assertion

from governance.errors import SignOnError
from governance.provisioning.reading import read

IDP = Signer()
TRUST = IDP.trust()
WHOLE = {
    "assertion": IDP.response(), "response": IDP.response(signed="response"), "both": IDP.response(signed="both"),
    "unsigned": around(assertion()), "token": IDP.token(),
}  # fmt: skip
TRUE = {kind: read(text, trust=TRUST, now=NOW).assertion for kind, text in WHOLE.items() if kind != "unsigned"}
PIECES = (
    "<", ">", "</", "/>", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE a>", "&amp;", "&x;", "&#0;", 'ID="_a1"', 'URI=""',
    "<saml:Assertion", "</saml:Assertion>", "<ds:Signature>", "</ds:Signature>", "<ds:Object>", "xmlns=''", "SAMLResponse=",
    "id_token=", "%3C", "\x00", "\ud800", "\ufeff", "2026-11-23T08:12:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00",
    "root", ".", "..", "e30", "eyJhbGciOiJub25lIn0", "1e999", "-1", "{", "}", "=", "\n",
)  # fmt: skip


def outcome(pasted, trust=TRUST):
    """What became of it; every other exception than the named ones ends the test."""
    try:
        return read(pasted, trust=trust, now=NOW, expired_is_fine=True)
    except SignOnError:
        return None


@settings(max_examples=1000, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400), st.text(max_size=400), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
    )
)
def test_anything_at_all(pasted):
    for trust in (TRUST, None):
        reading = outcome(pasted, trust)
        assert reading is None or reading.signature != "verified"


@settings(max_examples=1000, deadline=None)
@given(
    st.sampled_from(sorted(WHOLE)),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 60), st.one_of(st.sampled_from(PIECES), st.text(max_size=4))),
        max_size=4,
    ),
)
def test_a_document_that_was_changed(kind, changes):
    """Where it is still accepted, it says exactly what was signed."""
    text = WHOLE[kind]
    for place, length, piece in changes:
        at = int(place * len(text))
        text = text[:at] + piece + text[at + length :]
    outcome(text, None)
    reading = outcome(text)
    if reading is not None and reading.signature == "verified":
        assert kind != "unsigned"
        assert reading.assertion == TRUE[kind]


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_pieces_of_a_document_in_another_order(kind, data):
    text = WHOLE[kind]
    parts = text.split(".") if kind == "token" else text.replace("><", ">\x00<").split("\x00")
    chosen = data.draw(st.lists(st.sampled_from(parts), max_size=len(parts) + 3))
    reading = outcome((".".join if kind == "token" else "".join)(chosen))
    assert reading is None or reading.signature != "verified" or reading.assertion == TRUE[kind]


@pytest.mark.parametrize("kind", sorted(TRUE))
def test_every_single_character_counts(kind):
    """Each seventh position loses its character: accepted only where it says the same."""
    text = WHOLE[kind]
    for at in range(0, len(text), 7):
        reading = outcome(text[:at] + text[at + 1 :])
        assert reading is None or reading.signature != "verified" or reading.assertion == TRUE[kind]


@settings(max_examples=200, deadline=None)
@given(st.datetimes())
def test_any_instant(instant):
    text = around(assertion()).replace("2026-11-23T08:17:00Z", instant.isoformat())
    for trust in (TRUST, None):
        outcome(text, trust)
