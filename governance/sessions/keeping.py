"""Beginning a session, checking it at every run, and ending it with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from sqlmodel import Session

from governance.access import Actor
from governance.errors import NotAllowed
from governance.sessions.claims import Told, read_claims
from governance.settings import Settings
from governance.store import Store
from governance.store.chain import append
from governance.tables import SignIn

TAKEN_WITHIN: Final = timedelta(minutes=5)  # of the token's issue a session begins, or never; clocks may differ by it
NOTED_EVERY: Final = timedelta(minutes=1)  # the last use
SIGNED_OUT: Final = "signed out"
SIGNED_IN_AGAIN: Final = "signed in again"
IDLE: Final = "idle"
TOO_LONG: Final = "too long"
NO_ROLE: Final = "has no role"
HAS_LEFT: Final = "has left"
TOO_OLD: Final = "the sign-in is too old to begin with"
NOT_VERIFIED: Final = "the provider has not verified the address"
NOT_READ: Final = "the provider did not say who this is"

Find = Callable[[str, tuple[str, ...]], Actor]  # by e-mail and groups; NotAllowed when nobody knows them


class Place(Protocol):
    """What sessions need of a house."""

    @property
    def settings(self) -> Settings:
        """How long a session holds, and which providers there are."""

    @property
    def store(self) -> Store:
        """Where sessions are kept."""


@dataclass(frozen=True, slots=True)
class Signed:
    """Somebody signed in, with the rights they have at this moment."""

    id: str
    actor: Actor
    started_at: datetime
    authenticated_at: datetime


@dataclass(frozen=True, slots=True)
class Out:
    """Nobody is signed in here, and why."""

    why: str
    email: str = ""


def current(place: Place, claims: Mapping[str, Any], find: Find, now: datetime) -> Signed | Out:
    """Who holds this cookie now. The first look begins the session; one that was ended never opens another.

    `find` gives the actor with the rights they have now: it is asked every time.
    """
    told = read_claims(claims, place.settings.sign_in)
    if told is None:
        return Out(NOT_READ)
    if not told.verified:
        return Out(NOT_VERIFIED, told.email)
    with place.store.read() as session:
        row = session.get(SignIn, told.id)
    if row is None:
        if abs(now - told.issued_at) > TAKEN_WITHIN:
            return Out(TOO_OLD, told.email)
        row = begin(place, told, now)
    return checked(place, row, find, now)


def begin(place: Place, told: Told, now: datetime) -> SignIn:
    """Keep a new session, once, also when two tabs ask at the same time."""
    with place.store.write() as session:
        row = session.get(SignIn, told.id)
        if row is None:
            row = SignIn(
                id=told.id,
                issuer=told.issuer,
                subject=told.subject,
                email=told.email,
                groups="\n".join(told.groups),
                started_at=now,
                authenticated_at=min(told.authenticated_at, now),
                seen_at=now,
            )
            keep(session, row, now)
    return row


def keep(session: Session, row: SignIn, now: datetime) -> None:
    """Write a new session and its line of the audit, in the caller's transaction."""
    session.add(row)
    facts = {"issuer": row.issuer, "subject": row.subject, "groups": row.groups.splitlines()}
    append(session, now=now, actor=row.email, verb="sign_in", object=called(row.id), facts=facts)


def still(place: Place, id: str, find: Find, now: datetime, *, used: bool = True) -> Signed | Out:
    """The same session some time later: for what acts between two runs of the shell.

    `used` says whether somebody did something; a page that looks again by itself keeps no session alive.
    """
    with place.store.read() as session:
        row = session.get(SignIn, id)
    return checked(place, row, find, now, used=used) if row else Out(SIGNED_OUT)


def checked(place: Place, row: SignIn, find: Find, now: datetime, *, used: bool = True) -> Signed | Out:
    """Whether this session holds at this moment; it is ended here when it does not."""
    settings = place.settings.sign_in
    if row.ended_at is not None:
        return Out(row.ended_why or "", row.email)
    if now - row.seen_at > settings.idle:
        return _ended(place, row, now, IDLE)
    if now - row.started_at > settings.longest:
        return _ended(place, row, now, TOO_LONG)
    try:
        actor = find(row.email, tuple(row.groups.splitlines()))
    except NotAllowed:
        return _ended(place, row, now, NO_ROLE)
    if actor.left:
        return _ended(place, row, now, HAS_LEFT)
    if used and now - row.seen_at >= NOTED_EVERY:
        _touch(place, row.id, now)
    fresh = actor.fresh and now - row.authenticated_at <= settings.fresh
    return Signed(row.id, replace(actor, fresh=fresh), row.started_at, row.authenticated_at)


def close(session: Session, row: SignIn, now: datetime, why: str, by: str) -> None:
    """End one session in the caller's transaction; one that has ended stays as it is."""
    if row.ended_at is None:
        row.ended_at, row.ended_why = now, why
        session.add(row)
        append(session, now=now, actor=by, verb="sign_out", object=called(row.id), reason=why, facts={"of": row.email})


def called(id: str) -> str:
    """What the audit calls a session: enough to tell it from others, too little to be it."""
    return f"session/{id[:16]}"


def _ended(place: Place, row: SignIn, now: datetime, why: str) -> Out:
    with place.store.write() as session:
        found = session.get_one(SignIn, row.id)
        close(session, found, now, why, found.email)
        return Out(found.ended_why or why, found.email)


def _touch(place: Place, id: str, now: datetime) -> None:
    with place.store.write() as session:
        row = session.get_one(SignIn, id)
        if row.ended_at is None and row.seen_at < now:
            row.seen_at = now
            session.add(row)
