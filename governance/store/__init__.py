"""The store: where decisions are kept, in SQLite or PostgreSQL, and the few ways to reach it.

`open_store` creates, migrates or refuses; `Store.read`, `Store.write` and `Store.lease` are the only ways in.
"""

from governance.store.backups import backup
from governance.store.opening import open_store
from governance.store.restoring import restore
from governance.store.rows import put_rows, update_rows, upsert_rows
from governance.store.schema import HEAD
from governance.store.transactions import Store

__all__ = ["HEAD", "Store", "backup", "open_store", "put_rows", "restore", "update_rows", "upsert_rows"]
