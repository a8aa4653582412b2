"""The page of reviewing.py in a process of its own, which can be killed and started again at the same address."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


class ReviewServer:
    """Serves what lies in the folder; what it stores lies there too."""

    def __init__(self, folder: Path) -> None:
        """Nothing is started yet; the port is chosen."""
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        script = [sys.executable, "-m", "streamlit", "run", "tests/browser/reviewing.py"]
        options = ["--server.port", str(self.port), "--server.enableStaticServing", "false", "--", str(self.folder)]
        with (self.folder / "log").open("ab") as out:
            self.process = subprocess.Popen([*script, *options], cwd=ROOT, stdout=out, stderr=out)
        for _ in range(600):
            assert self.process.poll() is None, (self.folder / "log").read_text()
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)

    def kill(self) -> None:
        """End it at once, as when a machine loses its power."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def begin(self, rows: Sequence[dict[str, Any]], *how: str) -> None:
        """Nothing is decided of these rows, and the page behaves in these ways."""
        for path in self.folder.iterdir():
            if path.name != "log":
                path.unlink()
        (self.folder / "rows.json").write_text(json.dumps(rows))
        for name in how:
            self.behave(name)

    def behave(self, name: str, content: str = "") -> None:
        """Be `slow`, `mute`, `restless`, `closed` or a `preview`, or refuse."""
        (self.folder / name).write_text(content)

    def behave_no_more(self, name: str) -> None:
        """The opposite."""
        (self.folder / name).unlink()

    def decisions(self) -> list[dict[str, Any]]:
        """What is stored, in the order it came."""
        path = self.folder / "decisions.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
