"""What a database says when it cannot, in the words of `StoreError`."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy.exc as sa

from governance.errors import DecisionError, StoreError
from governance.store.disks import described

# These are mistakes of the program, or answers a verb may want to see (a row that is already there).
_NOT_OURS = (sa.IntegrityError, sa.ProgrammingError, sa.DataError, sa.InterfaceError, sa.NotSupportedError)

_OF_THE_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn a full disk, a lost server, a damaged or a busy store into a StoreError that names the store.

    So is a text that no store can keep, such as an argument from a terminal that does not speak UTF-8.
    """
    try:
        yield
    except UnicodeEncodeError as error:  # drivers raise it bare
        text = str(error.object[error.start : error.end])
        raise StoreError(f"{name}: {text!a} is no text in Unicode, write it in UTF-8; nothing was written") from error
    except sa.DataError as error:
        if "NUL (0x00)" not in str(error.orig):
            raise
        raise DecisionError("a text holds the character NUL, leave it out; nothing was written") from error
    except _NOT_OURS:
        raise
    except sa.DBAPIError as error:
        raise StoreError(f"{name}: {_reason(error.orig, name)}; nothing was written") from error
    except (sa.TimeoutError, sa.PendingRollbackError, sa.ResourceClosedError) as error:
        raise StoreError(f"{name}: {error}; nothing was written") from error
    except sqlite3.Error as error:
        raise StoreError(f"{name}: {_reason(error, name)}; nothing was written") from error


def is_busy(error: BaseException) -> bool:
    """Whether another process holds the SQLite file: worth another try."""
    original = error.orig if isinstance(error, sa.DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _reason(original: BaseException | None, name: str) -> str:
    text = str(original).strip().splitlines()
    reason = text[0] if text else type(original).__name__
    code = getattr(original, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"{reason}: restore a backup"
    folder = Path(name).parent
    if code is not None and code & 0xFF in (*_OF_THE_DISK, sqlite3.SQLITE_READONLY) and not os.access(folder, os.W_OK):
        return f"{reason}: {folder} cannot be written, which even reading takes: let whoever runs this write there"
    disk = described(Path(name)) if code is not None and code & 0xFF in _OF_THE_DISK else ""
    return f"{reason} ({disk})" if disk else reason
