"""Looking at sessions and ending them: one's own, an administrator anybody's; and forgetting those long over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, and_, col, delete, or_, select

from governance.access import Actor, Verb, demand
from governance.correlation import fold
from governance.errors import DecisionError
from governance.sessions.keeping import IDLE, SIGNED_IN_AGAIN, SIGNED_OUT, Place, close
from governance.tables import SignIn, StartLink


def listed(place: Place, actor: Actor, now: datetime, email: str | None = None) -> list[SignIn]:
    """The sessions that may still be used, the last used first: one's own by default; "*" means everybody's."""
    if email is not None and not _own(actor, email):
        demand(actor, Verb.CONFIGURE)
    settings = place.settings.sign_in
    alive = select(SignIn).where(
        col(SignIn.ended_at).is_(None),
        col(SignIn.seen_at) >= now - settings.idle,
        col(SignIn.started_at) >= now - settings.longest,
    )
    if email != "*":
        alive = alive.where(SignIn.email == fold(email or actor.email))
    with place.store.read() as session:
        return list(session.exec(alive.order_by(col(SignIn.seen_at).desc())))


def sign_out(place: Place, actor: Actor, now: datetime, id: str, why: str = SIGNED_OUT) -> None:
    """End one's own session: every tab of it is out at its next run. Needs no right and no fresh sign-in."""
    with place.store.write() as session:
        row = session.get(SignIn, id)
        if row is not None and _own(actor, row.email):
            close(session, row, now, why, actor.email)


def end(place: Place, actor: Actor, now: datetime, id: str) -> None:
    """End one session: one's own, or as an administrator anybody's."""
    with place.store.write() as session:
        row = session.get(SignIn, id)
        if row is None or not _own(actor, row.email):
            demand(actor, Verb.CONFIGURE)
        if row is None:
            raise DecisionError("there is no such session")
        close(session, row, now, f"ended by {actor.email}", actor.email)


def end_all(place: Place, actor: Actor, now: datetime, email: str) -> int:
    """End every session of this person, one's own or as an administrator anybody's; says how many there were."""
    if not _own(actor, email):
        demand(actor, Verb.CONFIGURE)
    open_ = select(SignIn).where(SignIn.email == fold(email), col(SignIn.ended_at).is_(None))
    with place.store.write() as session:
        rows = list(session.exec(open_))
        for row in rows:
            close(session, row, now, f"ended by {actor.email}", actor.email)
    return len(rows)


def forget(session: Session, before: datetime, longest: timedelta) -> int:
    """Remove sessions that were over before this time and links that had run out by then, in the caller's transaction.

    A browser that was closed ends no session: those that nobody ended are over after `longest`, as they would be at the
    next look. The audit keeps when each began and ended. Says how many rows there were.
    """
    left = and_(col(SignIn.ended_at).is_(None), col(SignIn.started_at) < before - longest)
    over = session.exec(delete(SignIn).where(or_(col(SignIn.ended_at) < before, left)))
    links = session.exec(delete(StartLink).where(col(StartLink.expires_at) < before))
    return int(over.rowcount + links.rowcount)


def groups_of(place: Place, email: str, now: datetime) -> tuple[str, ...]:
    """The groups the provider told when this person last signed in, for the worker that does what they asked for.

    Nothing of a session that was ended against them, or that is older than any session may be.
    """
    harmless = or_(col(SignIn.ended_at).is_(None), col(SignIn.ended_why).in_((SIGNED_OUT, SIGNED_IN_AGAIN, IDLE)))
    newest = (
        select(SignIn)
        .where(SignIn.email == fold(email), col(SignIn.started_at) >= now - place.settings.sign_in.longest)
        .order_by(col(SignIn.started_at).desc(), col(SignIn.id))
        .limit(1)
    )
    with place.store.read() as session:
        row = session.exec(newest.where(harmless)).first()
        last = session.exec(newest).first()
    return tuple(row.groups.splitlines()) if row and last and row.id == last.id else ()


def _own(actor: Actor, email: str) -> bool:
    return bool(fold(email)) and fold(email) == fold(actor.email)
