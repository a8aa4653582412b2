"""On which day of the month a scheduled review begins, also after a shorter month."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One column; without it the day of the next beginning counts."""
    op.add_column("reviewschedule", sa.Column("day", sa.Integer(), nullable=True))
