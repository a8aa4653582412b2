"""The tables of notices: what was to be told to whom, over which channel, and whether it arrived."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field

from governance.tables.columns import Stored, document, instant, text


class Notice(Stored, table=True):
    """One message to one person; sent once however often it was asked for."""

    id: str = Field(primary_key=True)  # ULID
    key: str = Field(unique=True)  # what it is about, to whom and which time: the same key is never told twice
    to: str = Field(index=True)  # e-mail of an actor, or room/NAME of a channel that is a room
    kind: str = ""  # approval_waiting | review_opened | review_reminder | ...
    about: str = ""  # id of what it is about
    title: str = text("")
    body: str = text("")  # never says why somebody leaves
    link: str = text("")  # path and query of the page that opens exactly this
    made_at: datetime = instant(nullable=False)
    due_at: datetime = instant(nullable=False)  # not before: quiet hours, digest, wait after a failure
    status: str = "waiting"  # waiting | sent | failed | dropped
    channels: list[str] = document()  # those it arrived through
    attempts: int = 0
    sent_at: datetime | None = instant()  # when it arrived last over one of its channels
    error: str | None = text()

    __table_args__ = (
        sa.Index("notice_due", "status", "due_at"),
        sa.Index("notice_about", "kind", "about"),
        sa.Index("notice_sent", "sent_at"),
    )


class NoticePreference(Stored, table=True):
    """How one person wants to be told."""

    actor: str = Field(primary_key=True)  # e-mail
    channels: list[str] = document()  # names of configured channels; empty: all that reach people
    digest: str = "at_once"  # at_once | daily
    quiet_from: str | None = None  # local time, 20:00
    quiet_until: str | None = None  # local time, 07:00
    time_zone: str = "UTC"
