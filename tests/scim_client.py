"""What a person with curl would do to the demo's SCIM servers, which a test starts as many of as it likes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import requests

from connectors.sandbox.directory import PATCH_OP
from connectors.sandbox.manners import Manners
from connectors.sandbox.scim_server import ScimSandbox

PEOPLE = [
    {"userName": f"p{n}@nwl.example", "externalId": f"e{n}", "displayName": f"P {n}", "active": n != 3}
    for n in range(1, 11)
]
OFF = {"op": "replace", "path": "active", "value": False}


class Client:
    """What a person with curl would do."""

    def __init__(self, server: ScimSandbox, token: str = "t") -> None:
        self.server, self.session = server, requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, timeout: float = 10, **more: Any) -> requests.Response:
        return self.session.request(method, self.server.url + path, timeout=timeout, allow_redirects=False, **more)

    def get(self, path: str, **query: Any) -> requests.Response:
        return self.ask("GET", path, params=query)

    def names(self, **query: Any) -> list[str]:
        return [account["userName"].split("@")[0] for account in self.get("Users", **query).json()["Resources"]]

    def patch(self, account_id: str, *operations: dict[str, Any], **headers: str) -> requests.Response:
        return self.ask(
            "PATCH", f"Users/{account_id}", json={"schemas": [PATCH_OP], "Operations": operations}, headers=headers
        )

    def every_name(self, size: int) -> list[str]:
        """All pages, as the contract says: the next start is what came so far."""
        names, start = [], 1
        while page := self.names(startIndex=start, count=size):
            names, start = names + page, start + len(page)
        return names


@contextlib.contextmanager
def servers() -> Iterator[Callable[..., Client]]:
    """A way to start servers, all of which are stopped at the end."""
    running = []

    def start(people: Any = PEOPLE, groups: Any = (), **manners: Any) -> Client:
        server = ScimSandbox(people, groups=groups, token="t", manners=Manners(**manners)).start()
        running.append((server, client := Client(server)))
        return client

    yield start
    for server, client in running:
        client.session.close()
        server.stop()
