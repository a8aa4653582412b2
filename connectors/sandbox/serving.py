"""All applications of the invented company on one loopback port, each at `/NAME`.

with Sandbox([application]) as sandbox:
    sandbox.url(application.name)  # http://127.0.0.1:PORT/NAME/
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable
from types import TracebackType
from typing import Final, Self

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.sandbox import apis
from connectors.sandbox.exchange import Seen, list_key, told
from connectors.sandbox.faults import Answered, Faults, deliver
from connectors.sandbox.model import SandboxApplication

log = logging.getLogger("leaverwatch.sandbox")
HOST: Final = "127.0.0.1"
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Sandbox:
    """The applications, answering in a thread until `stop`. `requests` is what was asked, `faults` what goes wrong."""

    def __init__(
        self,
        applications: Iterable[SandboxApplication],
        port: int = 0,
        *,
        remember: bool = True,
        extra: ASGIApp | None = None,
        changed: Callable[[SandboxApplication], None] | None = None,
    ) -> None:
        self.applications: dict[str, SandboxApplication] = {}
        self.requests: list[Seen] = []
        self.faults: dict[str, Faults] = {}
        self.stopping = threading.Event()
        self.remember = remember
        self.changed = changed  # told of every change before it is answered
        self.app = Starlette(routes=[Mount("/-", app=extra)] if extra else [])
        for application in applications:
            self.add(application)
        self._port = port
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def add(self, application: SandboxApplication) -> None:
        """Answer for one more application; also while it runs."""
        self.applications[application.name] = application
        front = _Front(Router(apis.routes(application)), application, self)
        self.app.router.routes.append(Mount(f"/{application.name}", app=front))

    def start(self) -> Self:
        """Begin to answer; OSError when the port is taken."""
        # With the protocol named, asyncio switches Nagle's algorithm off: else every answer waits 40 ms.
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, self._port))
            listening.listen(2048)
        except OSError:
            listening.close()
            raise
        self._port, self._socket = listening.getsockname()[1], listening
        config = uvicorn.Config(
            self.app,
            log_config=None,
            log_level="critical",  # a connection broken off on request is no news
            access_log=False,
            lifespan="off",
            ws="none",
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="sandbox", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """End every connection and wait until nothing runs; twice is the same as once."""
        self.stopping.set()
        if self._server is not None and self._thread is not None and self._socket is not None:
            self._server.should_exit = True
            self._thread.join(10)
            self._socket.close()
            self._server = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def url(self, name: str) -> str:
        """Where an application stands; ends in a slash."""
        if name not in self.applications:
            raise KeyError(name)
        return f"http://{HOST}:{self._port}/{name}/"

    def asked(self, name: str) -> list[Seen]:
        """The requests to one application, in the order they were answered."""
        return [seen for seen in self.requests if seen.application == name]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Front:
    """What stands before one application: it remembers requests and makes them go wrong."""

    def __init__(self, app: ASGIApp, application: SandboxApplication, sandbox: Sandbox) -> None:
        self._app, self._application, self._sandbox = app, application, sandbox
        self._failure = apis.failure(application.vendor)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        query = scope["query_string"].decode("latin-1")
        body = await _whole(receive)
        scope = {**scope, "app_root_path": root, apis.BODY: body}  # so that `request.base_url` ends in /NAME/
        faults = self._sandbox.faults.get(self._application.name, _NONE)
        hit = faults is not _NONE and faults.hits(path)
        faults = faults if hit else _NONE
        if faults.delay_s:
            await self._rest(faults.delay_s)
        refusal = faults.refusal(path, query) if hit else None
        if refusal is not None:
            status, words, headers = refusal
            refused = self._failure(status, words)
            raw = [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()]
            answer = Answered(refused.status_code, [*_typed(refused.raw_headers), *raw], bytes(refused.body))
        else:
            answer = await self._honest(scope, body, faults)
            if hit:
                answer = faults.spoil(path, list_key(path, query, body), answer)
        if self._sandbox.remember:
            seen = told(self._application, scope, body, answer, spoiled=hit)
            self._sandbox.requests.append(seen)
        await deliver(answer, faults, send, self._rest)

    async def _honest(self, scope: Scope, body: bytes, faults: Faults) -> Answered:
        if scope["method"] in _READING:
            return await _called(self._app, scope, body)
        application = self._application
        before = application.state() if faults.lie else None
        counted = _counted(application)
        answer = await _called(self._app, scope, body)
        if before is not None:
            application.restore(before)
        elif self._sandbox.changed is not None and _counted(application) != counted:
            await run_in_threadpool(self._sandbox.changed, application)
        return answer

    async def _rest(self, seconds: float) -> None:
        """Sleep, but not beyond the sandbox's end."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0 and not self._sandbox.stopping.is_set():
            await asyncio.sleep(min(left, 0.05))


_NONE: Final = Faults()


def _counted(application: SandboxApplication) -> tuple[int, ...]:
    """Changes with every change: all of them leave an event, or a credential less."""
    return len(application.events), len(application.grants), len(application.credentials)


async def _whole(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _called(app: ASGIApp, scope: Scope, body: bytes) -> Answered:
    """The whole answer of an ASGI application."""
    status, headers, parts = 500, [], []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        return given.pop() if given else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message["headers"])
        else:
            parts.append(message.get("body", b""))

    call: Callable[..., Awaitable[None]] = app
    try:
        await call(scope, receive, send)
    except Exception:
        log.exception("%s %s: the sandbox itself is at fault", scope["method"], scope["path"])
        return Answered(500, [], b"")
    return Answered(status, headers, b"".join(parts))


def _typed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    return [(k, v) for k, v in headers if k != b"content-length"]
