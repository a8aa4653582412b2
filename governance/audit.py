"""The audit: who did what, on what, why and when, in a chain that shows every change made to it afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Session

from governance.errors import ConfigurationError
from governance.store import Store
from governance.store.chain import DETAILS, ENTRIES, Line, append, append_many, entry_hash, facts_digest, instant

__all__ = ["Line", "Verified", "append", "append_many", "erase", "parse_tip", "tip", "verify"]

_CHUNK: Final = 10_000
_HASH: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk along the chain found. `tip` is `seq:hash` of the last entry, to be kept outside."""

    ok: bool
    entries: int
    first_bad: int | None = None
    why: str = ""
    tip: str = ""


def verify(store: Store, *, since: int = 0, tip: tuple[int, str] | None = None) -> Verified:
    """Walk the chain from the entry after `since` to its end and name the first entry that does not hold.

    Entry `since` itself is trusted as the anchor. `tip` is what was noted outside the store earlier: only with it do a
    cut tail and a rewritten chain show. Personal facts that were not erased are proved against their digests too.
    """
    with store.read() as session:
        connection = session.connection()
        walk = _walk(connection, since, tip)
        return walk if not walk.ok else _with_details(connection, since, walk)


def _walk(connection: sa.Connection, since: int, tip: tuple[int, str] | None) -> Verified:
    expected, count = since, 0
    previous = _hash_of(connection, since) if since > 0 else ""
    if previous is None:
        return Verified(False, 0, since, f"entry {since} is missing")
    if tip is not None and 0 < tip[0] <= since:
        bad = _not_noted(tip, _hash_of(connection, tip[0]))
        if bad:
            return Verified(False, 0, tip[0], bad)
    for seq, at, actor, verb, of, reason, digest, before, own in _entries(connection, since):
        expected += 1
        if seq != expected:
            return Verified(False, count, expected, f"entry {expected} is missing: {seq} follows {expected - 1}")
        if before != previous:
            return Verified(False, count, seq, f"entry {seq} does not follow the entry before it")
        if not _holds(own, seq, at, actor, verb, of, reason, digest, before):
            return Verified(False, count, seq, f"entry {seq} was changed after it was written")
        if tip is not None and seq == tip[0]:
            bad = _not_noted(tip, own)
            if bad:
                return Verified(False, count, seq, bad)
        previous, count = own, count + 1
    if tip is not None and tip[0] > expected:
        return Verified(False, count, expected + 1, f"the entries {expected + 1} to {tip[0]} are missing at the end")
    return Verified(True, count, tip=f"{expected}:{previous}" if expected else "")


def _holds(own: str, *parts: Any) -> bool:
    try:
        return entry_hash(*parts) == own
    except TypeError:  # a field that is no text any more
        return False


def _hash_of(connection: sa.Connection, seq: int) -> str | None:
    own = connection.scalar(sa.select(ENTRIES.c.hash).where(ENTRIES.c.seq == seq))
    return None if own is None else str(own)


def _not_noted(tip: tuple[int, str], own: str | None) -> str:
    return "" if own == tip[1] else f"entry {tip[0]} is not the one once noted: the chain was rewritten"


def _entries(connection: sa.Connection, since: int) -> Iterator[tuple[Any, ...]]:
    """The entries after `since` in order, a chunk at a time, with `at` as it was hashed."""
    # SQLite keeps an instant as text, all but in the hashed form: reading it as such doubles the speed.
    text = connection.dialect.name == "sqlite"
    at = sa.type_coerce(ENTRIES.c.at, sa.Text) if text else ENTRIES.c.at
    columns = [at if c.name == "at" else c for c in ENTRIES.columns]
    select = sa.select(*columns).order_by(ENTRIES.c.seq).limit(_CHUNK)
    while True:
        rows = connection.execute(select.where(ENTRIES.c.seq > since)).all()
        for seq, moment, *rest in rows:
            yield seq, (f"{str(moment)[:10]}T{str(moment)[11:]}Z" if text else instant(moment)), *rest
        if len(rows) < _CHUNK:
            return
        since = rows[-1][0]


def _with_details(connection: sa.Connection, since: int, walk: Verified) -> Verified:
    """The same verdict, unless personal facts that are still kept do not fit the digest in the chain."""
    select = (
        sa.select(DETAILS.c.seq, DETAILS.c.salt, DETAILS.c.facts, ENTRIES.c.facts_digest)
        .join(ENTRIES, ENTRIES.c.seq == DETAILS.c.seq, isouter=True)
        .order_by(DETAILS.c.seq)
        .limit(_CHUNK)
    )
    while True:
        rows = connection.execute(select.where(DETAILS.c.seq > since)).all()
        for seq, salt, facts, digest in rows:
            if facts_digest(salt, facts) != digest:
                return Verified(False, walk.entries, seq, f"the details of entry {seq} were changed", walk.tip)
        if len(rows) < _CHUNK:
            return walk
        since = rows[-1][0]


def tip(session: Session) -> str:
    """The end of the chain as `seq:hash`, to be noted where nobody who can change the store can reach."""
    row = session.connection().execute(sa.select(ENTRIES.c.seq, ENTRIES.c.hash).order_by(ENTRIES.c.seq.desc())).first()
    return f"{row[0]}:{row[1]}" if row else ""


def parse_tip(text: str) -> tuple[int, str]:
    """A noted tip, `seq:hash`, as `verify` takes it."""
    number, _, own = text.strip().partition(":")
    if not number.isdecimal() or not _HASH.fullmatch(own):
        raise ConfigurationError(f"expected a tip of the form NUMBER:SHA256, as audit verify prints it, not {text!r}")
    return int(number), own


def erase(session: Session, seqs: Sequence[int], *, now: datetime, actor: str, reason: str) -> int:
    """Remove the personal facts behind these entries; the chain still holds. Says how many there were."""
    connection = session.connection()
    wanted = sorted(set(seqs))
    gone = connection.execute(sa.delete(DETAILS).where(DETAILS.c.seq.in_(wanted))).rowcount
    append(session, now=now, actor=actor, verb="audit.erase", object=f"{gone} of {len(wanted)} details", reason=reason)
    return gone
