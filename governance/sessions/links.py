"""The first start without a provider: a link printed on the machine makes whoever opens it the local administrator."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final

from governance.access import Actor
from governance.errors import ConfigurationError
from governance.sessions.keeping import Out, Place, Signed, checked, keep
from governance.settings import Settings
from governance.store.chain import append
from governance.tables import SignIn, StartLink

LOCAL: Final = "local administrator"  # no address: nobody can sign in as this with a provider
ISSUER: Final = "local"
HOLDS: Final = timedelta(minutes=15)
BYTES: Final = 32  # 256 bits


def may_link(settings: Settings) -> bool:
    """Whether the local administrator exists: only while the settings name neither a provider nor an actor."""
    return not settings.sign_in.provider and not settings.actor


def make_link(place: Place, now: datetime) -> str:
    """A token that opens one session within fifteen minutes. The store keeps its digest only."""
    if not may_link(place.settings):
        raise ConfigurationError(
            "there is no local administrator once [[sign_in.provider]] or [[actor]] say who may act: sign in"
        )
    token = secrets.token_urlsafe(BYTES)
    with place.store.write() as session:
        session.add(StartLink(id=_digest(token), made_at=now, expires_at=now + HOLDS))
        append(session, now=now, actor="operator", verb="start_link", object=LOCAL)
    return token


def open_link(place: Place, now: datetime, token: str) -> str | None:
    """Use the link up and begin the session: what the browser is to hold; None when it does not open any more."""
    if not may_link(place.settings):
        return None
    with place.store.write() as session:
        link = session.get(StartLink, _digest(token))
        if link is None or link.used_at is not None or not link.made_at <= now < link.expires_at:
            return None
        link.used_at = now
        session.add(link)
        held = secrets.token_urlsafe(BYTES)
        row = SignIn(
            id=_held(held),
            issuer=ISSUER,
            subject=LOCAL,
            email=LOCAL,
            groups="",
            started_at=now,
            authenticated_at=now,
            seen_at=now,
        )
        keep(session, row, now)
    return held


def local(place: Place, held: str, now: datetime) -> Signed | Out | None:
    """The local administrator's session, by what the browser holds; None when it holds nothing that ever was one."""
    if not held or not may_link(place.settings):
        return None
    with place.store.read() as session:
        row = session.get(SignIn, _held(held))
    if row is None or row.issuer != ISSUER:
        return None
    found = checked(place, row, lambda _email, _groups: local_administrator(), now)
    if isinstance(found, Out):
        return found
    return Signed(found.id, local_administrator(), found.started_at, found.authenticated_at)


def local_administrator() -> Actor:
    """Who first configures a house; fresh, because there is nobody who could prove anew who they are."""
    return Actor(email=LOCAL, name="Local administrator", roles=frozenset({"admin"}))


def _digest(token: str) -> str:
    return hashlib.sha256(f"link\x1f{token}".encode()).hexdigest()


def _held(held: str) -> str:
    return hashlib.sha256(f"{ISSUER}\x1f{held}".encode()).hexdigest()
