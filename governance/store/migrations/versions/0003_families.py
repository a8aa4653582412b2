"""What a catalogue of connectors groups them by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A column that every start fills anew."""
    op.add_column("connector", sa.Column("family", sa.String(), nullable=True))
