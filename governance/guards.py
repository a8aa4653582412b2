"""The feed guard: a change larger than policy allows is not believed until two actors release exactly that one.

Why so tight: over 18 real monthly HR files a 20 % guard missed every file that lost up to 10 % of its rows, 2 % caught
all that lost 2 % and stopped none of the good ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from governance import audit
from governance.access import Actor, Verb, demand
from governance.errors import AlreadyDecided, DecisionError, FourEyesRequired, GuardStopped
from governance.house import House
from governance.snapshots import Change, publish
from governance.tables import RunHold, Snapshot

WINDOWS = (("24 hours", timedelta(hours=24)), ("7 days", timedelta(days=7)))


@dataclass(frozen=True)
class Held:
    """Something a guard stopped: a snapshot of a feed, or a remediation run over its cap."""

    id: str
    kind: str  # feed | run
    what: str
    why: str
    at: datetime
    sha256: str
    released_by: tuple[str, ...]

    @property
    def how(self) -> str:
        """How to release it."""
        missing = 2 - len(self.released_by)
        who = "two different actors" if missing == 2 else "one more actor"
        return f"{who} may release it: leaverwatch guard release {self.id} --reason …"


def removed_limit(base: int) -> float:
    """At how many removed people or accounts a pull is stopped; every population size has a limit."""
    if base >= 1000:
        return max(10, 0.02 * base)
    if base >= 100:
        return max(10, 0.05 * base)
    return min(max(3, 0.10 * base), max(base, 1))  # never the last one


def added_limit(base: int) -> float:
    """At how many added people or accounts a pull is stopped."""
    return max(10, 0.10 * base)


def changed_key_limit(base: int) -> float:
    """At how many changed addresses or employee ids a pull is stopped."""
    return max(5, 0.05 * base)


def exceeded(change: Change, since: str = "the last believed snapshot") -> str | None:
    """Which limit a change reaches, in words; None when it may be believed."""
    if change.base == 0:
        return None
    checks = (
        ("were removed", change.removed, removed_limit(change.base)),
        ("were added", change.added, added_limit(change.base)),
        ("changed their address or employee id", change.changed_key, changed_key_limit(change.base)),
    )
    for words, count, limit in checks:
        if count >= limit:
            return f"{count:,} of {change.base:,} {words} since {since}; the guard stops at {limit:,.0f}"
    return None


def believe(house: House, snapshot: Snapshot, now: datetime, actor: str) -> Snapshot:
    """Publish a staged snapshot, or hold it when it changes more than policy allows."""
    with house.store.write() as session:
        current = session.get_one(Snapshot, snapshot.id)
        why = exceeded(Change(**current.change)) or _over_time(session, current)
        if why is None:
            publish(session, current, now)
            return current
        same = session.exec(
            select(Snapshot).where(
                Snapshot.feed == current.feed, Snapshot.status == "held", Snapshot.sha256 == current.sha256
            )
        ).first()
        if same is not None:  # the very same content again: the releases given so far still count
            current.status = "replaced"
            session.add(current)
            return same
        for older in session.exec(select(Snapshot).where(Snapshot.feed == current.feed, Snapshot.status == "held")):
            older.status = "replaced"
            session.add(older)
        current.status, current.held_why = "held", why
        session.add(current)
        audit.append(
            session, now=now, actor=actor, verb="hold", object=f"snapshot/{current.feed}/{current.id}", reason=why
        )
        return current


def _over_time(session: Session, snapshot: Snapshot) -> str | None:
    """Many small changes count together, on snapshot time; released ones were looked at and do not count."""
    for words, span in WINDOWS:
        rows = session.exec(
            select(Snapshot)
            .where(
                Snapshot.feed == snapshot.feed,
                Snapshot.status == "published",
                Snapshot.at > snapshot.at - span,
                Snapshot.at <= snapshot.at,
            )
            .order_by(col(Snapshot.at), col(Snapshot.id))
        ).all()
        counted = [row for row in rows if not row.released_by and row.change.get("base")]
        if not counted:
            continue
        total = Change(
            base=int(counted[0].change["base"]),
            **{
                word: sum(int(row.change[word]) for row in (*counted, snapshot))
                for word in ("removed", "added", "changed_key")
            },
        )
        if why := exceeded(total, since=f"{words} ago, in {len(counted) + 1} pulls"):
            return why
    return None


def list_held(house: House) -> list[Held]:
    """Everything that waits for a release, oldest first."""
    with house.store.read() as session:
        snapshots = session.exec(select(Snapshot).where(Snapshot.status == "held")).all()
        runs = session.exec(select(RunHold).where(RunHold.status == "held")).all()
    feeds = [
        Held(s.id, "feed", s.feed, s.held_why or "", s.pulled_at, s.sha256, tuple(s.released_by or ()))
        for s in snapshots
    ]
    held_runs = [
        Held(
            r.id, "run", f"{len(r.remediations or ())} remediations", r.why, r.at, r.sha256, tuple(r.released_by or ())
        )
        for r in runs
    ]
    return sorted([*feeds, *held_runs], key=lambda held: held.at)


def release(house: House, actor: Actor, now: datetime, id: str, reason: str) -> Held:
    """One actor's release of exactly what is held; the second, different actor's makes it count.

    Raises NotAllowed, FourEyesRequired (the same actor twice), AlreadyDecided (nothing of that id is held).
    """
    demand(actor, Verb.RELEASE)
    if not reason.strip():
        raise DecisionError("a release needs a reason")
    with house.store.write() as session:
        held: Snapshot | RunHold | None = session.get(Snapshot, id) or session.get(RunHold, id)
        if held is None or held.status != "held":
            raise AlreadyDecided(f"nothing with the id {id} is held; leaverwatch guard list shows what is")
        given = list(held.released_by or ())
        if any(map(actor.is_same, given)):
            raise FourEyesRequired(f"{actor.email} has released this already; a second, different actor must")
        held.released_by = [*given, actor.email]
        what = f"snapshot/{held.feed}/{id}" if isinstance(held, Snapshot) else f"run/{id}"
        audit.append(
            session,
            now=now,
            actor=actor.email,
            verb="release",
            object=what,
            reason=reason,
            facts={"sha256": held.sha256, "releases": len(held.released_by)},
        )
        if len(held.released_by) >= 2:
            if isinstance(held, Snapshot):
                publish(session, held, now)
            else:
                held.status = "released"
        session.add(held)
        if isinstance(held, Snapshot):
            return Held(
                id, "feed", held.feed, held.held_why or "", held.pulled_at, held.sha256, tuple(held.released_by)
            )
        return Held(id, "run", what, held.why, held.at, held.sha256, tuple(held.released_by))


def stopped(held: Sequence[Held]) -> GuardStopped:
    """The error that says what is held, which limit it reached and how to release it."""
    lines = (f"{h.what}: {h.why}; {h.how}" for h in held)
    return GuardStopped("\n".join(lines))
