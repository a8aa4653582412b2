"""Where a connector may connect to: the configured address, checked once, and nothing but that address afterwards."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from governance.errors import ConfigurationError, UnexpectedAnswer

_STRANGE: Final = re.compile(r"[\x00-\x20\x7f\\]|[^\x00-\x7f]")
_PLAIN: Final = re.compile(r"(https?://[A-Za-z0-9.:-]+)(?:[/?#][!-\[\]-~]*)?")
_PORTS: Final = {"https": 443, "http": 80}
_LOCAL_NAMES: Final = (".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet", ".corp")
# Not private by their registration, and yet not the public internet: what clouds answer themselves on (Azure's
# platform, Oracle's metadata), and IPv6 that carries an IPv4 address to be taken out on the way.
_PLATFORMS: Final = tuple(map(ipaddress.ip_network, ("168.63.129.16/32", "192.0.0.0/24")))
_CARRIERS: Final = tuple(map(ipaddress.ip_network, ("::/96", "64:ff9b::/96", "2002::/16", "2001::/32")))
_NUMBER: Final = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port: what a credential is bound to."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class Address:
    """The checked base URL of a connector."""

    url: str  # ends with a slash
    origin: Origin
    allow_private: bool

    @property
    def loopback(self) -> bool:
        """Whether this is the same machine."""
        return is_loopback(self.origin.host)

    def join(self, path: str) -> str:
        """The URL of a path below the base."""
        return self.url + path.lstrip("/")

    def pin(self, link: str, current: str, place: str) -> str:
        """A link the other side gave, made absolute; UnexpectedAnswer when it leads anywhere else than the base."""
        path = urlsplit(current).path
        try:
            target = urljoin(current, link)
            origin = origin_of(target)
        except ValueError:
            origin = None
        if origin != self.origin or _STRANGE.search(link):
            raise UnexpectedAnswer(
                f"{path}: the answer leads to another address than {self.origin.host}; not followed", path
            )
        return target


def check_base(url: object, where: str, *, allow_private: object = False, key: str = "base_url") -> Address:
    """The base URL of a feed; ConfigurationError unless it is https, public and without a password in it.

    Loopback is allowed as it is. Other private hosts and plain http need `allow_private = true`. `key`: what the
    configuration calls it, where a vendor has several.
    """
    if not isinstance(allow_private, bool):
        raise ConfigurationError(f"{where}: allow_private: expected true or false")
    place = f"{where}: {key}"
    if not isinstance(url, str) or not url:
        raise ConfigurationError(f"{place}: expected an address such as https://example.com/scim/v2/")
    if _STRANGE.search(url):
        raise ConfigurationError(f"{place}: holds blanks, a backslash or letters beyond ASCII (write a host as xn--…)")
    try:
        parts = urlsplit(url)
        origin = origin_of(url)
    except ValueError:
        raise ConfigurationError(f"{place}: is not an address such as https://example.com/scim/v2/") from None
    if parts.scheme not in _PORTS:
        raise ConfigurationError(f"{place}: must begin with https://")
    if _userinfo(parts):
        raise ConfigurationError(f"{place}: holds a name or password before the host; credentials are given as secrets")
    if parts.query or parts.fragment:
        raise ConfigurationError(f"{place}: must end with the path; found a query or fragment")
    if origin is None:
        raise ConfigurationError(f"{place}: names no host")
    if not allow_private and not is_loopback(origin.host):
        if is_private_name(origin.host):
            raise ConfigurationError(f"{place}: {origin.host} is a private host; set allow_private = true to allow it")
        if parts.scheme == "http":
            raise ConfigurationError(
                f"{place}: http would send the token in the clear; use https or allow_private = true"
            )
    return Address(url.rstrip("/") + "/", origin, allow_private)


def origin_of(url: str) -> Origin | None:
    """Scheme, host and port of a URL, when two parsers agree on them and no name stands before the host."""
    plain = _PLAIN.fullmatch(url)  # then no parser looks at the rest for them, and it is long where a page is asked for
    return _origin_seen(plain[1]) if plain else _origin(url)


def _origin(url: str) -> Origin | None:
    parts = urlsplit(url)
    try:
        other = parse_url(url)
    except LocationParseError:
        return None
    host = (parts.hostname or "").lower()
    port = parts.port or _PORTS.get(parts.scheme, 0)
    agreed = (
        other.scheme or "",
        (other.host or "").lower().strip("[]"),
        other.port or _PORTS.get(other.scheme or "", 0),
    )
    if not host or _userinfo(parts) or agreed != (parts.scheme, host, port):
        return None
    return Origin(parts.scheme, host, port)


_origin_seen: Final = lru_cache(maxsize=256)(_origin)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    address = _ip(host)
    if address is not None:
        return address.is_loopback
    host = host.removesuffix(".")
    return host == "localhost" or host.endswith(".localhost")


def is_private_ip(host: str) -> bool:
    """Whether an IP address is not one of the public internet (private, link-local, metadata, loopback …)."""
    address = _ip(host)
    if address is None:
        return False
    if address.version == 6 and (address.is_site_local or any(address in net for net in _CARRIERS)):
        return True
    return not address.is_global or address.is_multicast or any(address in net for net in _PLATFORMS)


def is_private_name(host: str) -> bool:
    """Whether a host is private by its looks. What a name resolves to is looked at when connecting."""
    host = host.removesuffix(".")
    if _ip(host) is not None:
        return is_private_ip(host)
    # 127.1 and 0x7f.1 are addresses to whoever connects, in a spelling nobody uses who means well.
    number = _NUMBER.fullmatch(host.rpartition(".")[2])
    return "." not in host or number is not None or host.casefold().endswith(_LOCAL_NAMES)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address


def _userinfo(parts: SplitResult) -> bool:
    return "@" in parts.netloc
