"""Houses that many tests begin with, made once in each process; every test after the first gets a copy into its own."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable, Hashable
from pathlib import Path

from governance.house import House
from governance.store.backups import copy_file

Key = tuple[Hashable, ...]
_kept: dict[Key, Path] = {}


def beginning(house: House, make: Callable[[House], object], *key: Hashable) -> House:
    """A new, empty house on SQLite as `make` leaves it; what makes the difference is in its settings and in `key`."""
    whole = (make.__qualname__, make.__module__, house.settings.model_dump_json(), *key)
    file = house.store.file
    assert file is not None
    assert not any(house.snapshots.iterdir()), "something was read here already"
    if whole not in _kept:
        make(house)
        folder = _place() / str(len(_kept))
        shutil.copytree(house.home, folder, ignore=shutil.ignore_patterns(f"{file.name}*"))
        copy_file(file, folder / file.name)
        _kept[whole] = folder
    else:
        folder = _kept[whole]
        shutil.copytree(folder, house.home, ignore=shutil.ignore_patterns(file.name), dirs_exist_ok=True)
        copy_file(folder / file.name, file)
    return house


@functools.cache
def _place() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="lw-kept-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
