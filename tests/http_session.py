"""A session of the HTTP kit, and what one request over it gives from a server that answers exactly what a test says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors.kit.addresses import check_base
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from governance.errors import LeaverwatchError
from tests.feeds import NOW, TOKEN
from tests.wild_server import Behaviour, WildServer

WHERE = "leaverwatch.toml: [[application]] wiki"
# Long beside what any of these requests takes, also where the machine is busy: only tests of deadlines give a short one.
DEADLINE_S = 30.0


def session(
    url: str,
    deadline_s: float = DEADLINE_S,
    max_answer_bytes: int = 1024 * 1024,
    token: str | None = TOKEN,
    **more: Any,
) -> Http:
    given = Circumstances(NOW, Path("/nowhere"), deadline_s=deadline_s, max_answer_bytes=max_answer_bytes)
    return Http(check_base(url, WHERE), given, "wiki", token=token, **more)


def ask(
    *behaviours: Behaviour, deadline_s: float = DEADLINE_S, path: str = "Users", **more: Any
) -> tuple[Any, WildServer]:
    """What one GET gives, or the error, and what the server saw."""
    with WildServer(*behaviours) as server:
        http = session(server.url, deadline_s, **more)
        try:
            return http.get(path), server
        except LeaverwatchError as error:
            return error, server
        finally:
            http.close()
