"""Kill -9 in the middle of pulling (FAULTS.md E6): the old snapshot or the new one, never a mixed one, nothing lost."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from governance.snapshots import believed, sweep
from jobs import home
from jobs.pull import mark_interrupted, pull

ROOT = Path(__file__).parents[1]
CONFIGURATION = """
[[application]]
name = "crm"
connector = "app_csv"
path = "crm.csv"
"""
PULLING = """
import sys, os
from pathlib import Path
from jobs import home
from jobs.pull import pull
folder = Path(sys.argv[1])
house = home.open_house(folder, os.environ, home.clock())
print("ready", flush=True)
number = 0
while True:
    number += 1
    mark = "even" if number % 2 else "odd"
    rows = [f"a{n},{mark}-{number},active" for n in range(3000)]
    beside = folder / "crm.tmp"
    beside.write_text("account_id,username,status\\n" + "\\n".join(rows) + "\\n")
    beside.rename(folder / "crm.csv")
    pull(house, [], home.clock())
"""


def begun(folder: Path) -> int:
    """How many pulls have begun."""
    with closing(sqlite3.connect(folder / "leaverwatch.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM jobrun").fetchone()[0])


def killed(folder: Path, after: float) -> None:
    """A process that pulls again and again, killed so many seconds after its first pull began, however slow it is."""
    process = subprocess.Popen([sys.executable, "-c", PULLING, folder], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    before, until = begun(folder), time.monotonic() + 60
    while begun(folder) == before:
        assert time.monotonic() < until, "no pull begins"
        time.sleep(0.002)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def check(folder: Path) -> str | None:
    """The one mark all accounts of the believed snapshot carry; None before the first was published."""
    with sqlite3.connect(folder / "leaverwatch.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    house = home.open_house(folder, {}, home.clock())
    try:
        with house.store.read() as session:
            newest = believed(session, "crm")
        if newest is None:
            return None
        accounts = pl.read_parquet(house.snapshots / newest.path / "accounts.parquet")
        assert accounts.height == newest.rows["accounts"] == 3000
        assert accounts["username"].n_unique() == 1, "rows of two pulls in one snapshot"
        return str(accounts["username"][0])
    finally:
        house.store.close()


def series(folder: Path, kills: int) -> None:
    folder.joinpath("leaverwatch.toml").write_text(CONFIGURATION)
    chance = random.Random(kills)
    for _ in range(kills):
        killed(folder, chance.uniform(0.0, 0.25))
        check(folder)
    house = home.open_house(folder, {}, home.clock())
    try:
        now = home.clock()
        interrupted = mark_interrupted(house, now)
        assert 0 < interrupted <= kills, "the kills must hit pulls that run"
        assert pull(house, [], now)[0].status == "published"
        sweep(house, now + timedelta(hours=2))
        left = {path.name for path in (house.snapshots / "crm").iterdir()}
        assert not [name for name in left if name.startswith(".")], "half-written folders stay behind"
    finally:
        house.store.close()
    assert check(folder) is not None


def test_a_pull_killed_anywhere_leaves_the_old_snapshot_or_the_new_one(tmp_path):
    series(tmp_path, 8)


@pytest.mark.soak
def test_two_hundred_pulls_killed_anywhere(tmp_path):
    series(tmp_path, 200)
