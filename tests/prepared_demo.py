"""The demo as it stands when its pages open, prepared once for a whole run of the tests; whoever needs one takes a copy."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs import demo

TOLD = "told.json"


@dataclass(frozen=True)
class Prepared:
    """Where it lies, what was said while it was made, and how long one processor took for that."""

    folder: Path
    said: list[str]
    seconds: float

    def copy(self, into: Path) -> Path:
        """A demo of one's own, which goes on from there."""
        return Path(shutil.copytree(self.folder, into))


def prepared_demo(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The one of this run: the first worker who asks makes it, the others wait for it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # which all workers share
    place = root / "prepared-demo"
    with (root / "prepared-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / TOLD).exists():
            shutil.rmtree(place, ignore_errors=True)  # half of one that failed
            place.mkdir()
            _prepare(place)
    told = json.loads((place / TOLD).read_text())
    return Prepared(place / "home", told["said"], told["seconds"])


def _prepare(place: Path) -> None:
    said: list[str] = []
    began = time.process_time()  # the wall's clock counts what else the machine does
    house, company = demo.prepare(place / "home", {}, said.append)
    seconds = time.process_time() - began
    company.stop()
    house.store.close()
    (place / TOLD).write_text(json.dumps({"said": said, "seconds": seconds}))
