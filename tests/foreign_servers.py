"""SCIM servers that are not ours, started for a test on loopback: scim2-server and Canaille."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

TOKEN = "canary-4c1f9b"
CANAILLE = Path(sys.prefix) / "canaille" / "bin" / "canaille"


def missing(server: str) -> str | None:
    """Why that server cannot run here."""
    if server == "scim2-server" and shutil.which("scim2-server", path=Path(sys.executable).parent) is None:
        return "scim2-server is not installed (tests/requirements.lock)"
    if server == "canaille" and not CANAILLE.exists():
        return f"Canaille is not installed at {CANAILLE} (make test installs it from tests/canaille.lock)"
    return None


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running(server: str, folder: Path) -> Iterator[str]:
    """The base URL of a running server; it ends with the block."""
    port = free_port()
    start = _scim2_server if server == "scim2-server" else _canaille
    with (folder / f"{server}.log").open("wb") as log:
        process, base = start(port, folder, log)
        try:
            _await(base, process, folder / f"{server}.log")
            yield base
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(10)


def _await(base: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, log.read_text()
        try:
            requests.get(base, timeout=1)
        except (requests.ConnectionError, requests.Timeout):  # a busy machine may take longer to answer than that
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def _scim2_server(port, folder, log):
    command = [Path(sys.executable).parent / "scim2-server", "--port", str(port), "--bearer-token", TOKEN]
    process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    return process, f"http://127.0.0.1:{port}/v2/"


def _canaille(port, folder, log):
    told = os.environ | {
        "CANAILLE__SECRET_KEY": "only for this test",
        "CANAILLE__SERVER_NAME": f"127.0.0.1:{port}",
        "CANAILLE__PREFERRED_URL_SCHEME": "http",
        "CANAILLE__DATABASE": "sql",
        "CANAILLE_SQL__DATABASE_URI": f"sqlite:///{folder / 'canaille.db'}",
        "CANAILLE_SCIM__ENABLE_SERVER": "true",
    }

    def call(*arguments):
        done = subprocess.run([CANAILLE, *arguments], cwd=folder, env=told, stdout=log, stderr=log, check=False)
        assert done.returncode == 0, (folder / "canaille.log").read_text()

    call("db", "upgrade")
    client = ("--client-id", "lw", "--client-secret", "not secret", "--client-name", "lw", "--scope", "openid")
    call("create", "client", *client, "--grant-types", "client_credentials")
    life = ("--issue-date", "2026-01-01T00:00:00+00:00", "--lifetime", "999999999")
    call(
        "create",
        "token",
        "--token-id",
        "t",
        "--access-token",
        TOKEN,
        "--client",
        "lw",
        "--type",
        "bearer",
        "--scope",
        "openid",
        *life,
    )
    command = [CANAILLE, "run", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=folder, env=told, stdout=log, stderr=log, start_new_session=True)
    return process, f"http://127.0.0.1:{port}/scim/v2/"


def hire(base: str, count: int) -> dict[str, str]:
    """Create that many accounts; returns username -> id."""
    found = {}
    for n in range(count):
        answer = requests.post(
            f"{base}Users",
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/scim+json"},
            json={
                "schemas": [
                    "urn:ietf:params:scim:schemas:core:2.0:User",
                    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                ],
                "userName": f"person{n}",
                "active": True,
                "name": {"givenName": "Person", "familyName": f"Number {n}", "formatted": f"Person Number {n}"},
                "emails": [{"value": f"person{n}@nwl.example"}],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"employeeNumber": f"{n:05}"},
            },
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        found[f"person{n}"] = answer.json()["id"]
    return found


def is_active(base: str, id: str) -> bool:
    """What the server itself says of an account, asked without any of our code."""
    answer = requests.get(f"{base}Users/{id}", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["active"]
