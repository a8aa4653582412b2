"""The tables of signing in: sessions that can be ended from here, and the first administrator's link."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from governance.tables.columns import Stored, instant, text


class SignIn(Stored, table=True):
    """One signed-in browser. Checked on every run of a page: the provider's cookie alone proves nothing."""

    id: str = Field(primary_key=True)  # SHA-256 of what the browser holds
    issuer: str = ""
    subject: str = ""
    email: str = Field(default="", index=True)
    groups: str = text("")  # as the provider told them, a line each
    started_at: datetime = instant(nullable=False)
    authenticated_at: datetime = instant(nullable=False)  # acting needs a fresh one
    seen_at: datetime = instant(nullable=False)
    ended_at: datetime | None = instant()
    ended_why: str | None = text()  # signed out | idle | too long | has left | ended by ...


class StartLink(Stored, table=True):
    """The one-time link that makes whoever opens it the local administrator, while there is no provider."""

    id: str = Field(primary_key=True)  # SHA-256 of the token in the link
    made_at: datetime = instant(nullable=False)
    expires_at: datetime = instant(nullable=False)
    used_at: datetime | None = instant()
