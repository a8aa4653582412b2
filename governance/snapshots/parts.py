"""What a feed says is written while it is said: bounded parts of columns on disk, so that size costs no memory."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Sequence
from io import BytesIO
from pathlib import Path

import polars as pl

from governance.records import COLUMNS, Reading, Record, Rejected, Rows
from governance.snapshots.frames import chunks_of, frame_of, schema
from governance.snapshots.keepable import with_keepable_ids
from governance.snapshots.writing import on_disk


class Parts:
    """The records of one pull, in files below `folder` until they are composed into a snapshot."""

    def __init__(self, folder: Path, reading: Reading, has_digest: Callable[[], bool] = lambda: False) -> None:
        """`has_digest`: whether what is read, such as a file, has a digest of its own already; then rows need none.

        A row whose id cannot be kept is noted in `reading`.
        """
        self._folder, self._reading, self._has_digest = folder, reading, has_digest
        self._files: dict[str, list[Path]] = {table: [] for table in COLUMNS}
        self._digest = hashlib.sha256()
        self._refused = 0
        self.rows: dict[str, int] = dict.fromkeys(COLUMNS, 0)

    @property
    def sha256(self) -> str:
        """SHA-256 over the rows as read, the same for the same rows in the same order; not of what has its own."""
        return self._digest.hexdigest()

    def take(self, records: Iterable[Record | Rows]) -> None:
        """Write all records, a chunk at a time."""
        with on_disk(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        for table, rows in chunks_of(records):
            self._write(table, rows)
        self._reading.kept -= self._refused  # connectors say at their end how many they kept
        self._refused = 0

    def _write(self, table: str, rows: Sequence[Record] | Rows) -> None:
        frame = frame_of(table, with_keepable_ids(table, rows, self._reject))
        if not self._has_digest():
            buffer = BytesIO()
            frame.write_ipc(buffer)
            self._digest.update(table.encode())
            self._digest.update(buffer.getbuffer())
        self.keep(table, frame)

    def keep(self, table: str, frame: pl.DataFrame) -> None:
        """Write rows that nobody told now: they have no part in the digest."""
        path = self._folder / f"part-{table}-{len(self._files[table])}.parquet"
        with on_disk(path):
            frame.write_parquet(path, compression="zstd", compression_level=1)
        self._files[table].append(path)
        self.rows[table] += frame.height

    def _reject(self, row: Rejected) -> None:
        self._refused += 1
        self._reading.rejected.append(row)

    def scan(self, table: str) -> pl.LazyFrame:
        """All rows of a table, without reading them yet."""
        files = self._files[table]
        return pl.scan_parquet(files) if files else pl.LazyFrame(schema=schema(table))

    def clear(self) -> None:
        """Remove the parts: they are composed into a snapshot, or nothing of this pull is believed."""
        shutil.rmtree(self._folder, ignore_errors=True)
