"""What each connector costs beyond the floor: the same requests made with `requests` and read with `json` alone.

The sandbox answers each request once, in the vendor's own shape; what is measured reads the answers from memory.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from jobs.bench import Figure
from jobs.bench_company import TOKEN, written
from jobs.bench_reading import SPAWN, Measured, measured
from jobs.bench_replay import Asked, serve


@dataclass(frozen=True)
class Vendor:
    """How a connector reads from the sandbox."""

    name: str
    options: Callable[[str], dict[str, Any]] = lambda url: {"base_url": url}
    secrets: tuple[str, ...] = ("token",)
    source: bool = False
    closed: bool = True  # whether closed accounts are listed at all
    settings: Mapping[str, Any] = field(default_factory=dict)  # of the sandbox's application


VENDORS: Final = {
    vendor.name: vendor
    for vendor in (
        Vendor("bamboohr", source=True),
        Vendor("hibob", lambda url: {"base_url": url, "service_user": "SERVICE-1"}, source=True),
        Vendor("personio", lambda url: {"base_url": url, "client_id": "reader"}, source=True),
        Vendor(
            "successfactors",
            lambda url: {"base_url": url, "company_id": "NWL", "username": "reader"},
            ("password",),
            source=True,
        ),
        Vendor(
            "workday",
            lambda url: {"base_url": url, "tenant": "nwl", "report": "hr/Leaverwatch", "username": "ISU"},
            ("password",),
            source=True,
        ),
        Vendor("okta"),
        Vendor(
            "entra",
            lambda url: {"base_url": f"{url}v1.0/", "login_url": url, "tenant": "nwl.example", "client_id": "reader"},
            ("client_secret",),
            settings={"permissions": ["User.Read.All", "GroupMember.Read.All", "AuditLog.Read.All"]},
        ),
        Vendor(
            "google_workspace",
            lambda url: {"base_url": url, "token_url": f"{url}token", "subject": "admin@example.com"},
        ),
        Vendor("github", lambda url: {"base_url": url, "organization": "nwl"}, closed=False),
        Vendor(
            "slack",
            lambda url: {"base_url": f"{url}api/", "scim_url": f"{url}scim/v2/", "audit_url": f"{url}audit/v1/"},
        ),
        Vendor("jira", lambda url: {"base_url": url, "email": "reader@nwl.example"}),
        Vendor("confluence", lambda url: {"base_url": f"{url}wiki/", "email": "reader@nwl.example"}),
        Vendor("salesforce", lambda url: {"base_url": url, "client_id": "reader"}),
    )
}


def run(accounts: int, now: datetime) -> Iterator[Figure]:
    """Every connector over so many accounts or people, beside its floor."""
    for name in VENDORS:
        here, there = SPAWN.Pipe()
        server = SPAWN.Process(target=serve, args=(name, accounts, now, there), daemon=True)
        server.start()
        try:
            url = f"http://127.0.0.1:{here.recv()}/{name}/"
            measured(connected, name, url, now)  # makes the answers; not counted
            here.send("asked")
            asked = here.recv()
            floor = measured(floor_of, url, asked)
            yield _figure(name, measured(connected, name, url, now), floor, accounts)
        finally:
            server.terminate()
            server.join()
    with TemporaryDirectory(prefix="leaverwatch-bench-") as folder:
        path = Path(folder, "hr.csv")
        written(path, accounts)
        yield _figure("hr_csv", measured(file_read, str(path), now), measured(file_floor, str(path)), accounts)


def _figure(name: str, took: Measured, floor: Measured, accounts: int) -> Figure:
    if took.seen != accounts:
        raise RuntimeError(f"{name} read {took.seen} of {accounts}")
    each = 1e6 / accounts
    note = (
        f"{took.cpu:.2f} s of CPU, {took.cpu / floor.cpu:.2f} times the floor; for each of {accounts:,}:"
        f" {took.cpu * each:.1f} µs, the floor {floor.cpu * each:.1f} µs"
    )
    return Figure(f"read: {name}", took.seconds, took.peak_mib, 0.0, note)


def connected(name: str, url: str, now: datetime) -> Callable[[], int]:
    """The connector, ready to read."""
    vendor = VENDORS[name]
    options = vendor.options(url) | {name: {"env": "T"} for name in vendor.secrets}
    secret = _service_account() if name == "google_workspace" else TOKEN
    return reader(vendor.name, options, dict.fromkeys(vendor.secrets, secret), now)


def _service_account() -> str:
    """A key file of a Google service account; the sandbox takes any."""
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(2048).as_pem(private=True).decode()
    told = {"type": "service_account", "client_id": "1" * 21, "client_email": "bench@example.com"}
    return json.dumps({**told, "private_key_id": "bench", "private_key": key})


def reader(name: str, options: dict[str, Any], secrets: dict[str, str], now: datetime) -> Callable[[], int]:
    """What reads everything as a pull takes it, and says how many accounts or people came."""
    from connectors.kit.contract import Circumstances, connector_class
    from governance.records import Account, Identity, Rows
    from governance.settings import ApplicationSettings, SourceSettings

    kind = connector_class(name)
    settings = SourceSettings if kind.kind == "source" else ApplicationSettings
    feed = settings.model_validate({"name": "bench", "connector": name, **options})
    # The limits are those of a vendor; nobody else asks here.
    given = Circumstances(now=now, home=Path(), secrets=secrets, deadline_s=3600, limit_share=1e6)
    connector = kind(feed, given)

    def read() -> int:
        seen = 0
        for portion in connector.portions():
            if isinstance(portion, Rows):
                seen += len(portion) if portion.kind in (Account, Identity) else 0
            else:
                seen += isinstance(portion, Account | Identity)
        return seen

    return read


def floor_of(url: str, asked: list[Asked]) -> Callable[[], int]:
    """The same requests, and nothing done with the answers but reading them as JSON."""
    import requests

    origin = url.partition("//")[2].partition("/")[0]

    def read() -> int:
        with requests.Session() as session:
            for one in asked:
                sent = {**one.headers, "Host": origin}
                answer = session.request(
                    one.method, f"http://{origin}{one.path}", headers=sent, data=one.body, timeout=60
                )
                json.loads(answer.content)
        return len(asked)

    return read


def file_read(path: str, now: datetime) -> Callable[[], int]:
    """The connector over a file."""
    return reader("hr_csv", {"path": path}, {}, now)


def file_floor(path: str) -> Callable[[], int]:
    """The rows of the file by their columns, and nothing done with them."""

    def read() -> int:
        with Path(path).open(encoding="utf-8", newline="") as file:
            return sum(1 for _ in csv.DictReader(file))

    return read
