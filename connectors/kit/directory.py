"""One connection to one LDAP directory: TLS, deadline, pages to their end, and our errors only (RFC 4511, RFC 2696).

The library is ldap3: pure Python, so that nothing needs a compiler. Its last release is of 2021, and only this file
knows it, so that it can be exchanged.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from connectors.kit.addresses import is_loopback, is_private_name
from connectors.kit.contract import Circumstances
from connectors.kit.fingerprints import Met
from connectors.kit.patience import Deadline, hanging_up
from connectors.kit.peers import admitted
from connectors.kit.redaction import guard_logs
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    RemediationError,
    Unavailable,
    UnexpectedAnswer,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # ldap3 uses old names of pyasn1
    import ldap3
    from ldap3.core import exceptions as ldap3_errors

PAGED: Final = "1.2.840.113556.1.4.319"
RELAX: Final = "1.3.6.1.4.1.4203.666.5.12"  # lets an administrator write operational attributes (OpenLDAP)
CONNECT_S: Final = 10.0
READ_S: Final = 30.0
MAX_REPEATS: Final = 2
_NO_LDAP: Final = (LookupError, ValueError, TypeError, AttributeError, OverflowError)  # how the library falls over
# RFC 4511, appendix A: time, size and administrative limit exceeded; and a referral: the rest is on another server.
CUT_SHORT: Final = (3, 4, 11, 10)


@dataclass(frozen=True)
class Entry:
    """One entry: its name and its attributes as bytes; names of attributes are folded."""

    dn: str
    attributes: Mapping[str, list[bytes]]

    def raw(self, name: str) -> bytes | None:
        """The first value; None when it is not told."""
        values = self.attributes.get(name.casefold())
        return values[0] if values else None

    def text(self, name: str) -> str | None:
        """The first value as text; None when it is not told, empty or no text."""
        value = self.raw(name)
        try:
            return (value.decode().strip() or None) if value is not None else None
        except UnicodeDecodeError:
            return None

    def texts(self, name: str) -> list[str]:
        """Every value that is text."""
        return [value.decode(errors="replace") for value in self.attributes.get(name.casefold(), ())]

    def number(self, name: str) -> int | None:
        """The first value as a whole number."""
        text = self.text(name)
        return int(text) if text is not None and text.lstrip("-").isascii() and text.lstrip("-").isdigit() else None


class Directory:
    """A bound connection. `begin` starts the deadline anew."""

    def __init__(
        self,
        url: object,
        bind_dn: str,
        password: str,
        given: Circumstances,
        place: str,
        where: str,
        *,
        start_tls: bool = True,
        ca_file: str | None = None,
        allow_private: bool = False,
        write: bool = False,
    ) -> None:
        guard_logs([password])
        self._place = place
        self._given = given
        self._where, self._allow_private = where, allow_private
        host, port, encrypted = _address(url, where, allow_private=allow_private)
        plain_is_safe = is_loopback(host)  # nobody listens in between
        if not encrypted and not start_tls and not plain_is_safe:
            raise ConfigurationError(f"{where}: start_tls: no password travels in plain text; use ldaps:// or StartTLS")
        ca = str(given.home / Path(ca_file)) if ca_file else None
        if ca and not Path(ca).is_file():
            raise ConfigurationError(f"{where}: ca_file: there is no file {ca}")
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=ca, version=ssl.PROTOCOL_TLS_CLIENT)
        server = ldap3.Server(
            host,
            port,
            use_ssl=encrypted,
            tls=tls,
            get_info=ldap3.DSA,
            connect_timeout=CONNECT_S,
            allowed_referral_hosts=[],
        )
        self._starts_tls = start_tls and not encrypted and not plain_is_safe
        self._connection = ldap3.Connection(
            server,
            bind_dn,
            password,
            read_only=not write,
            raise_exceptions=True,
            auto_referrals=False,
            check_names=False,
            auto_range=True,
            receive_timeout=int(READ_S),
            client_strategy=ldap3.SYNC,
        )
        self._bound = False
        self.begin()

    def begin(self) -> None:
        """Start the deadline."""
        self.deadline = Deadline(self._given.deadline_s, self._given.now)

    def root(self) -> Mapping[str, list[str]]:
        """What the directory says of itself: naming contexts, controls, capabilities, vendor; keys are folded."""
        self._bind()
        info = self._connection.server.info
        raw = info.raw if info is not None else {}
        return {str(key).casefold(): [_decoded(value) for value in values] for key, values in raw.items()}

    def search(self, base: str, expression: str, attributes: Sequence[str], size: int) -> Iterator[list[Entry]]:
        """Every page of a search; IncompleteFeed unless it came to its end."""
        cookie: bytes | None = None
        seen = Met()
        repeats = 0
        while True:
            page, cookie = self._page(base, expression, attributes, size, cookie)
            fresh = [entry for entry in page if entry.dn not in seen]
            for entry in fresh:
                seen.new(entry.dn)
            yield fresh
            if not cookie:
                return
            repeats = 0 if fresh else repeats + 1
            if repeats >= MAX_REPEATS:
                raise IncompleteFeed(
                    f"{self._place}: {repeats} pages in a row brought nothing new; the list has no end"
                )

    def entry(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """One entry by its name; None when there is none."""
        return self.find(dn, "(objectClass=*)", attributes, ldap3.BASE)

    def find(self, base: str, expression: str, attributes: Sequence[str], scope: str = ldap3.SUBTREE) -> Entry | None:
        """The first entry a search finds; None when there is none."""
        self._bind()
        with self._answered():
            try:
                self._connection.search(base, expression, scope, attributes=list(attributes), **self._limits())
            except ldap3_errors.LDAPNoSuchObjectResult:
                return None
        found = next(iter(self._entries()), None)
        if found is None:  # that it is gone must be said, not merely not found in time or here
            self._check_whole()
        return found

    def modify(self, dn: str, changes: Mapping[str, list[tuple[str, list[Any]]]], *, relax: bool = False) -> str:
        """Change an entry; returns the directory's result. RemediationError when it refuses."""
        self._bind()
        controls = [(RELAX, True, None)] if relax else None
        with self._answered():
            try:
                self._connection.modify(dn, dict(changes), controls=controls)
            except (ldap3_errors.LDAPAttributeOrValueExistsResult, ldap3_errors.LDAPNoSuchAttributeResult) as error:
                return f"{error.result} {error.description}"  # it is so already
            except (
                ldap3_errors.LDAPInsufficientAccessRightsResult,
                ldap3_errors.LDAPUnwillingToPerformResult,
                ldap3_errors.LDAPConstraintViolationResult,
                ldap3_errors.LDAPObjectClassViolationResult,
            ) as error:
                raise RemediationError(f"{self._place}: the directory refuses: {error.description}") from None
        result = self._connection.result
        return f"{result['result']} {result['description']}"

    def close(self) -> None:
        """Let go of the connection."""
        self._bound = False
        with suppress(ldap3_errors.LDAPException, OSError):  # the other side was faster
            self._connection.strategy.close()
        if self._connection.socket is not None:  # the library leaves one behind that never connected
            self._connection.socket.close()

    def _page(
        self, base: str, expression: str, attributes: Sequence[str], size: int, cookie: bytes | None
    ) -> tuple[list[Entry], bytes | None]:
        self._bind()
        with self._answered():
            self._connection.search(
                base,
                expression,
                ldap3.SUBTREE,
                attributes=list(attributes),
                paged_size=size,
                paged_cookie=cookie,
                paged_criticality=True,
                **self._limits(),
            )
        self._check_whole()
        controls = self._connection.result.get("controls") or {}
        told = controls.get(PAGED, {}).get("value", {}).get("cookie")
        return list(self._entries()), told or None

    def _check_whole(self) -> None:
        """The library takes a list that a limit cut short for a good answer; we do not."""
        result = self._connection.result
        if result["result"] in CUT_SHORT:
            word = result["description"]
            raise IncompleteFeed(
                f"{self._place}: the directory ends the list early ({word}); nothing is derived from that"
            )

    def _limits(self) -> dict[str, Any]:
        left = self.deadline.left
        if left <= 0:
            raise Unavailable(f"{self._place}: not finished within the {self.deadline.seconds:g} s this may take")
        self._connection.receive_timeout = int(min(READ_S, max(left, 1)))  # ldap3 takes whole seconds
        return {"time_limit": max(1, int(left))}

    def _entries(self) -> Iterator[Entry]:
        for found in self._connection.response or ():
            if found.get("type") == "searchResEntry":
                raw = found["raw_attributes"]
                yield Entry(found["dn"], {name.casefold(): list(values) for name, values in raw.items() if values})

    def _bind(self) -> None:
        if self._bound:
            return
        self._limits()
        with self._answered():
            self._look_where_it_leads()
            self._connection.open()
            if self._starts_tls:
                self._connection.start_tls()
            self._connection.bind()
        self._bound = True

    @contextmanager
    def _answered(self) -> Iterator[None]:
        """One exchange, broken off at the deadline; our errors only, also where the answer is no LDAP at all."""
        try:
            with hanging_up(self.deadline, lambda: self._connection.socket):
                yield
        except ldap3_errors.LDAPException as error:
            raise self._translated(error) from None
        except _NO_LDAP:
            self.close()
            raise UnexpectedAnswer(f"{self._place}: what answers there speaks no LDAP", "ldap") from None

    def _look_where_it_leads(self) -> None:
        """Look at the very addresses the library is about to connect to: it resolves the name once."""
        server = self._connection.server
        for found in server.address_info:
            admitted(server.host, str(found[4][0]), f"{self._where}: base_url", allow_private=self._allow_private)

    def _translated(self, error: Exception) -> FeedError:
        """Our error for one of the library's; never with what the directory holds in it."""
        place, kind = self._place, type(error).__name__
        if isinstance(error, ldap3_errors.LDAPInvalidCredentialsResult | ldap3_errors.LDAPInvalidDnError):
            return AuthenticationFailed(f"{place}: the directory refuses this name or password")
        if isinstance(
            error, ldap3_errors.LDAPInsufficientAccessRightsResult | ldap3_errors.LDAPStrongerAuthRequiredResult
        ):
            return AuthenticationFailed(f"{place}: the directory refuses to show this to this name ({kind})")
        if isinstance(error, ldap3_errors.LDAPSizeLimitExceededResult | ldap3_errors.LDAPAdminLimitExceededResult):
            return IncompleteFeed(f"{place}: the directory ends the list early ({kind}); nothing is derived from that")
        if isinstance(error, ldap3_errors.LDAPTimeLimitExceededResult | ldap3_errors.LDAPBusyResult):
            return Unavailable(f"{place}: the directory gave up ({kind})")
        if isinstance(error, ldap3_errors.LDAPNoSuchObjectResult):
            return UnexpectedAnswer(f"{place}: base_dn: there is no such entry", "base_dn")
        if isinstance(error, ldap3_errors.LDAPInvalidFilterError):
            return UnexpectedAnswer(f"{place}: filter: is no LDAP filter", "filter")
        if isinstance(error, ldap3_errors.LDAPOperationResult):
            return UnexpectedAnswer(f"{place}: the directory answered {error.description}", "ldap")
        self.close()
        return Unavailable(f"{place}: no connection or no answer in time ({kind})")


def _decoded(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _address(url: object, where: str, *, allow_private: bool) -> tuple[str, int, bool]:
    """Host, port and whether it is encrypted; ConfigurationError for anything but ldap:// and ldaps://."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("ldap", "ldaps") or not host or "@" in parts.netloc or parts.path.strip("/"):
        raise ConfigurationError(f"{where}: base_url: expected an address such as ldaps://dc.example.com")
    if not is_loopback(host) and not allow_private and is_private_name(host):
        raise ConfigurationError(f"{where}: base_url: {host} is a private host; set allow_private = true to allow it")
    encrypted = parts.scheme == "ldaps"
    return host, port or (636 if encrypted else 389), encrypted
