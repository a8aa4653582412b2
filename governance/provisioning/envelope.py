"""How assertions travel: out of forms, addresses, headers, base64 and deflate comes XML or a compact token."""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from governance.errors import UnreadableAssertion
from governance.provisioning.document import LIMIT

_LAYERS: Final = 6  # a form, an address, base64 twice, deflate: nobody wraps more
_FIELD: Final = re.compile(r"<(?:input|textarea)\b([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(r"""\b(name|value)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_QUERY: Final = re.compile(r"(?:^|[?&#])(SAMLResponse|id_token)=([^&#\s]*)")
_QUOTED: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_BEARER: Final = re.compile(r"^(?:authorization\s*:\s*)?bearer\s+", re.IGNORECASE)
_TOKEN: Final = re.compile(r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*)?$")
_BASE64: Final = re.compile(r"^[A-Za-z0-9+/_-]+={0,3}$")
_DECLARED: Final = re.compile(rb"^\s*<\?xml[^>]*encoding\s*=\s*[\"'](iso-8859-1|windows-1252)[\"']", re.IGNORECASE)
_BLANK: Final = "\ufeff\u200b\u00a0 \t\r\n\f\v"
_EXPECTED: Final = (
    "expected a SAML response (XML, base64, deflated, a form or an address with SAMLResponse=) or an id token (a.b.c)"
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What was inside."""

    kind: Literal["xml", "token"]
    text: str


def opened(pasted: str | bytes) -> Letter:
    """The XML or the token inside what was pasted. Raises UnreadableAssertion with what was expected."""
    if len(pasted) > LIMIT:
        raise UnreadableAssertion(f"{len(pasted):,} bytes were pasted: more than {LIMIT:,} are not read")
    text = pasted if isinstance(pasted, str) else decoded(pasted)
    for _ in range(_LAYERS):
        text = text.strip(_BLANK)
        if not text:
            raise UnreadableAssertion(f"nothing was pasted: {_EXPECTED}")
        inner = _unwrapped(text)
        if isinstance(inner, Letter):
            return inner
        text = inner
    raise UnreadableAssertion(f"wrapped more than {_LAYERS} times: {_EXPECTED}")


def _unwrapped(text: str) -> Letter | str:
    """What is inside one layer, or the letter when nothing is around it."""
    if text.startswith("<"):
        return _field(text) or Letter("xml", text)
    if text.startswith("{"):
        return _answer(text)
    if bearer := _BEARER.match(text):
        return text[bearer.end() :]
    if found := _QUERY.search(text):
        return _unquoted(found[2])
    tight = "".join(text.split())
    if _TOKEN.match(tight):
        return Letter("token", tight)
    if _BASE64.match(tight):
        return _unfolded(tight)
    if "%" in tight and (plain := _unquoted(tight)) != tight:
        return plain
    raise UnreadableAssertion(f"this is neither: {_EXPECTED}")


def _unquoted(text: str) -> str:
    """What stands in an address. urllib's unquote takes more than 50 MB for a text of nothing but per cents."""
    data = text.encode("utf-8", "replace")
    plain, start = bytearray(), 0
    for quoted in _QUOTED.finditer(data):
        plain += data[start : quoted.start()] + bytes.fromhex(quoted[1].decode())
        start = quoted.end()
    return (plain + data[start:]).decode("utf-8", "replace")


def _field(text: str) -> str | None:
    """The value of the form's field, when this is the form that carries an assertion through the browser."""
    for tag in _FIELD.finditer(text):
        told = {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(tag[1])}
        if told.get("name") in ("SAMLResponse", "id_token"):
            return told.get("value", "")
    return None


def _answer(text: str) -> str:
    """The id token of a token endpoint's answer."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableAssertion(f"this begins like JSON and is none: {_EXPECTED}") from error
    if isinstance(token := told.get("id_token"), str):
        return token
    raise UnreadableAssertion(f"this is JSON without an id_token, signed by nobody: {_EXPECTED}")


def _unfolded(text: str) -> str:
    """What base64 holds: text, or deflated text (RFC 1951, as the redirect binding has it, or with zlib's frame)."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnreadableAssertion(f"this looks like base64 and was cut or changed: {error}") from error
    for frame in (None, -zlib.MAX_WBITS, zlib.MAX_WBITS):
        inside = data if frame is None else _inflated(data, frame)
        if inside is not None and (found := _text(inside)) is not None:
            return found
    raise UnreadableAssertion(f"base64 of something else: {_EXPECTED}")


def _inflated(data: bytes, frame: int) -> bytes | None:
    """Deflated bytes; None when they are none or are cut off. Raises UnreadableAssertion when they swell too much."""
    machine = zlib.decompressobj(frame)
    try:
        inside = machine.decompress(data, LIMIT + 1)
    except zlib.error:
        return None
    if len(inside) > LIMIT:
        raise UnreadableAssertion(f"it unfolds to more than {LIMIT:,} bytes, which are not read")
    return inside if machine.eof else None


def _text(data: bytes) -> str | None:
    """Bytes as the text of another layer; None when they are none."""
    try:
        text = decoded(data).strip(_BLANK)
    except UnreadableAssertion:
        return None
    tight = "".join(text.split())
    return text if text.startswith("<") or _TOKEN.match(tight) or _BASE64.match(tight) else None


def decoded(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, or one of the two old codes when the XML declares it."""
    code = "utf-8-sig"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        code = "utf-16"
    elif declared := _DECLARED.match(data[:200]):
        code = declared[1].decode().lower()
    try:
        return data.decode(code)
    except UnicodeDecodeError as error:
        raise UnreadableAssertion(
            f"no text: byte {error.start + 1} is no {code.removesuffix('-sig').upper()}"
        ) from error
