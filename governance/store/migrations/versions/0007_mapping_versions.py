"""Role mappings as versions: drafts, what waits for a second person, what is live and what was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One table; the mappings in the settings become its first rows at the next start."""
    op.create_table(
        "mappingversion",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("application", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("base", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_why", sa.Text(), nullable=True),
        sa.Column("live_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("application", "number", name="mapping_number"),
    )
    op.create_index("ix_mappingversion_application", "mappingversion", ["application"])
    op.create_index("ix_mappingversion_status", "mappingversion", ["status"])
