"""Whom a name leads to, looked at before anybody is knocked at: a private address gets not even a connection.

What was looked at is what is connected to, so that a name cannot resolve to one address when it is checked and to
another when it is used (DNS rebinding).
"""

from __future__ import annotations

import socket

from connectors.kit.addresses import is_loopback, is_private_ip
from governance.errors import ConfigurationError


def peers(host: str, port: int | None, place: str, *, allow_private: bool) -> list[str]:
    """Every address the host resolves to; empty when it resolves to none.

    ConfigurationError where one of them is private and that was not allowed, and where what is called this machine
    leads to another one.
    """
    try:
        found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    for address in addresses:
        admitted(host, address, place, allow_private=allow_private)
    return addresses


def admitted(host: str, address: str, place: str, *, allow_private: bool) -> None:
    """ConfigurationError unless this address of the host may be talked to."""
    if allow_private:
        return
    if is_loopback(host):
        if not is_loopback(address):
            raise ConfigurationError(f"{place}: {host} should be this machine and is {address}")
    elif is_private_ip(address):
        raise ConfigurationError(
            f"{place}: {host} is the private address {address}; set allow_private = true to allow it"
        )
