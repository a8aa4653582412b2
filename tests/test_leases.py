"""Leases, on SQLite and on PostgreSQL: one holds, its death frees it, and who lost one writes nothing more."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import NOW
from pins import pin, pins, start

from governance.errors import StoreError
from governance.store import Contender, LeaseLost, Store, open_store

# --- leases


HOLDER = """
import sys
from pathlib import Path
from conftest import NOW
from governance.store import open_store
with open_store(sys.argv[1], Path(sys.argv[2]), NOW).lease("worker") as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def soon_free(store: Store, name: str = "worker") -> bool:
    """Within five seconds: a server or a child needs a moment to notice."""
    for _ in range(100):
        with store.lease(name) as held:
            if held:
                return True
        threading.Event().wait(0.05)
    return False


def test_one_process_holds_a_lease_and_kill_9_frees_it(store: Store, store_url: str, tmp_path: Path) -> None:
    holder = start(HOLDER, store_url, tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    with store.lease("worker") as held, store.lease("another") as free:
        assert (held, free) == (False, True)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert soon_free(store)


def test_a_lease_is_given_back_and_excludes_threads_too(store: Store) -> None:
    with store.lease("worker") as first, store.lease("worker") as second:
        assert (first, second) == (True, False)
    with pytest.raises(KeyError), store.lease("worker"):
        raise KeyError("on purpose")
    with store.lease("worker") as third:
        assert third


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_forked_child_does_not_keep_its_parents_lease(store: Store) -> None:
    with store.lease("worker"):
        child = os.fork()
        if child == 0:
            threading.Event().wait(30)
            os._exit(0)
    try:
        assert soon_free(store)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


# --- leases for long work: a fencing token


def never(store: Store, name: str = "worker") -> Contender:
    """One who takes the lease only from the dead."""
    return Contender(store, name, silent_s=float("inf"))


def test_every_taking_has_a_higher_token_and_only_one_holds(store: Store) -> None:
    for token in (1, 2, 3):
        with (
            never(store).take(NOW) as fence,
            never(store).take(NOW) as other,
            never(store, "another").take(NOW) as free,
        ):
            assert fence is not None
            assert free is not None
            assert (fence.token, other, free.token) == (token, None, token)
    if store.file is not None:
        locks = [path.name for path in store.file.parent.glob("*.worker.*.lock")]
        assert locks == ["leaverwatch.db.worker.3.lock"]


def test_who_lost_the_lease_can_write_nothing(store: Store) -> None:
    """The lock goes, as when a server drops one connection; the row alone says who may write."""
    with ExitStack() as first:
        fence = first.enter_context(never(store).take(NOW))
        assert fence is not None
        held = store.fenced(fence)
        with held.write() as session:
            session.add(pin(1))
        with held.write() as session:
            session.connection().exec_driver_sql("UPDATE lease SET token = 2, holder = 'somebody'")
        told = r"lease worker \(token 1\) is lost: somebody took it \(token 2\)"
        with pytest.raises(LeaseLost, match=told), held.write() as session:
            session.add(pin(2))
        with store.write() as session:  # who works without that lease is not concerned
            session.add(pin(3))
    assert pins(store) == 2


def test_of_many_that_contend_one_wins(store: Store) -> None:
    ready, done, won = threading.Barrier(8), threading.Event(), []

    def contend() -> None:
        ready.wait()
        with never(store).take(NOW) as fence:
            if fence is not None:
                won.append(fence.token)
                done.wait(10)

    for expected in (1, 2, 3, 4, 5):
        threads = [threading.Thread(target=contend) for _ in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(200):
            if len(won) == expected and sum(thread.is_alive() for thread in threads) == 1:
                break
            threading.Event().wait(0.05)
        assert len(won) == expected, won
        done.set()
        for thread in threads:
            thread.join()
        done.clear()
        ready.reset()
    assert won == [1, 2, 3, 4, 5]


def test_a_silent_holder_is_passed_over_but_keeps_what_guards_calls(
    store: Store, store_url: str, tmp_path: Path
) -> None:
    other = open_store(store_url, tmp_path, NOW)
    waiting = Contender(other, "worker", silent_s=0.5, left=["calls"])
    with never(store).take(NOW) as fence, store.lease("pull-crm"), store.lease("calls"):
        assert fence is not None
        for _ in range(4):
            never(store).beat(fence)
            with waiting.take(NOW) as second:
                assert second is None, "it lives"
            threading.Event().wait(0.2)
        threading.Event().wait(0.4)
        with waiting.take(NOW) as second, other.lease("calls") as calls:
            assert second is not None
            assert (second.token, calls) == (2, False)
            assert soon_free(other, "pull-crm")
        with pytest.raises(StoreError):
            never(store).beat(fence)
    other.close()


def test_who_can_take_its_own_lock_has_lost_it(store: Store) -> None:
    contender = never(store)
    with contender.take(NOW) as fence:
        assert fence is not None
        contender.beat(fence)
        if store.file is not None:
            store.file.with_name("leaverwatch.db.worker.1.lock").unlink()
        else:
            with store.engine.connect() as connection:
                held = "FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                connection.exec_driver_sql(f"SELECT pg_terminate_backend(pid) {held}")
                for _ in range(200):  # it ends when it comes to it
                    if not connection.exec_driver_sql(f"SELECT 1 {held}").all():
                        break
                    threading.Event().wait(0.05)
        with pytest.raises(LeaseLost, match=r"the lock of lease worker \(token 1\) is gone"):
            contender.beat(fence)
    with never(store).take(NOW) as fence:
        assert fence is not None
        assert fence.token == 2


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.needs_postgres)], indirect=True)
def test_a_silent_holder_in_the_middle_of_a_write_holds_nobody_up(store: Store, store_url: str, tmp_path: Path) -> None:
    """With SQLite only the end of its process frees the file; the others wait and say so."""
    other = open_store(store_url, tmp_path, NOW)
    waiting, token = Contender(other, "worker", silent_s=0.5), 0
    with never(store).take(NOW) as fence:
        assert fence is not None
        with pytest.raises(StoreError), store.fenced(fence).write() as session:  # noqa: PT012
            session.add(pin())
            session.flush()
            for _ in range(50):
                with waiting.take(NOW) as second:
                    token = second.token if second else 0
                if token:
                    break
                threading.Event().wait(0.1)
    assert (token, pins(other)) == (2, 0)
    other.close()


@pytest.mark.parametrize("engine", [pytest.param("postgresql", marks=pytest.mark.needs_postgres)], indirect=True)
def test_a_sign_of_life_waits_for_no_long_write(store: Store, store_url: str, tmp_path: Path) -> None:
    other = open_store(store_url, tmp_path, NOW)
    contender = never(store)
    with contender.take(NOW) as fence, other.write():
        assert fence is not None
        contender.beat(fence)
    other.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_silent_holder_in_the_middle_of_a_write_is_named(
    store: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_store(store_url, tmp_path, NOW)
    waiting = Contender(other, "worker", silent_s=0.3)
    monkeypatch.setattr("governance.store.transactions.PATIENCE_SECONDS", 0.0)  # or the test would take a minute
    with other.engine.connect() as connection:
        raw = connection.connection.dbapi_connection
        assert raw is not None
        raw.execute("PRAGMA busy_timeout=100")
    with never(store).take(NOW) as fence, store.write():
        assert fence is not None
        told = rf"database is locked; nothing was written; \S+ {os.getpid()} \w+ \(host, process\) holds lease worker"
        with pytest.raises(StoreError, match=told):  # noqa: PT012
            for _ in range(50):
                with waiting.take(NOW):
                    threading.Event().wait(0.1)
    other.close()
