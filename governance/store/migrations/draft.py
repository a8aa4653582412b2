"""Drafts a migration from what the tables say now: `python -m governance.store.migrations.draft "What changes"`.

The draft is to be read and corrected; then its number is added to `governance.store.schema.SHIPPED`.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import alembic.command

from governance.store import schema
from governance.store.migrating import configuration, upgrade
from governance.store.transactions import Store, connect_sqlite


def draft(message: str) -> None:
    """Write the next revision: the difference between the shipped migrations and the tables."""
    migrations = schema.SHIPPED
    first = not any((migrations.folder / "versions").glob("0001_*.py"))
    number = 1 if first else len(migrations.revisions) + 1
    with tempfile.TemporaryDirectory() as folder:
        store = Store(connect_sqlite(Path(folder) / "draft.db"))
        with store.write() as session:
            connection = session.connection()
            if not first:
                upgrade(connection, migrations)
            config = configuration(connection, migrations)
            config.attributes["batch"] = not first
            alembic.command.revision(config, message=message, rev_id=f"{number:04}", autogenerate=True)
        store.close()


if __name__ == "__main__":
    draft(sys.argv[1])
