"""What came back from the other side, and the error it is where it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
import requests

from connectors.kit.bodies import Stored
from connectors.kit.failures import translated
from connectors.kit.pacing import reset_after
from connectors.kit.patience import retry_after
from governance.errors import AuthenticationFailed, FeedError, RateLimited, Unavailable, UnexpectedAnswer

# Every byte by what it is to a number: a digit, a sign, what may stand before one, or nothing of it.
_KINDS: Final = bytes(
    ord("0") if byte in b"0123456789" else byte if byte == ord("-") else ord(",") if byte in b"[:, \t\n\r\f\v" else 0
    for byte in range(256)
)
_LONG_NUMBERS: Final = (b"," + b"0" * 19, b",-" + b"0" * 19)
_SCIM_TYPE: Final = re.compile(r"[A-Za-z]{2,30}")
Reads = Callable[[Any], Any]  # reads a body of JSON that has a known form, and tells None of any other


@dataclass(frozen=True)
class Answer:
    """What came back: JSON, nothing, or text where another media type was asked for."""

    status: int
    data: Any
    headers: Mapping[str, str]
    path: str
    sha256: str
    url: str = ""


def refused(response: requests.Response, data: Any, place: str, path: str, now: datetime) -> FeedError:
    """The error for an answer that is none."""
    status = response.status_code
    wait = retry_after(response.headers, now)
    if status == 429 or (status == 403 and wait is not None):
        wait = reset_after(response.headers, now) if wait is None else wait
        until = None if wait is None else now + timedelta(seconds=wait)
        return RateLimited(f"{place}: {status}: too many requests", until)
    if status == 401:
        return AuthenticationFailed(f"{place}: 401: the token is missing, wrong or expired")
    if status == 403:
        return AuthenticationFailed(f"{place}: 403: the token lacks the right to do this")
    if status in (408, 425) or status >= 500:
        return Unavailable(f"{place}: answered {status}")
    kind = data.get("scimType") if isinstance(data, dict) else None
    known = f" ({kind})" if isinstance(kind, str) and _SCIM_TYPE.fullmatch(kind) else ""
    return UnexpectedAnswer(f"{place}: answered {status}{known}", path)


def strict(
    response: requests.Response,
    content: bytes | bytearray | Stored,
    place: str,
    path: str,
    media: str | None,
    form: Reads | None = None,
) -> Any:
    """The body as JSON, or as text of the media type that was asked for; UnexpectedAnswer for anything else.

    `form` reads JSON that has a known form, and tells None of any other.
    """
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media and kind == media:
        try:
            return _held(content).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise translated(error, place, path) from None
    if media:
        raise UnexpectedAnswer(f"{place}: answered another type than {media}, perhaps a page to sign in", path)
    if kind and not (kind in ("application/json", "text/json", "text/plain") or kind.endswith("+json")):
        shown = kind if re.fullmatch(r"[a-z0-9.+/-]{1,60}", kind) else "something else"
        raise UnexpectedAnswer(f"{place}: answered {shown} instead of JSON, perhaps a page to sign in", path)
    if form is not None and (told := form(content)) is not None:
        return told
    content = _held(content)
    try:
        return parsed(content)
    except (ValueError, RecursionError) as error:
        raise translated(error, place, path) from None


def parsed(content: bytes | bytearray) -> Any:
    """JSON by the fast parser, and by the standard library's where the fast one is stricter or would round a number."""
    kinds = content.translate(_KINDS)  # finding a text takes a seventh of what a regular expression takes
    if not any(number in kinds for number in _LONG_NUMBERS):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(content)
    return json.loads(content)


def lenient(content: bytes | bytearray | Stored) -> Any:
    """The body of an error as JSON; None when it is something else."""
    try:
        return json.loads(_held(content))
    except (ValueError, RecursionError):
        return None


def _held(content: bytes | bytearray | Stored) -> bytes | bytearray:
    return content[:] if isinstance(content, Stored) else content
