"""`leaverwatch bench --connectors`: what reading over HTTP costs beyond the bare floor, `requests` and `json` alone.

Server and reader are processes of their own, so that only the reader is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import orjson

from jobs import bench_vendors, home
from jobs.bench import Figure
from jobs.bench_reading import SPAWN, measured

PAGE: Final = 1_000
EXTENSION: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TOKEN: Final = "bench"  # noqa: S105 - the server is this machine's own and holds nothing


def run(accounts: int, now: datetime) -> Iterator[Figure]:
    """The floor, the connectors and whole pulls over so many accounts, each in a fresh process; then every vendor."""
    here, there = SPAWN.Pipe()
    server = SPAWN.Process(target=_serve, args=(accounts, there), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{here.recv()}/"
        floor = 0.0
        readers = {"floor": _floor, "scim": _scim, "rest": _rest, "scim, pulled and published": _pull}
        for name, read in (readers | {"scim, and pulled once more": _pull_again}).items():
            took = measured(_prepared, read, url, now)
            if took.seen != accounts:
                raise RuntimeError(f"{name} read {took.seen} of {accounts} accounts")
            floor = floor or took.cpu
            note = f"{took.cpu:.2f} s of CPU, {took.cpu / floor:.2f} times the floor; {took.seen:,} accounts"
            yield Figure(f"read over HTTP: {name}", took.seconds, took.peak_mib, 0.0, note)
    finally:
        server.terminate()
        server.join()
    yield from bench_vendors.run(accounts, now)


def _prepared(prepare: Callable[[str, datetime], Callable[[], int]], url: str, now: datetime) -> Callable[[], int]:
    return prepare(url, now)  # what is imported for it is not counted, on either side


def _floor(url: str, now: datetime) -> Callable[[], int]:
    import requests

    def read() -> int:
        seen = 0
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {TOKEN}"
            while True:
                page = session.get(f"{url}Users", params={"startIndex": seen + 1, "count": PAGE}, timeout=60).json()
                seen += len(page["Resources"])
                if not page["Resources"] or seen >= page["totalResults"]:
                    return seen

    return read


def _reader(name: str, url: str, now: datetime, **options: Any) -> Callable[[], int]:
    told = {"base_url": url, "token": {"env": "T"}, **options}
    return bench_vendors.reader(name, told, {"token": TOKEN}, now)


def _scim(url: str, now: datetime) -> Callable[[], int]:
    return _reader("scim", url, now, page_size=PAGE)


def _rest(url: str, now: datetime) -> Callable[[], int]:
    told = {
        "accounts": {
            "path": "Users",
            "items": "Resources",
            "total": "totalResults",
            "paging": "offset",
            "offset_param": "startAfter",
            "size_param": "count",
            "size": PAGE,
        },
        "fields": {
            "account_id": "id",
            "username": "userName",
            "email": "emails[0].value",
            "display_name": "displayName",
            "active": "active",
            "created_at": "meta.created",
            "employee_id": f'"{EXTENSION}".employeeNumber',
        },
    }
    return _reader("rest", url, now, **told)


def _pull(url: str, now: datetime) -> Callable[[], int]:
    return _puller(url, [now])


def _pull_again(url: str, now: datetime) -> Callable[[], int]:
    """The first time is counted too: one process has one peak."""
    return _puller(url, [now, now + timedelta(days=1)])


def _puller(url: str, times: Sequence[datetime]) -> Callable[[], int]:
    import os

    from governance.house import House
    from governance.settings import parse
    from governance.store import open_store
    from jobs.pull import pull

    os.environ["LEAVERWATCH_BENCH"] = TOKEN
    feed = {"name": "bench", "connector": "scim", "base_url": url, "page_size": PAGE, "deadline": "1h"}
    settings = parse({"application": [{**feed, "token": {"env": "LEAVERWATCH_BENCH"}}]})

    def read() -> int:
        with TemporaryDirectory(prefix="leaverwatch-bench-") as name:
            folder = Path(name)
            store = open_store("sqlite:///leaverwatch.db", folder, times[0])
            house = House(folder, settings, store, folder / "snapshots", {})
            house.snapshots.mkdir()
            kept = [pull(house, [], now, connect=home.connect)[0].kept for now in times]
            store.close()
            return kept[-1]

    return read


def _serve(accounts: int, pipe: Connection) -> None:
    """A SCIM server of so many accounts, by arithmetic."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            """One page."""
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            count = min(int(query.get("count", PAGE)), PAGE)
            begin = int(query["startAfter"]) if "startAfter" in query else int(query.get("startIndex", 1)) - 1
            there = accounts if parts.path == "/Users" else 0
            part = [_account(n) for n in range(begin, min(begin + count, there))]
            body = orjson.dumps({"totalResults": there, "startIndex": begin + 1, "Resources": part})
            self.send_response(200)
            self.send_header("Content-Type", "application/scim+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_address[1])
    server.serve_forever()


def _account(n: int) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", EXTENSION],
        "id": f"{n:08x}-4f1c-4c1e-9d2e-0123456789ab",
        "userName": f"p{n}@example.com",
        "displayName": f"Person {n}",
        "name": {"givenName": "Person", "familyName": str(n)},
        "emails": [{"value": f"p{n}@example.com", "type": "work", "primary": True}],
        "active": n % 9 != 0,
        "meta": {"resourceType": "User", "created": f"2024-{n % 12 + 1:02}-{n % 28 + 1:02}T08:00:00Z"},
        EXTENSION: {"employeeNumber": str(n), "department": "Sales"},
    }
