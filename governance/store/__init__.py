"""The store: where decisions are kept, in SQLite or PostgreSQL, and the few ways to reach it.

`open_store` creates, migrates or refuses; `Store.read`, `Store.write` and `Store.lease` are the only ways in. Who works
for long takes a lease as a `Contender` and works on the store behind its `Fence`.
"""

from governance.store.backups import backup
from governance.store.fences import Contender
from governance.store.leases import Fence, LeaseLost
from governance.store.opening import open_store
from governance.store.restoring import restore
from governance.store.rows import put_rows, table_of, update_rows, upsert_rows
from governance.store.schema import HEAD
from governance.store.searching import indexed, indexed_together, led
from governance.store.transactions import Store

__all__ = [
    "HEAD",
    "Contender",
    "Fence",
    "LeaseLost",
    "Store",
    "backup",
    "indexed",
    "indexed_together",
    "led",
    "open_store",
    "put_rows",
    "restore",
    "table_of",
    "update_rows",
    "upsert_rows",
]
