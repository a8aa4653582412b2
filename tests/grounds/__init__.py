"""Where the applications of tenants stand that do not speak HTTP: a directory, a database, a folder, an SFTP server.

Each is the real thing. A ground has what `connectors.sandbox.serving.Sandbox` has as far as the suite asks for it, and
misbehaves by the same `Faults`; `show` brings what stands there up to date before anybody reads it.
"""

from __future__ import annotations

import json
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from connectors.sandbox.exchange import Seen
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxApplication

NONE = Faults()


class Ground(ABC):
    """What all of them share. `fill` writes one application down; it is called only when something has changed."""

    at_the_wire = False  # faults change nothing of what stands here, only what arrives

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.applications: dict[str, SandboxApplication] = {}
        self.faults: dict[str, Faults] = {}
        self.requests: list[Seen] = []
        self._lock = threading.RLock()
        self._shown: dict[str, Any] = {}

    def add(self, application: SandboxApplication) -> None:
        """Put one more application here."""
        with self._lock:
            self.applications[application.name] = application
        self.show(application)

    def show(self, application: SandboxApplication) -> None:
        """Bring what stands here up to date."""
        with self._lock:
            faults = self.faults.get(application.name, NONE)
            now = (application.state(), self.at_the_wire or id(faults))
            if self._shown.get(application.name) != now:
                self.fill(application, faults)
                self._shown[application.name] = now

    def asked(self, name: str) -> list[Seen]:
        """What was asked of one application, as far as it can be seen."""
        return [seen for seen in self.requests if seen.application == name]

    def note(self, name: str, method: str, path: str, what: str = "", credential: str | None = None) -> None:
        """Remember that something was asked."""
        self.requests.append(Seen(name, method, path, {"filter": what}, None, {}, credential))

    @abstractmethod
    def url(self, name: str) -> str:
        """Where an application stands, as its tenant's options want it."""

    @abstractmethod
    def fill(self, application: SandboxApplication, faults: Faults) -> None:
        """Write the application down anew."""

    @abstractmethod
    def state(self, name: str) -> Any:
        """What really stands here."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""


def spoiled(rows: list[dict[str, Any]], faults: Faults, path: str) -> list[dict[str, Any]]:
    """The rows as they arrive: the second third lost, or changed like an answer in JSON."""
    if faults.lose_page:
        third = max(1, len(rows) // 3)
        rows = rows[:third] + rows[2 * third :]
    if faults.mutate is not None:
        changed = faults.mutate(path, {"rows": json.loads(json.dumps(rows))})
        rows = changed.get("rows", [changed])
    return rows


def as_cell(value: Any) -> str:
    """A value in a place that only holds text."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
