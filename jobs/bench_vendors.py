"""What each connector costs beyond the floor: the same requests made with `requests` and read with `json` alone.

The sandbox answers each request once, in the vendor's own shape; what is measured reads the answers from memory.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from jobs.bench import Figure
from jobs.bench_reading import SPAWN, Measured, measured
from jobs.bench_replay import Asked, serve

if TYPE_CHECKING:
    from connectors.sandbox.model import SandboxApplication
    from connectors.sandbox.workforce import SandboxPerson

DEPARTMENTS: Final = ("Finance", "Sales", "Engineering", "Support", "Legal", "People")
ZONES: Final = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Melbourne", None)
COLUMNS: Final = (
    "employee_id", "status", "work_email", "hire_date", "termination_date", "worker_type", "contract_end_date",
    "manager_employee_id", "department", "job_title", "time_zone", "display_name",
)  # fmt: skip
TOKEN: Final = "bench"  # noqa: S105 - the server is this machine's own and holds nothing
_SPREAD: Final = 2_654_435_761


@dataclass(frozen=True)
class Vendor:
    """How a connector reads from the sandbox."""

    name: str
    options: Callable[[str], dict[str, Any]] = lambda url: {"base_url": url}
    secret: str = "token"  # noqa: S105 - the name of a field
    source: bool = False


VENDORS: Final = {
    vendor.name: vendor
    for vendor in (
        Vendor("bamboohr", source=True),
        Vendor("hibob", lambda url: {"base_url": url, "service_user": "SERVICE-1"}, source=True),
        Vendor("personio", lambda url: {"base_url": url, "client_id": "reader"}, source=True),
        Vendor(
            "successfactors",
            lambda url: {"base_url": url, "company_id": "NWL", "username": "reader"},
            "password",
            source=True,
        ),
        Vendor(
            "workday",
            lambda url: {"base_url": url, "tenant": "nwl", "report": "hr/Leaverwatch", "username": "ISU"},
            "password",
            source=True,
        ),
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
        _write(path, accounts)
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
    return _reader(vendor.name, {**vendor.options(url), vendor.secret: {"env": "T"}}, {vendor.secret: TOKEN}, now)


def _reader(name: str, options: dict[str, Any], secrets: dict[str, str], now: datetime) -> Callable[[], int]:
    from connectors.kit.contract import Circumstances, connector_class
    from governance.records import Account, Identity
    from governance.settings import ApplicationSettings, SourceSettings

    kind = connector_class(name)
    settings = SourceSettings if kind.kind == "source" else ApplicationSettings
    feed = settings.model_validate({"name": "bench", "connector": name, **options})
    # The limits are those of a vendor; nobody else asks here.
    given = Circumstances(now=now, home=Path(), secrets=secrets, deadline_s=3600, limit_share=1e6)
    connector = kind(feed, given)
    return lambda: sum(isinstance(record, Account | Identity) for record in connector.records())


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
    return _reader("hr_csv", {"path": path}, {}, now)


def file_floor(path: str) -> Callable[[], int]:
    """The rows of the file by their columns, and nothing done with them."""

    def read() -> int:
        with Path(path).open(encoding="utf-8", newline="") as file:
            return sum(1 for _ in csv.DictReader(file))

    return read


def application(name: str, accounts: int, now: datetime) -> SandboxApplication:
    """The vendor's application with so many accounts or people."""
    from connectors.sandbox.model import SandboxApplication

    started = functools.partial(SandboxApplication, name, name, now=lambda: now, token=TOKEN)
    return started(settings={"people": [_person(n) for n in range(accounts)]})


def _person(n: int) -> SandboxPerson:
    """Six of a hundred have left, ten are contractors, most have a manager and a time zone."""
    from connectors.sandbox.workforce import SandboxPerson

    dice = n * _SPREAD % 2**32 >> 8
    left = date(2025, 1, 1) + timedelta(days=dice % 600) if dice % 100 < 6 else None
    contractor = dice % 10 == 7
    return SandboxPerson(
        f"E{n:06}",
        "Person",
        f"Number{n}",
        f"p{n}@example.com",
        status="terminated" if left else "active",
        hire_date=date(2016, 1, 1) + timedelta(days=dice % 3_000),
        termination_date=left,
        contract_end=date(2027, 1, 1) + timedelta(days=dice % 300) if contractor else None,
        worker_type="contingent" if contractor else "employee",
        department=DEPARTMENTS[dice % len(DEPARTMENTS)],
        title=f"Title {dice % 200}",
        manager_employee_id=f"E{n // 10:06}" if n >= 10 else None,
        time_zone=ZONES[dice % len(ZONES)],
        key=str(n + 1),
    )


def _write(path: Path, accounts: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for p in map(_person, range(accounts)):
            rows.writerow(
                (
                    p.employee_id,
                    p.status,
                    p.work_email,
                    p.hire_date,
                    p.termination_date,
                    p.worker_type,
                    p.contract_end,
                    p.manager_employee_id,
                    p.department,
                    p.title,
                    p.time_zone,
                    p.name,
                )
            )
