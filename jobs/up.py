"""`leaverwatch up`: worker and dashboard as two processes, started together and stopped together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from governance.errors import LeaverwatchError

ADDRESS: Final = "127.0.0.1"
PORT: Final = 8501
APP: Final = Path(__file__).resolve().parent.parent / "app.py"
PATIENCE_S: Final = 15.0  # for a clean end; then it is ended hard


@contextlib.contextmanager
def stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, once; a second Ctrl-C ends at once."""
    stop = threading.Event()

    def asked(number: int, _frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, asked) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def free_port(wanted: int = PORT, tries: int = 50) -> int:
    """The port, or the next one nobody listens on."""
    for port in range(wanted, wanted + tries):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError:
                continue
            return port
    raise LeaverwatchError(f"no port between {wanted} and {wanted + tries - 1} is free")


def worker_command() -> list[str]:
    """How the worker is started as a process of its own."""
    return [sys.executable, "-m", "jobs", "worker"]


def dashboard_command(port: int, address: str = ADDRESS) -> list[str]:
    """How the dashboard is started: Streamlit, on loopback unless told, without asking and without telling anybody."""
    options = {
        "server.address": address,
        "server.port": str(port),
        "server.headless": "true",
        "browser.gatherUsageStats": "false",
        "server.fileWatcherType": "none",
    }
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-m", "streamlit", "run", str(APP), *given]


@contextlib.contextmanager
def together(commands: Mapping[str, Sequence[str]], environ: Mapping[str, str]) -> Iterator[Callable[[], str | None]]:
    """Run these programs; yields who has ended, if any has. At the end all are asked to stop and waited for.

    Each gets a session of its own, so that Ctrl-C reaches only this process, which stops them in order.
    """
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            running[name] = subprocess.Popen(  # noqa: S603 - our own programs, no shell
                list(command), env=dict(environ), start_new_session=True, cwd=APP.parent
            )
        yield lambda: next((name for name, program in running.items() if program.poll() is not None), None)
    finally:
        for program in running.values():
            with contextlib.suppress(ProcessLookupError):
                program.terminate()
        for program in running.values():
            try:
                program.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def up(
    home: Path,
    environ: Mapping[str, str],
    port: int,
    stop: threading.Event,
    ready: Callable[[str], None] = lambda _: None,
    address: str = ADDRESS,
) -> None:
    """Worker and dashboard until `stop` is set; LeaverwatchError when one of them ends by itself."""
    inherited = {**environ, "LEAVERWATCH_HOME": str(home)}
    commands = {"worker": worker_command(), "dashboard": dashboard_command(port, address)}
    with together(commands, inherited) as ended:
        told = False
        while not stop.wait(0.2):
            if gone := ended():
                raise LeaverwatchError(f"the {gone} has ended by itself; its last words stand above")
            if not told and listening(port, address):
                told = True
                ready(f"http://{address}:{port}")


def listening(port: int, address: str = ADDRESS) -> bool:
    """Whether somebody answers on this port, of loopback unless told."""
    try:
        socket.create_connection((address, port), 0.5).close()
    except OSError:
        return False
    return True


def become_dashboard(home: Path, environ: Mapping[str, str], port: int, address: str = ADDRESS) -> None:
    """Turn this process into the dashboard."""
    command = dashboard_command(port, address)
    os.chdir(APP.parent)
    os.execve(command[0], command, {**environ, "LEAVERWATCH_HOME": str(home)})  # noqa: S606 - our own program
