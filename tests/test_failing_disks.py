"""A disk that is really full, and one that fails (FAULTS E7): actions stop first, the disk is named, nothing is torn, and it goes on by itself."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from leavers_house import approve, build, sound, statuses, tried, wiki
from small_disks import fill, small_disk
from sqlmodel import select

from connectors.sandbox.scim_server import ScimSandbox
from governance.errors import StoreError
from governance.house import House
from governance.store import open_store
from governance.tables import JobRun, Pin
from jobs import home, work
from jobs.worker import serve

NATIVE = Path(__file__).parent / "native" / "failing_disk.c"
LEAVES = (0, 4_096, 16_384, 32_768, 49_152, 65_536, 98_304, 131_072, 196_608, 262_144, 524_288, 1_048_576, 3_500_000)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ScimSandbox]]:
    """The folder of a house that was pulled and judged once, and its application: both to be copied."""
    folder = tmp_path_factory.mktemp("made")
    with wiki() as started:
        build(folder, started.url).store.close()
        yield folder, started


@pytest.fixture
def server(made: tuple[Path, ScimSandbox]) -> Iterator[ScimSandbox]:
    """The application as it was then; nothing was asked of it since."""
    _, server = made
    before = server.directory
    server.directory = copy.deepcopy(before)
    server.requests.clear()
    yield server
    server.directory = before


def built(made: tuple[Path, ScimSandbox], folder: Path) -> House:
    """A house of one's own like that, in this folder."""
    shutil.copytree(made[0], folder, dirs_exist_ok=True)
    return home.open_house(folder, {}, home.clock())


def calls(server: ScimSandbox) -> int:
    return sum(seen.method in ("PATCH", "PUT") for seen in server.requests)


# --- full


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as place:
        yield place


@pytest.fixture
def house(disk: Path, made: tuple[Path, ScimSandbox]) -> Iterator[House]:
    opened = built(made, disk)
    yield opened
    opened.store.close()


def test_on_a_full_disk_actions_stop_first_and_go_on_when_there_is_room(
    house: House, server: ScimSandbox, disk: Path
) -> None:
    approve(house, 10)
    went = set()
    for leave in LEAVES:  # each lets the work come a little further
        ballast = fill(disk, leave)
        for verb, do in (
            ("remediate", lambda: work.remediate(house, environ={})),
            ("pull", lambda: work.pull(house, ["hr", "wiki"], environ={})),
            ("detect", lambda: work.detect(house)),
            ("approve", lambda: approve(house, 1)),
        ):
            kind, words = tried(do)
            assert (kind, words) == ("ok", "") or f"disk {disk}: " in words or "nothing was written" in words, words
            assert kind == "ok" or str(disk) in words
            if kind == "ok":
                went.add(verb)
        sound(house, server)
        ballast.unlink()
    assert calls(server) == 0, "below 4 MB nobody acts"
    assert went == {"pull", "detect", "approve"}, "while the others still go on with little room"
    waiting = statuses(house)["approved"]
    assert {outcome.status for outcome in work.remediate(house, environ={})} == {"verified"}
    assert statuses(house)["verified"] == calls(server) == waiting
    assert tried(lambda: work.pull(house, ["hr", "wiki"], environ={})) == ("ok", "")
    sound(house, server)


def test_a_disk_that_fills_between_two_actions_loses_none_and_doubles_none(
    house: House, server: ScimSandbox, disk: Path
) -> None:
    cut_short = 0
    for number in range(10):
        approve(house, 3)
        before = calls(server)
        filler = threading.Thread(
            target=lambda before=before, number=number: fill_at_call(server, disk, before, number)
        )
        filler.start()
        kind, words = tried(lambda: work.remediate(house, environ={}))
        filler.join()
        assert kind == "ok" or f"(disk {disk}: " in words
        cut_short += kind != "ok"
        (disk / "ballast").unlink()  # looking into the store from outside needs room, too
        sound(house, server)
    assert cut_short > 2
    work.remediate(house, environ={})
    work.verify(house, environ={})
    assert statuses(house) == {"verified": 30}
    assert calls(server) == 30
    sound(house, server)


def fill_at_call(server: ScimSandbox, disk: Path, before: int, number: int) -> None:
    """When the first call of this run came, leave no room, or a little."""
    while calls(server) == before:
        time.sleep(0.0005)
    fill(disk, number * 8_192)


def test_a_store_that_finds_a_full_disk_when_it_is_opened_names_it(house: House, disk: Path) -> None:
    house.store.close()
    ballast = fill(disk)
    with pytest.raises(StoreError, match=rf"leaverwatch\.db: .*\(disk {disk}: 0 kB free\)"):
        add_a_pin(disk)
    with pytest.raises(StoreError, match=rf"new\.db: .*\(disk {disk}: 0 kB free\); nothing was written"):
        open_store("sqlite:///new.db", disk, home.clock())
    assert not (disk / "new.db").exists()
    ballast.unlink()
    add_a_pin(disk)


def add_a_pin(disk: Path) -> None:
    """Open the store anew and write one row."""
    store = open_store("sqlite:///leaverwatch.db", disk, home.clock())
    try:
        with store.write() as session:
            session.add(Pin(application="wiki", account_id="1", identity_id="hr:1", at=home.clock()))
    finally:
        store.close()


def test_a_worker_on_a_full_disk_says_so_once_and_goes_on_unaided(
    house: House, server: ScimSandbox, disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "leaverwatch")
    stop = threading.Event()
    worker = threading.Thread(target=serve, args=(house, stop), kwargs={"environ": {}})
    worker.start()
    try:
        until(lambda: finished(house), 20)
        ids = approve(house, 5)
        until(lambda: statuses(house)["verified"] == 5, 20)
        approve(house, 5)
        ballast = fill(disk)
        time.sleep(8)
        assert calls(server) == 5 or statuses(house)["verified"] == calls(server)
        before = calls(server)
        said = [record.message for record in caplog.records if record.message.startswith("no sign of life")]
        assert len(said) == 1
        assert f"disk {disk}: 0 kB free" in said[0]
        sound(house, server)
        ballast.unlink()
        until(lambda: statuses(house) == {"verified": 10}, 40)
        assert calls(server) == 10 >= before
        assert "the store takes what is written again" in caplog.text
        until(lambda: finished(house), 20)
    finally:
        stop.set()
        worker.join(30)
    assert ids
    sound(house, server)


def finished(house: House) -> bool:
    """Whether there are job runs and none is left open."""
    with house.store.read() as session:
        open_ones = {run.status for run in session.exec(select(JobRun))}
    return bool(open_ones) and "running" not in open_ones


def until(what, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"it did not come within {seconds} s"
        time.sleep(0.1)


# --- failing: EIO


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that lets calls to the disk fail, compiled anew."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("no C compiler, or no Linux: calls to the disk cannot be made to fail")
    library = tmp_path_factory.mktemp("native") / "failing_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, NATIVE, "-ldl"], check=True)
    return library


@contextmanager
def failing(order: Path, call: str, part: str, skip: int) -> Iterator[None]:
    """From now on these calls fail with EIO, after `skip` of them went through."""
    beside = order.with_suffix(".new")
    beside.write_text(f"{call} {part} {skip}")
    beside.rename(order)
    try:
        yield
    finally:
        order.unlink()


class Hand:
    """One long-lived process that works on the house, on a disk that can be made to fail."""

    def __init__(self, folder: Path, shim: Path) -> None:
        self.order = folder / "order"
        environ = {**os.environ, "LD_PRELOAD": str(shim), "FAILING_DISK": str(self.order)}
        environ["PYTHONPATH"] = os.pathsep.join([str(NATIVE.parents[1]), str(NATIVE.parents[2])])
        command = [sys.executable, str(NATIVE.parents[1] / "leavers_house.py"), str(folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)

    def __call__(self, verb: str) -> tuple[str, str]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{verb}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{verb} ended the process"
        kind, words = json.loads(answer)
        return kind, words


@pytest.fixture
def hand(tmp_path: Path, shim: Path, made: tuple[Path, ScimSandbox]) -> Iterator[tuple[Hand, House]]:
    house = built(made, tmp_path)
    working = Hand(tmp_path, shim)
    yield working, house
    assert working.process.stdin is not None
    working.process.stdin.close()
    assert working.process.wait(20) == 0
    assert working.process.stdout is not None
    working.process.stdout.close()
    house.store.close()


FAULTS = [
    ("write", "leaverwatch.db-wal"),
    ("fsync", "leaverwatch.db-wal"),
    ("write", "/leaverwatch.db"),
    ("fsync", "/leaverwatch.db"),
    ("write", ".parquet"),
    ("fsync", ".parquet"),
    ("fsync", "/snapshots/"),
]


@pytest.mark.parametrize(("call", "part"), FAULTS, ids=lambda word: word.strip("/.").replace("leaverwatch.", ""))
def test_an_input_output_error_is_named_and_nothing_is_torn(
    call: str, part: str, hand: tuple[Hand, House], server: ScimSandbox, tmp_path: Path
) -> None:
    do, house = hand
    met = set()
    for skip in (0, 1, 2, 3, 5, 8, 13):
        assert do("approve") == ("ok", "")
        for verb in ("remediate", "pull", "detect"):
            with failing(do.order, call, part, skip):
                kind, words = do(verb)
            if kind != "ok":
                met.add(verb)
                assert str(tmp_path) in words, words
                assert "I/O error" in words or "Input/output error" in words or "nothing was" in words, words
            sound(house, server)
        for verb in ("remediate", "verify", "pull", "detect"):
            assert do(verb) == ("ok", ""), f"{verb} does not go on"
        assert set(statuses(house)) == {"verified"}
    assert calls(server) >= statuses(house)["verified"] == 7
    assert met, "no call failed: the fault was not met"


def test_a_folder_that_cannot_be_written_is_named_with_what_it_takes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        open_store(f"sqlite:///{disk / 'leaverwatch.db'}", disk, home.clock()).close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(StoreError, match=f"{disk} cannot be written, which even reading takes: let whoever runs"):
            open_store(f"sqlite:///{disk / 'leaverwatch.db'}", disk, home.clock())
