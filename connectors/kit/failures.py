"""What other libraries raise, mapped to our errors in this one place. Messages name the path, never a body or a URL."""

from __future__ import annotations

import ssl
from http.client import HTTPException
from typing import Final

from requests import exceptions as requests_errors
from urllib3 import exceptions as urllib3_errors

from governance.errors import ConfigurationError, IncompleteFeed, LeaverwatchError, Unavailable, UnexpectedAnswer

# The first that fits decides: special ones before general ones.
_MEANS: Final[tuple[tuple[type[BaseException], type[LeaverwatchError], str], ...]] = (
    (requests_errors.InvalidJSONError, UnexpectedAnswer, "the answer is not JSON"),
    (requests_errors.ChunkedEncodingError, IncompleteFeed, "the answer broke off before its end"),
    (requests_errors.ContentDecodingError, UnexpectedAnswer, "the answer cannot be decompressed"),
    (requests_errors.TooManyRedirects, UnexpectedAnswer, "the answer leads in circles"),
    (requests_errors.HTTPError, UnexpectedAnswer, "the answer is an error"),
    (requests_errors.InvalidProxyURL, ConfigurationError, "the proxy's address is not valid"),
    (requests_errors.InvalidURL, ConfigurationError, "the address is not valid"),
    (requests_errors.MissingSchema, ConfigurationError, "the address is not valid"),
    (requests_errors.InvalidSchema, ConfigurationError, "the address is not valid"),
    (requests_errors.URLRequired, ConfigurationError, "the address is missing"),
    (requests_errors.InvalidHeader, ConfigurationError, "the token or media type holds signs no header may hold"),
    (requests_errors.SSLError, Unavailable, "no trusted encrypted connection"),
    (requests_errors.ProxyError, Unavailable, "the proxy does not connect"),
    (requests_errors.ConnectTimeout, Unavailable, "no connection in time"),
    (requests_errors.Timeout, Unavailable, "no answer in time"),
    (requests_errors.RequestException, Unavailable, "no connection"),
    (urllib3_errors.IncompleteRead, IncompleteFeed, "the answer broke off before its end"),
    (urllib3_errors.InvalidChunkLength, IncompleteFeed, "the answer broke off before its end"),
    (urllib3_errors.DecodeError, UnexpectedAnswer, "the answer cannot be decompressed"),
    (urllib3_errors.LocationValueError, ConfigurationError, "the address is not valid"),
    (urllib3_errors.TimeoutError, Unavailable, "no answer in time"),
    (urllib3_errors.SSLError, Unavailable, "no trusted encrypted connection"),
    (urllib3_errors.HTTPError, Unavailable, "no connection"),
    (HTTPException, Unavailable, "the answer is no HTTP"),
    (ssl.SSLError, Unavailable, "no trusted encrypted connection"),
    (TimeoutError, Unavailable, "no answer in time"),
    (OSError, Unavailable, "no connection"),
    (UnicodeError, UnexpectedAnswer, "the answer holds bytes that are no text"),
    (RecursionError, UnexpectedAnswer, "the answer is nested too deeply"),
    (ValueError, UnexpectedAnswer, "the answer is not JSON"),
)
FOREIGN: Final = (
    requests_errors.RequestException,
    urllib3_errors.HTTPError,
    HTTPException,
    OSError,
    ValueError,
    RecursionError,
)


def translated(error: BaseException, place: str, path: str) -> LeaverwatchError:
    """Our error for a foreign one; `place` says what was asked, such as "wiki: GET /scim/v2/Users"."""
    if isinstance(error, LeaverwatchError):
        return error
    error = _root(error)
    kind, words = next(((k, w) for foreign, k, w in _MEANS if isinstance(error, foreign)), (Unavailable, "failed"))
    text = f"{place}: {words} ({type(error).__name__})"
    return UnexpectedAnswer(text, path) if kind is UnexpectedAnswer else kind(text)


def _root(error: BaseException) -> BaseException:
    """What is behind urllib3's "max retries exceeded" as requests hands it on."""
    inner = error.args[0] if error.args and isinstance(error, requests_errors.ConnectionError) else None
    if isinstance(inner, urllib3_errors.MaxRetryError) and isinstance(inner.reason, urllib3_errors.TimeoutError):
        return inner.reason
    return error
