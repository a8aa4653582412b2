"""Just enough of LDAP's wire format (RFC 4511, 5.1: BER with definite lengths) to stand between two who speak it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass

BIND, BOUND, UNBIND, SEARCH, ENTRY, DONE, MODIFY, MODIFIED = 0x60, 0x61, 0x42, 0x63, 0x64, 0x65, 0x66, 0x67
ANSWERS = {BIND: BOUND, SEARCH: DONE, MODIFY: MODIFIED}
OCTETS, SEQUENCE, SET, INTEGER, ENUMERATED = 0x04, 0x30, 0x31, 0x02, 0x0A


@dataclass(frozen=True)
class Message:
    """One LDAPMessage; controls and everything else after the operation are kept as they are."""

    number: bytes
    kind: int
    body: bytes
    rest: bytes = b""

    def written(self, number: bytes | None = None) -> bytes:
        """As it goes over the wire, also under another number."""
        return told(SEQUENCE, told(INTEGER, number or self.number) + told(self.kind, self.body) + self.rest)

    @property
    def name(self) -> str:
        """Who binds, where is searched, what is changed."""
        values = [value for tag, value in parts(self.body) if tag == OCTETS]
        return values[0].decode() if values else ""


def told(tag: int, value: bytes) -> bytes:
    """Tag, length and value."""
    size = len(value)
    if size < 128:
        return bytes((tag, size)) + value
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 128 + len(length))) + length + value


def parts(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and value of each element."""
    at = 0
    while at < len(data):
        tag, size, at = data[at], data[at + 1], at + 2
        if size & 128:
            count = size & 127
            size, at = int.from_bytes(data[at : at + count], "big"), at + count
        yield tag, data[at : at + size]
        at += size


def received(source: socket.socket) -> Message | None:
    """The next message; None when the other side has gone."""
    head = _exactly(source, 2)
    if head is None:
        return None
    size = head[1]
    if size & 128:
        length = _exactly(source, size & 127)
        size = int.from_bytes(length or b"", "big")
    body = _exactly(source, size)
    if body is None:
        return None
    (_, number), (kind, operation), *rest = parts(body)
    return Message(number, kind, operation, b"".join(told(*one) for one in rest))


def result(request: Message, code: int, words: str) -> Message:
    """An answer that is only a result (RFC 4511, 4.1.9)."""
    body = told(ENUMERATED, bytes((code,))) + told(OCTETS, b"") + told(OCTETS, words.encode())
    return Message(request.number, ANSWERS[request.kind], body)


def entry_read(message: Message) -> tuple[str, dict[str, list[bytes]]]:
    """Name and attributes of a SearchResultEntry."""
    (_, dn), (_, listed) = parts(message.body)
    attributes = {}
    for _, one in parts(listed):
        (_, name), (_, values) = parts(one)
        attributes[name.decode()] = [value for _, value in parts(values)]
    return dn.decode(), attributes


def entry_written(like: Message, dn: str, attributes: dict[str, list[bytes]]) -> Message:
    """A SearchResultEntry with other content."""
    listed = b"".join(
        told(SEQUENCE, told(OCTETS, name.encode()) + told(SET, b"".join(told(OCTETS, value) for value in values)))
        for name, values in attributes.items()
    )
    return Message(like.number, ENTRY, told(OCTETS, dn.encode()) + told(SEQUENCE, listed), like.rest)


def _exactly(source: socket.socket, count: int) -> bytes | None:
    found = b""
    while len(found) < count:
        piece = source.recv(count - len(found))
        if not piece:
            return None
        found += piece
    return found
