"""Runs migrations on the connection it is handed, inside the transaction of whoever called."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import governance.tables  # noqa: F401 - fills the metadata
from governance.tables import Instant


def _as_frozen(kind: str, thing: Any, _autogen: Any) -> str | Literal[False]:
    # A migration must not change its meaning when the program does: only plain types of SQLAlchemy.
    if kind == "type" and isinstance(thing, Instant):
        return "sa.DateTime()"
    if kind == "type" and isinstance(thing, AutoString):
        return "sa.String()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_item=_as_frozen,
    render_as_batch=context.config.attributes.get("batch", True),
)
with context.begin_transaction():
    context.run_migrations()
