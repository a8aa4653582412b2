"""Opening, migrating, backing up and restoring a store: new, older, newer, foreign and damaged."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import NOW
from sqlmodel import SQLModel, select

from governance import audit
from governance.errors import ConfigurationError, StoreError
from governance.store import HEAD, Store, backup, open_store, restore, schema
from governance.store.migrating import configuration, upgrade
from governance.store.opening import locate
from governance.tables import AuditEntry, Pin

ONLY_SQLITE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
ONLY_POSTGRESQL = pytest.mark.parametrize(
    "engine", [pytest.param("postgresql", marks=pytest.mark.needs_postgres)], indirect=True
)


def fill(store: Store, count: int = 3) -> None:
    with store.write() as session:
        for number in range(count):
            session.add(Pin(application="crm", account_id=str(number), identity_id="hr:1", at=NOW))
            audit.append(session, now=NOW, actor="ana", verb="pin", object=f"crm/{number}", facts={"name": "Bo"})


def accounts(store: Store) -> list[str]:
    with store.read() as session:
        return sorted(session.exec(select(Pin.account_id)).all())


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- the form


def forms(connection: sa.Connection) -> list[tuple[object, ...]]:
    """Every table, index and trigger as the database itself describes it."""
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
        return sorted((kind, name, re.sub(r'[\s"]+|, ', " ", sql or "").strip()) for kind, name, sql in found)
    columns = connection.exec_driver_sql(
        "SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns "
        "WHERE table_schema = 'public'"
    )
    indexes = connection.exec_driver_sql(
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    triggers = connection.exec_driver_sql(
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
    )
    return sorted([*map(tuple, columns), *map(tuple, indexes), *map(tuple, triggers)], key=str)


def migrated(url: str, home: Path) -> Store:
    """A database that came to be by the migrations alone."""
    store = Store(locate(url, home))
    with store.write() as session:
        upgrade(session.connection(), schema.SHIPPED)
    return store


def test_the_migrations_lead_to_exactly_the_tables(empty_url: str, tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    def comparable(thing: object, name: str | None, kind: str, *_: object) -> bool:
        # Alembic can't tell an expression (score DESC) in SQLite, nor the index of the search box: the next test
        # compares what the database says.
        if kind == "index" and store.dialect == "postgresql":
            return name != "finding_search"
        return not (name or "").startswith(("finding_", "findingte", "findinglater"))

    store = migrated(empty_url, tmp_path)
    options = {"compare_type": True, "include_object": comparable}
    with store.read() as session, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="autogenerate skipping metadata-specified expression")
        context = MigrationContext.configure(session.connection(), opts=options)
        assert compare_metadata(context, SQLModel.metadata) == []
    store.close()


def test_a_new_store_equals_a_migrated_one(store: Store, empty_url: str, tmp_path: Path) -> None:
    with store.read() as session:
        new = forms(session.connection())
    other = migrated(empty_url.replace("leaverwatch.db", "migrated.db"), tmp_path)
    with other.read() as session:
        assert forms(session.connection()) == new, "tables.py and the migrations differ: see migrations/draft.py"
    other.close()


def test_the_revisions_named_are_those_that_exist() -> None:
    from alembic.script import ScriptDirectory

    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection, schema.SHIPPED))
    engine.dispose()
    assert tuple(one.revision for one in reversed(list(scripts.walk_revisions()))) == schema.SHIPPED.revisions
    assert scripts.get_current_head() == HEAD


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
        "import sys, time\nfrom pathlib import Path\nfrom conftest import NOW\nfrom governance.store import open_store\n"
        "start = time.perf_counter()\nopen_store(sys.argv[1], Path(sys.argv[2]), NOW)\n"
        "print(time.perf_counter() - start, *({'alembic', 'psycopg', 'polars'} & set(sys.modules)))"
    )
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", code, store_url, str(tmp_path)]
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


# --- what is refused: nothing is written, and the message names the file and the reason


def foreign(file: Path) -> None:
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("CREATE TABLE recipe (name TEXT)")


def ours(file: Path) -> None:
    store = open_store(f"sqlite:///{file}", file.parent, NOW)
    fill(store, 200)
    store.close()


def text(file: Path) -> None:
    file.write_text("employee_id,status\n" * 100)


def empty(file: Path) -> None:
    file.touch()


def truncated(file: Path) -> None:
    ours(file)
    os.truncate(file, file.stat().st_size // 2)


def beheaded(file: Path) -> None:
    ours(file)
    with file.open("r+b") as stream:
        stream.seek(100)
        stream.write(b"\x17" * 3_000)


def newer(file: Path) -> None:
    ours(file)
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("UPDATE alembic_version SET version_num = '0999'")


def unmarked(file: Path) -> None:
    ours(file)
    with closing(sqlite3.connect(file)) as raw, raw:
        raw.execute("DELETE FROM alembic_version")


def folder(file: Path) -> None:
    file.mkdir()


REFUSED = {
    foreign: "belongs to another program",
    text: "no SQLite file",
    empty: "the file is empty",
    truncated: r"cut short, [\d,]+ of [\d,]+ bytes",
    beheaded: "malformed",
    newer: r"newer Leaverwatch \(revision 0999, this one knows up to",
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


# --- migrating an older store


NEXT = """
import sqlalchemy as sa
from alembic import op
revision, down_revision = "next", "{last}"
def upgrade():
    op.add_column("pin", sa.Column("colour", sa.String()))
    {then}
"""


def with_next(place: Path, then: str = "") -> schema.Migrations:
    """The shipped migrations and one more."""
    copy = place / "migrations"
    shutil.copytree(schema.SHIPPED.folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "next.py").write_text(NEXT.format(last=HEAD, then=then))
    return schema.Migrations(copy, (*schema.SHIPPED.revisions, "next"))


def columns(store: Store) -> set[str]:
    with store.read() as session:
        return {column["name"] for column in sa.inspect(session.connection()).get_columns("pin")}


def test_an_older_store_is_copied_then_migrated_and_the_audit_says_so(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    fill(store)
    store.close()
    newer = open_store(store_url, tmp_path, NOW, migrations=with_next(tmp_path))
    assert "colour" in columns(newer)
    assert accounts(newer) == ["0", "1", "2"]
    with newer.read() as session:
        last = session.exec(select(AuditEntry).order_by(sa.desc("seq"))).first()
    assert last is not None
    assert (last.verb, last.object) == ("store.migrate", f"{HEAD} to next")
    copies = list((tmp_path / "backups").glob("*.db")) if (tmp_path / "backups").exists() else []
    if newer.dialect == "sqlite":
        assert str(copies[0]) in last.reason
        assert copies[0].stat().st_mode & 0o777 == 0o600
        old = open_store(f"sqlite:///{copies[0]}", tmp_path, NOW)  # the copy is the older form, whole
        assert accounts(old) == ["0", "1", "2"]
        old.close()
    else:
        assert (copies, "pg_dump" in last.reason) == ([], True)
    newer.close()
    again = open_store(store_url, tmp_path, NOW, migrations=schema.Migrations(tmp_path, (*schema.SHIPPED.revisions, "next")))
    assert audit.verify(again).entries == 4  # and is not migrated again
    again.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(store: Store, store_url: str, tmp_path: Path) -> None:
    fill(store)
    with pytest.raises(StoreError, match="nothing was written"):
        open_store(
            store_url,
            tmp_path,
            NOW,
            migrations=with_next(tmp_path, 'raise sa.exc.OperationalError("no", {}, OSError("no room"))'),
        )
    assert "colour" not in columns(store)
    again = open_store(store_url, tmp_path, NOW)
    assert (accounts(again), audit.verify(again).entries) == (["0", "1", "2"], 3)
    again.close()


# --- backup and restore


def test_a_restored_backup_brings_everything_back_and_keeps_what_was_there(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    fill(store)
    tip = audit.verify(store).tip
    copy = backup(store, tmp_path / "safe", NOW)
    assert copy.name == "leaverwatch-20261123T120000Z.db"
    assert copy.stat().st_mode & 0o777 == 0o600
    with store.write() as session:
        for found in session.exec(select(Pin)).all():
            session.delete(found)
    kept = restore(copy, store_url, tmp_path, NOW)
    assert accounts(store) == ["0", "1", "2"]  # seen by a process that had it open all the time
    found = audit.verify(store, tip=audit.parse_tip(tip))
    assert (found.ok, found.entries) == (True, 4)  # the three, and that it was restored
    assert kept is not None
    before = open_store(f"sqlite:///{kept}", tmp_path, NOW)
    assert accounts(before) == []
    before.close()


def test_two_backups_in_one_second_are_two_files(store: Store, tmp_path: Path) -> None:
    assert backup(store, tmp_path / "safe", NOW) != backup(store, tmp_path / "safe", NOW)
    assert len(list((tmp_path / "safe").iterdir())) == 2


@ONLY_SQLITE
@pytest.mark.parametrize("damage", [truncated, beheaded, text, empty], ids=lambda make: make.__name__)
def test_a_damaged_store_is_moved_aside_by_a_restore(
    store: Store, store_url: str, tmp_path: Path, damage: object
) -> None:
    fill(store)
    copy = backup(store, tmp_path / "safe", NOW)
    store.close()
    assert store.file is not None
    store.file.unlink()
    damage(store.file)  # type: ignore[operator]
    wreck = store.file.read_bytes()
    kept = restore(copy, store_url, tmp_path, NOW)
    assert kept is not None
    assert kept.read_bytes() == wreck
    again = open_store(store_url, tmp_path, NOW)
    assert accounts(again) == ["0", "1", "2"]
    again.close()


@pytest.mark.parametrize("damage", [truncated, beheaded, text, empty, foreign, newer], ids=lambda make: make.__name__)
def test_a_bad_backup_changes_nothing(store: Store, store_url: str, tmp_path: Path, damage: object) -> None:
    fill(store)
    bad = tmp_path / "elsewhere" / "bad.db"
    bad.parent.mkdir()
    damage(bad)  # type: ignore[operator]
    with pytest.raises(StoreError, match=r"bad\.db"):
        restore(bad, store_url, tmp_path, NOW)
    assert accounts(store) == ["0", "1", "2"]
    assert not (tmp_path / "backups").exists()


@pytest.mark.needs_postgres
def test_a_store_moves_from_one_engine_to_the_other(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    small = open_store("sqlite:///small.db", tmp_path, NOW)
    fill(small)
    server = request.getfixturevalue("postgres")
    url = server.url(server.fresh())
    restore(backup(small, tmp_path / "safe", NOW), url, tmp_path, NOW)
    large = open_store(url, tmp_path, NOW)
    assert accounts(large) == accounts(small)
    assert audit.verify(large).ok
    small.close()
    large.close()


def test_a_restore_without_a_store_creates_one(tmp_path: Path) -> None:
    first = open_store("sqlite:///first.db", tmp_path, NOW)
    fill(first)
    copy = backup(first, tmp_path, NOW)
    first.close()
    assert restore(copy, "sqlite:///second.db", tmp_path, NOW) is None
    second = open_store("sqlite:///second.db", tmp_path, NOW)
    assert accounts(second) == ["0", "1", "2"]
    second.close()


@pytest.mark.soak
def test_migrating_a_store_of_a_million_findings_stays_under_a_minute(tmp_path: Path) -> None:
    from governance.store import put_rows
    from governance.tables import Finding

    store = open_store("sqlite:///leaverwatch.db", tmp_path, NOW)
    row = {"rule": "ghost", "severity": "critical", "score": 90, "status": "open", "first_seen": NOW, "opened_at": NOW}
    with store.write() as session:
        put_rows(session, Finding, [{**row, "fingerprint": f"{number:016x}"} for number in range(1_000_000)])
    store.close()
    start = time.perf_counter()
    open_store("sqlite:///leaverwatch.db", tmp_path, NOW, migrations=with_next(tmp_path)).close()
    assert time.perf_counter() - start < 60
