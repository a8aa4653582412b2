"""What the tables are made of: rows, and kinds of columns for instants, documents and long texts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from pydantic import ConfigDict
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Stored(SQLModel):
    """What every table is made of. Tables check nothing themselves, so what would check is built when it is asked."""

    model_config = ConfigDict(defer_build=True)  # type: ignore[assignment]


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, on engines that keep time zones and on those that do not."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Refuse naive instants; keep UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored; instants are aware and in UTC")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Give the zone back."""
        return value.replace(tzinfo=UTC) if value is not None else None


def instant(*, index: bool = False, nullable: bool = True) -> Any:
    """A column of instants."""
    return Field(default=None, sa_type=Instant, index=index, nullable=nullable)


class Written(str):
    """A document in JSON as somebody wrote it already: it is stored as it is. Read again it is what it says."""

    __slots__ = ()


def as_json(value: Any) -> str:
    """The text in which a document is stored."""
    return str(value) if isinstance(value, Written) else json.dumps(value)


def document() -> Any:
    """A column of JSON."""
    return Field(default=None, sa_type=sa.JSON, nullable=True)


def text(default: str | None = None) -> Any:
    """A column of text of any length."""
    return Field(default=default, sa_type=sa.Text, nullable=True)
