"""Changes are laid over the last believed snapshot: what did not change is taken from there, column by column.

Entitlements and grants are told whole. Of all other tables with accounts in them, the rows of an account that changed
or is gone are replaced, whatever columns they have; the rows of all others stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from governance.house import House
from governance.records import COLUMNS, Account, Gone, Grant, Record, Rows
from governance.snapshots.frames import scan, schema
from governance.snapshots.parts import Parts
from governance.store.chain import clean
from governance.tables import Snapshot

WHOLE: Final = ("entitlements", "grants", "events")  # events are carried on by themselves, by their ids
_KEY: Final = "account_id"


class Before:
    """What a believed snapshot holds, for the connector that tells changes."""

    def __init__(self, house: House, snapshot: Snapshot) -> None:
        self._folder = house.snapshots / snapshot.path

    def accounts(self, *columns: str) -> Iterator[tuple[Any, ...]]:
        """These columns of every account that was there."""
        return present(self._folder).select(columns).collect(engine="streaming").iter_rows()

    def entitlements(self) -> Iterator[str]:
        """The id of every entitlement there was."""
        rows = scan("entitlements", [self._folder / "entitlements.parquet"]).select("entitlement_id")
        return iter(rows.collect(engine="streaming")["entitlement_id"])

    def grants(self) -> Iterator[Grant]:
        """Every grant there was."""
        names = Grant.__struct_fields__
        rows = scan("grants", [self._folder / "grants.parquet"]).select(names).collect(engine="streaming").iter_rows()
        return (Grant(*row) for row in rows)


class Laid:
    """The parts of a pull that told changes, as if everything had been read."""

    def __init__(self, parts: Parts, house: House, base: Snapshot) -> None:
        self._parts = parts
        self._base = base
        self._folder = house.snapshots / base.path
        self._gone: set[str] = set()

    @property
    def sha256(self) -> str:
        """The same for the same changes over the same snapshot."""
        told = "\n".join((self._base.id, self._parts.sha256, *sorted(self._gone)))
        return hashlib.sha256(told.encode()).hexdigest()

    @property
    def rows(self) -> dict[str, int]:
        """How many rows there are of each table."""
        laid = {name: _height(self.scan(name)) for name in self._parts.rows if self._is_laid(name)}
        return self._parts.rows | laid

    def take(self, records: Iterable[Record | Rows | Gone]) -> None:
        """Write what changed, and remember who is gone."""
        self._parts.take(self._staying(records))

    def scan(self, table: str) -> pl.LazyFrame:
        """All rows of a table as they are now."""
        new = self._parts.scan(table)
        if not self._is_laid(table):
            return new
        file = self._folder / f"{table}.parquet"
        before = told(self._folder) if table == "accounts" else scan(table, [file])
        changed = pl.concat([self._parts.scan("accounts").select(_KEY), pl.LazyFrame({_KEY: self._gone_ids()})])
        columns = list(schema(table))
        return pl.concat([before.join(changed, on=_KEY, how="anti").select(columns), new.select(columns)])

    def clear(self) -> None:
        """Remove the parts."""
        self._parts.clear()

    def _staying(self, records: Iterable[Record | Rows | Gone]) -> Iterator[Record | Rows]:
        for record in records:
            if isinstance(record, Gone):
                self._gone.add(clean(record.account_id))
            else:
                yield record

    def _gone_ids(self) -> pl.Series:
        return pl.Series(sorted(self._gone), dtype=pl.String)

    def _is_laid(self, table: str) -> bool:
        exists = (self._folder / f"{table}.parquet").exists()
        return exists and table not in WHOLE and _KEY in schema(table)


def present(folder: Path) -> pl.LazyFrame:
    """The accounts of a snapshot that were there when it was read, without those it only remembers."""
    return scan("accounts", [folder / "accounts.parquet"]).filter(pl.col("present"))


def told(folder: Path) -> pl.LazyFrame:
    """The accounts that were there, as they were told: what the snapshot added out of its memory is remembered anew."""
    known = Account.__struct_fields__
    added = [name for name in COLUMNS["accounts"] if name not in known]
    added += [f"{name}_s" for name in added if COLUMNS["accounts"][name] == "instant"]
    types = schema("accounts")
    return present(folder).with_columns(pl.lit(None, types[name]).alias(name) for name in added)


def _height(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect(engine="streaming").item())
