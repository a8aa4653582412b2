"""Changes are laid over the last believed snapshot: what did not change is taken from there, column by column.

Entitlements and grants are told whole. Of all other tables with accounts in them, the rows of an account that changed
or is gone are replaced, whatever columns they have; the rows of all others stay.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from governance.house import House
from governance.records import COLUMNS, Account, Gone, Record, Rows
from governance.snapshots.frames import CHUNK, Frame, scan, schema
from governance.snapshots.parts import Parts
from governance.snapshots.writing import ROWS
from governance.store.chain import clean
from governance.tables import Snapshot

WHOLE: Final = ("entitlements", "grants", "events")  # events are carried on by themselves, by their ids
_KEY: Final = "account_id"


class Before:
    """What a believed snapshot holds, for the connector that tells changes."""

    def __init__(self, house: House, snapshot: Snapshot) -> None:
        self._folder = house.snapshots / snapshot.path

    def accounts(self, *columns: str) -> Iterator[tuple[list[Any], ...]]:
        """These columns of every account that was there, each column as a list, a portion at a time."""
        for frame in _portions(self._folder, "accounts", *columns, "present"):
            yield tuple(frame.filter("present").select(columns).to_dict(as_series=False).values())

    def entitlements(self) -> Iterator[str]:
        """The id of every entitlement there was."""
        for frame in _portions(self._folder, "entitlements", "entitlement_id"):
            yield from frame["entitlement_id"]

    def grants(self) -> Iterator[tuple[str, list[str], list[str], list[datetime | None]]]:
        """An entitlement, the accounts of a portion that held it, and how and since when each of them did."""
        columns = ("account_id", "how", "since")
        for frame in _portions(self._folder, "grants", "entitlement_id", *columns):
            told = frame.sort("entitlement_id", maintain_order=True)
            accounts, how, since = (told[name].to_list() for name in columns)
            first = 0
            for several, one in told["entitlement_id"].rle().struct.unnest().iter_rows():
                here = slice(first, first + several)
                yield one, accounts[here], how[here], since[here]
                first += several


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
        return self._parts.rows

    def take(self, records: Iterable[Record | Rows | Gone]) -> None:
        """Write what changed, then the rows of everybody else as they were."""
        self._parts.take(self._staying(records))
        changed = self._parts.scan("accounts").select(_KEY).collect().vstack(pl.DataFrame({_KEY: self._gone_ids()}))
        for table in [name for name in self._parts.rows if self._is_laid(name)]:
            columns = list(schema(table))
            for rows in _portions(self._folder, table, *columns):
                before = as_told(rows) if table == "accounts" else rows
                self._parts.keep(table, before.join(changed, on=_KEY, how="anti").select(columns))

    def scan(self, table: str) -> pl.LazyFrame:
        """All rows of a table as they are now."""
        return self._parts.scan(table)

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


def as_told(accounts: Frame) -> Frame:
    """Those that were there, as they were told: what the snapshot added out of its memory is remembered anew."""
    known = Account.__struct_fields__
    added = [name for name in COLUMNS["accounts"] if name not in known]
    added += [f"{name}_s" for name in added if COLUMNS["accounts"][name] == "instant"]
    types = schema("accounts")
    there: Frame = accounts.filter(pl.col("present"))
    return there.with_columns(pl.lit(None, types[name]).alias(name) for name in added)


def _portions(folder: Path, table: str, *columns: str) -> Iterator[pl.DataFrame]:
    """These columns of a table as they lie in the file, CHUNK rows at a time.

    Polars by itself reads far ahead of what it does with the rows: 200 MiB of a million accounts.
    """
    whole = scan(table, [folder / f"{table}.parquet"]).select(*dict.fromkeys(columns))
    many = int(whole.select(pl.len()).collect().item())
    for first in range(0, many, ROWS):  # as many as are written together
        yield from whole.slice(first, ROWS).collect().iter_slices(CHUNK)
