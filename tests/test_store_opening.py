"""Opening a store: new, newer, foreign, damaged or on a disk that takes nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW
from store_files import ONLY_SQLITE, accounts, beheaded, empty, fill, foreign, newer, ours, text, truncated

from governance import audit
from governance.errors import ConfigurationError, StoreError
from governance.store import Store, open_store

ONLY_POSTGRESQL = pytest.mark.parametrize(
    "engine", [pytest.param("postgresql", marks=pytest.mark.needs_postgres)], indirect=True
)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- opening


def test_opening_again_finds_what_was_written(store_url: str, tmp_path: Path) -> None:
    first = open_store(store_url, tmp_path, NOW)
    fill(first)
    first.close()
    again = open_store(store_url, tmp_path, NOW)
    assert accounts(again) == ["0", "1", "2"]
    again.close()


@ONLY_SQLITE
def test_a_relative_file_lies_in_the_home_folder_and_only_its_owner_reads_it(engine: str, tmp_path: Path) -> None:
    store = open_store("sqlite:///sub/own.db", tmp_path, NOW)
    fill(store)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "sub").iterdir()}
    assert modes == {"own.db": 0o600, "own.db-wal": 0o600, "own.db-shm": 0o600}
    with store.write() as session:
        settings = [
            session.connection().exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert settings == ["wal", 1, 1, 10_000]
    store.close()


@ONLY_SQLITE
def test_opening_is_fast_and_loads_neither_alembic_nor_psycopg(store: Store, store_url: str, tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom datetime import datetime\nfrom pathlib import Path\nfrom governance.store import open_store\n"
        "now = datetime.fromisoformat(sys.argv[3])\n"
        "start = time.process_time()\nopen_store(sys.argv[1], Path(sys.argv[2]), now)\n"
        "print(time.process_time() - start, *({'alembic', 'psycopg', 'polars'} & set(sys.modules)))"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", code, store_url, str(tmp_path), NOW.isoformat()]
    took, *loaded = subprocess.run(command, capture_output=True, text=True, env=environ, check=True).stdout.split()
    assert loaded == []
    assert float(took) < 0.3  # seen: 0.01


def test_processes_that_start_together_get_one_store(empty_url: str, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom conftest import NOW\nfrom governance import audit\n"
        "from governance.store import open_store\nsys.stdin.read()\nstore = open_store(sys.argv[1], Path(sys.argv[2]), NOW)\n"
        "with store.write() as session:\n    audit.append(session, now=NOW, actor='job', verb='start', object='x')\nstore.close()"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code, empty_url, str(tmp_path)]
    starters = [subprocess.Popen(command, stdin=subprocess.PIPE, env=environ) for _ in range(4)]
    for starter in starters:
        assert starter.stdin is not None
        starter.stdin.close()
    assert [starter.wait() for starter in starters] == [0] * 4
    store = open_store(empty_url, tmp_path, NOW)
    assert (audit.verify(store).ok, audit.verify(store).entries) == (True, 4)
    store.close()
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("url", ["mysql://x/y", "leaverwatch.db", "sqlite://", "sqlite:///:memory:", "postgresql://h"])
def test_a_url_of_another_kind_is_a_configuration_error(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"store\.url"):
        open_store(url, tmp_path, NOW)


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/x: ") as caught:
        open_store("postgresql+psycopg://me:canary@127.0.0.1:1/x", tmp_path, NOW)
    assert "canary" not in str(caught.value)


def unmarked(file: Path) -> None:
    ours(file)
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("DELETE FROM alembic_version")


def folder(file: Path) -> None:
    file.mkdir()


REFUSED = {
    foreign: r"belongs to another program; nothing was written: name another under \[store\] url",
    text: "no SQLite file; nothing was written: restore a backup",
    empty: "the file is empty",
    truncated: r"cut short, [\d,]+ of [\d,]+ bytes",
    beheaded: "malformed: restore a backup",
    newer: r"newer Leaverwatch \(revision 0999, this one knows up to .*install that version again",
    unmarked: "does not say its revision",
    folder: "Is a directory",
}


@pytest.mark.parametrize("damage", REFUSED, ids=lambda make: make.__name__)
def test_what_is_no_store_of_ours_is_refused_untouched(damage: object, tmp_path: Path) -> None:
    file = tmp_path / "leaverwatch.db"
    damage(file)  # type: ignore[operator]
    before = everything(tmp_path)
    with pytest.raises(StoreError, match=rf"leaverwatch\.db: .*{REFUSED[damage]}"):  # type: ignore[index]
        open_store("sqlite:///leaverwatch.db", tmp_path, NOW)
    after = {name: body for name, body in everything(tmp_path).items() if not name.endswith(("-shm", "-wal"))}
    assert after == before


@ONLY_POSTGRESQL
def test_a_database_of_another_program_is_refused_untouched(empty_url: str, tmp_path: Path) -> None:
    engine = sa.create_engine(empty_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE recipe (name text)")
    with pytest.raises(StoreError, match="tables of another program"):
        open_store(empty_url, tmp_path, NOW)
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["recipe"]
    engine.dispose()


@ONLY_POSTGRESQL
def test_a_newer_database_is_refused(store: Store, store_url: str, tmp_path: Path) -> None:
    with store.write() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreError, match="newer Leaverwatch"):
        open_store(store_url, tmp_path, NOW)


@contextmanager
def read_only_folder() -> Iterator[Path]:
    """A folder in which this process can create nothing, even when the tests run as root."""
    place = Path(tempfile.mkdtemp(prefix="lw-ro-"))
    as_root = os.geteuid() == 0
    try:
        yield place
    finally:
        if as_root:
            os.seteuid(0)
        place.chmod(0o700)
        shutil.rmtree(place)


def lock(place: Path) -> None:
    place.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65_534)


def test_a_read_only_folder_is_refused_by_name() -> None:
    with read_only_folder() as place:
        lock(place)
        with pytest.raises(StoreError, match=r"leaverwatch\.db: Permission denied; nothing was written"):
            open_store("sqlite:///leaverwatch.db", place, NOW)
        assert list(place.iterdir()) == []


def test_a_store_that_became_read_only_refuses_writes_and_goes_on_later() -> None:
    with read_only_folder() as place:
        store = open_store("sqlite:///leaverwatch.db", place, NOW)
        fill(store)
        store.close()
        lock(place)
        with pytest.raises(StoreError, match=r"leaverwatch\.db: .*nothing was written"):
            fill(open_store("sqlite:///leaverwatch.db", place, NOW))
        if os.getuid() == 0:
            os.seteuid(0)
        place.chmod(0o700)
        again = open_store("sqlite:///leaverwatch.db", place, NOW)
        assert (accounts(again), audit.verify(again).entries) == (["0", "1", "2"], 3)
        again.close()
