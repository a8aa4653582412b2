"""The newest snapshot and pull of each feed are found by an index: there are tens of thousands of each a year."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Three indexes; no row changes."""
    op.create_index("snapshot_newest", "snapshot", ["feed", "status", "at", "id"])
    op.create_index("pull_newest", "pull", ["feed", "id"])
    op.create_index("pull_since", "pull", ["feed", "at"])
