"""What is made once for a whole run of the tests, whoever needs it takes a copy: above all the demo as its pages open."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs import demo
from tests import seeded

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
    place = made_once(tmp_path_factory, "prepared-demo", _prepare)
    told = json.loads((place / TOLD).read_text())
    return Prepared(place / "home", told["said"], told["seconds"])


def judged_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo company's files, read and judged once for the whole run: see `seeded.demo_company`. To be copied."""
    return made_once(tmp_path_factory, "judged-company", lambda folder: seeded.demo_company(folder, datetime.now(UTC)))


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder of this run that `make` fills: for the first worker who asks; the others wait for it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # which all workers share
    place, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(place, ignore_errors=True)  # half of one that failed
            place.mkdir()
            make(place)
            done.touch()
    return place


def _prepare(place: Path) -> None:
    said: list[str] = []
    began = time.process_time()  # the wall's clock counts what else the machine does
    house, company = demo.prepare(place / "home", {}, said.append)
    seconds = time.process_time() - began
    company.stop()
    house.store.close()
    (place / TOLD).write_text(json.dumps({"said": said, "seconds": seconds}))
