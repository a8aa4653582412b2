"""What tests share: a store on both engines, a house, and the instant they live in."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.util import LRUCache

from governance.house import House
from governance.settings import Settings, parse
from governance.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
# The files that take longest, begun first: a long one that comes last keeps one processor waiting. Those that drive
# Chromium stand between others, as several at once wait for each other.
LONGEST = (
    *("test_rules_on_spark.py", "test_sandbox_company.py", "browser/test_every_page.py", "test_judging.py"),
    *("browser/test_review_presses.py", "test_failing_disks.py", "test_workers.py", "browser/test_demo_in_chromium.py"),
    *("promises/test_met_faults.py", "browser/test_sign_in.py", "test_demo.py", "promises/test_kept_snapshots.py"),
    *("promises/test_changed_schemas.py", "browser/test_connecting.py", "test_changes.py", "test_hr_replay.py"),
    *("browser/test_review_grid.py", "browser/test_findings_grid.py", "test_rights.py", "test_time_travel.py"),
    *("test_scheduler.py", "test_what_if.py"),
    *("test_foreign_scim_servers.py", "test_killed_pulls.py", "browser/test_reviewing_the_demo.py", "test_memory.py"),
    *("pages/test_pages.py", "test_evidence.py", "test_reach.py", "test_comparing.py", "test_real_guard.py"),
)
ENGINES = [pytest.param("sqlite"), pytest.param("postgresql", marks=pytest.mark.needs_postgres)]


_spoken: dict[tuple[Any, ...], tuple[sa.Dialect, LRUCache[Any, Any]]] = {}


@sa.event.listens_for(sa.Engine, "engine_connect")
def _compile_once(connection: sa.Connection) -> None:
    """What was compiled for one store serves every later one of this process.

    SQLAlchemy keeps compiled statements by the dialect, of which each engine makes one of its own: most tests open a
    store of their own, and to compile the same statements for it again took a third of their time.
    """
    kind = (type(connection.dialect), *connection.dialect.dispatch.handle_error)
    connection.dialect, compiled = _spoken.setdefault(kind, (connection.dialect, LRUCache(2_000)))
    connection.execution_options(compiled_cache=compiled)


def _postgres_programs() -> Path | None:
    """The folder that holds initdb and pg_ctl, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*found, *([Path(on_path).parent] if on_path else [])]
    return next((path for path in candidates if (path / "initdb").exists() and (path / "pg_ctl").exists()), None)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are processors: a third of the time tests wait, for pages, servers and deadlines.

    With two more they took as long, and a demo beside them more than a minute to open.
    """
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect without looking for garbage: there is none, to look for it took a quarter of the time, and all stays."""
    gc.disable()
    done = yield
    gc.enable()
    gc.freeze()
    return done


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; the others, and the tests of each file, in the order they have."""
    tests = Path(__file__).parent
    rank = {tests / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("needs_postgres") and _postgres_programs() is None:
        pytest.skip("PostgreSQL's programs (initdb, pg_ctl) are not installed")


@dataclass
class Postgres:
    """A PostgreSQL server of this test session, on loopback, with durability switched off."""

    port: int
    count: int = field(default=0)

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres", autocommit=True) as link:
            link.execute(statement.encode())

    def fresh(self, template: str = "template0") -> str:
        """The name of a new database, a copy of `template`."""
        self.count += 1
        name = f"test_{self.count}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} ENCODING 'UTF8'")
        return name


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running server; every pytest-xdist worker has its own."""
    programs = _postgres_programs()
    assert programs is not None, "mark the test with needs_postgres"
    folder = Path(tempfile.mkdtemp(prefix="lw-pg-"))
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        identity = {"user": "postgres", "group": "postgres", "extra_groups": []}

    def call(program: str, *arguments: str) -> None:
        log = folder.with_suffix(".log")
        with log.open("ab") as out:
            done = subprocess.run(
                [programs / program, "-D", folder / "data", *arguments], cwd="/", stdout=out, stderr=out, **identity
            )
        assert done.returncode == 0, log.read_text()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = Postgres(port=free.getsockname()[1])
    quick = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    try:
        call("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
        call("pg_ctl", "-w", "-o", f"-p {server.port} -c listen_addresses=127.0.0.1 -k {folder} {quick}", "start")
        server.run("CREATE DATABASE ready TEMPLATE template0 ENCODING 'UTF8'")
        open_store(server.url("ready"), folder, NOW).close()
        yield server
    finally:
        with ExitStack() as stack:
            stack.callback(folder.with_suffix(".log").unlink, missing_ok=True)
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            if (folder / "data" / "postmaster.pid").exists():
                call("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """Runs the test once on SQLite and once on PostgreSQL."""
    return str(request.param)


@pytest.fixture
def store_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store of one's own: not there yet on SQLite, new and empty on PostgreSQL."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'leaverwatch.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(server.fresh("ready"))


@pytest.fixture
def empty_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place where no store was ever created."""
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'leaverwatch.db'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.url(server.fresh())


@pytest.fixture(scope="session")
def new_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which nothing was written, in a SQLite file: to copy it takes a tenth of making one."""
    file = tmp_path_factory.mktemp("new") / "leaverwatch.db"
    open_store(f"sqlite:///{file}", file.parent, NOW).close()
    return file


@pytest.fixture
def store(store_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty store of the newest form, on both engines."""
    opened = open_store(store_url, tmp_path, NOW)
    yield opened
    opened.close()


MakeHouse = Callable[..., House]


@pytest.fixture
def make_house(tmp_path: Path, new_file: Path) -> Iterator[MakeHouse]:
    """Builds houses: `make_house(settings)`, from Settings or from what the TOML file would say. On SQLite."""
    stores: list[Store] = []

    def build(settings: Settings | dict[str, Any] | None = None, home: Path = tmp_path, url: str = "") -> House:
        told = settings if isinstance(settings, Settings) else parse(settings or {})
        if not url and not (home / new_file.name).exists():
            shutil.copy(new_file, home)
        stores.append(open_store(url or "sqlite:///leaverwatch.db", home, NOW))
        snapshots = home / "snapshots"
        snapshots.mkdir(exist_ok=True)
        return House(home=home, settings=told, store=stores[-1], snapshots=snapshots, origin={})

    yield build
    for opened in stores:
        opened.close()


@pytest.fixture
def settings() -> Settings | dict[str, Any]:
    """The settings of `house`; a test module that needs others defines this fixture itself."""
    return {}


@pytest.fixture
def house(make_house: MakeHouse, settings: Settings | dict[str, Any]) -> House:
    """A house over tmp_path with `settings`, on SQLite."""
    return make_house(settings)
