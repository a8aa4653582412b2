"""The chain of audit entries: how a line is hashed and appended.

It lies this low so that secrets can be audited; reading and proving is `governance.audit`.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from governance.errors import StoreError
from governance.store.rows import put_rows, table_of
from governance.tables import AuditDetail, AuditEntry

ENTRIES: Final = table_of(AuditEntry)
DETAILS: Final = table_of(AuditDetail)


@dataclass(frozen=True, slots=True)
class Line:
    """What is to be recorded: who did what, on what, why, and the personal facts behind it."""

    now: datetime
    actor: str
    verb: str
    object: str
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def append(
    session: Session,
    *,
    now: datetime,
    actor: str,
    verb: str,
    object: str,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Record one line, in the write transaction of what it records: both are kept or neither."""
    return AuditEntry(**_append(session, [Line(now, actor, verb, object, reason, facts or {})])[0])


def append_many(session: Session, lines: Sequence[Line]) -> int:
    """Record lines in their order, with one look at the chain's end and one insert. Says how many."""
    return len(_append(session, lines))


def _append(session: Session, lines: Sequence[Line]) -> list[dict[str, Any]]:
    if not session.info.get("writes"):
        raise StoreError("an audit entry belongs into store.write(), where the chain is serial; nothing was written")
    connection = session.connection()
    last = connection.execute(sa.select(ENTRIES.c.seq, ENTRIES.c.hash).order_by(ENTRIES.c.seq.desc()).limit(1)).first()
    seq, previous = (int(last[0]), str(last[1])) if last else (0, "")
    entries: list[dict[str, Any]] = []
    details: list[dict[str, Any]] = []
    for line in lines:
        seq += 1
        digest = ""
        if line.facts:
            salt, facts = secrets.token_hex(16), plain(line.facts)
            digest = facts_digest(salt, facts)
            details.append({"seq": seq, "salt": salt, "facts": facts})
        actor, verb, of, reason = clean(line.actor), clean(line.verb), clean(line.object), clean(line.reason)
        own = entry_hash(seq, instant(line.now), actor, verb, of, reason, digest, previous)
        entries.append(
            {"seq": seq, "at": line.now, "actor": actor, "verb": verb, "object": of, "reason": reason}
            | {"facts_digest": digest, "previous": previous, "hash": own}
        )
        previous = own
    put_rows(session, AuditEntry, entries)
    put_rows(session, AuditDetail, details)
    return entries


_quoted: Final = json.encoder.encode_basestring


def entry_hash(seq: int, at: str, actor: str, verb: str, of: str, reason: str, facts_digest: str, previous: str) -> str:
    """SHA-256 of the entry's canonical JSON: sorted keys, no spaces, UTF-8."""
    # Written out: three times as fast as json.dumps, and a test proves that both give the same text.
    text = (
        f'{{"actor":{_quoted(actor)},"at":"{at}","facts_digest":"{facts_digest}","object":{_quoted(of)},'
        f'"previous":"{previous}","reason":{_quoted(reason)},"seq":{seq},"verb":{_quoted(verb)}}}'
    )
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()


def facts_digest(salt: str, facts: Mapping[str, Any]) -> str:
    """What stands in the chain for personal facts: without the salt nobody can guess them back."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def instant(at: datetime) -> str:
    """An instant as it is hashed: ISO 8601, UTC, microseconds, Z."""
    if at.tzinfo is None:
        raise ValueError("a naive datetime was about to be recorded; instants are aware and in UTC")
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def clean(text: str) -> str:
    """The text as every engine can keep it: NUL and broken Unicode become visible escapes, all else stays."""
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as JSON gives them back."""
    result: dict[str, Any] = json.loads(json.dumps(facts, default=_as_text))
    return result


def _as_text(value: object) -> Any:
    if isinstance(value, datetime):
        return instant(value)
    return sorted(value, key=str) if isinstance(value, set | frozenset) else str(value)
