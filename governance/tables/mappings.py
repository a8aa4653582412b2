"""The table of role mappings: what was live, and what is to come."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, UniqueConstraint

from governance.tables.columns import Stored, document, instant, text


class MappingVersion(Stored, table=True):
    """One version of an application's role mapping, from draft to live: who made it, who agreed, what it changes."""

    id: str = Field(primary_key=True)  # ULID
    application: str = Field(index=True)
    number: int  # 1, 2, 3 ... within the application
    status: str = Field(index=True)  # draft | waiting | approved | live | replaced | rejected | withdrawn
    content: dict[str, Any] = document()  # lines, default, matching, updates, as the settings write them
    digest: str = ""  # SHA-256 of the document
    base: str = ""  # digest of what was live when it was drafted
    at: datetime = instant(nullable=False)  # drafted or last saved
    actor: str = ""  # an actor's e-mail, or `operator` for an edit of the file
    reason: str = text("")
    changes: dict[str, Any] = document()  # what it changes for how many people, when it was asked for
    decided_at: datetime | None = instant()
    decided_by: str | None = None
    decided_why: str | None = text()
    live_at: datetime | None = instant()
    ended_at: datetime | None = instant()

    __table_args__ = (UniqueConstraint("application", "number", name="mapping_number"),)
