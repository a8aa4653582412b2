"""Where a reading of changed accounts goes on, and what it was laid over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two columns; without them everything is read once more."""
    op.add_column("snapshot", sa.Column("account_mark", sa.Text(), nullable=True))
    op.add_column("snapshot", sa.Column("whole_at", sa.DateTime(), nullable=True))
