"""The dashboard by itself over a house that is there: no worker, and nobody answers for the invented company."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


@contextmanager
def dashboard_alone(folder: Path, port: int | None = None, more: Mapping[str, str] | None = None) -> Iterator[str]:
    """Its address, on a free port unless told; it ends with the block. What it says lies in `dashboard.log` there."""
    if port is None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    environ = os.environ | {"LEAVERWATCH_HOME": str(folder), "LEAVERWATCH_DASHBOARD": f"127.0.0.1:{port}"}
    with (folder / "dashboard.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environ | dict(more or {}), stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert process.poll() is None
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)
