"""Real files for the tenants that read them: in a folder here, and on a real SFTP server."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import socket
from pathlib import Path
from typing import Any

from connectors.sandbox.faults import SIGN_IN_PAGE, Faults
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from tests.grounds import NONE, Ground, as_cell, spoiled
from tests.grounds.fronts import Fronts, relay
from tests.sftp_server import SftpFolder

ACCOUNTS, PEOPLE = "accounts.csv", "people.csv"
APP_STATUS = {"active": "active", "pending": "pending", "locked": "active"}
HR_STATUS = {"active": "active", "pending": "active", "locked": "active", "suspended": "leave"}


def rows_of(application: SandboxApplication) -> list[dict[str, Any]]:
    """One row for each account or, of people, each person."""
    here = [account for account in application.accounts.values() if account.status != "deleted"]
    row = _person if application.vendor == "hr_csv" else _account
    return [row(application, account) for account in here]


def _account(application: SandboxApplication, account: SandboxAccount) -> dict[str, Any]:
    entitlements = [application.entitlements[grant.entitlement_id] for grant in application.held(account.id)]
    return {
        "account_id": account.id,
        "username": account.username,
        "email": account.email,
        "display_name": account.name,
        "status": APP_STATUS.get(account.status, "inactive"),
        "created_at": account.created_at.isoformat(),
        "last_login_at": account.last_seen_at.isoformat() if account.last_seen_at else "never",
        "employee_id": account.employee_id,
        "kind": account.kind,
        "mfa": None if account.mfa is None else str(account.mfa).lower(),
        "entitlements": ";".join(f"{e.name}{'!' if e.privileged else ''}" for e in entitlements),
        "department": account.department,
        "title": account.title,
    }


def _person(application: SandboxApplication, account: SandboxAccount) -> dict[str, Any]:
    return {
        "employee_id": account.id,
        "status": HR_STATUS.get(account.status, "terminated"),
        "work_email": account.email,
        "display_name": account.name,
        "hire_date": f"{account.created_at:%Y-%m-%d}",
        "last_day_of_work": None if account.status in HR_STATUS else "2026-10-30",
        "worker_type": "contingent" if account.kind == "guest" else "employee",
        "job_title": account.title,
        "department": account.department,
    }


def written(rows: list[dict[str, Any]], empty: list[str]) -> bytes:
    """The rows as a file with a header; `empty` is the header of a file without rows."""
    columns = list(dict.fromkeys(name for row in rows for name in row)) or empty
    text = io.StringIO(newline="")
    sheet = csv.writer(text)
    sheet.writerow(columns)
    sheet.writerows([as_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue().encode("utf-8", "surrogatepass")


class Folder(Ground):
    """One folder for each application, with one file in it. A silent one is a pipe into which nobody writes."""

    def url(self, name: str) -> str:
        return f"{self._folder(name)}/"

    def fill(self, application: SandboxApplication, faults: Faults) -> None:
        folder = self._folder(application.name)
        folder.mkdir(exist_ok=True)
        file = folder / (PEOPLE if application.vendor == "hr_csv" else ACCOUNTS)
        file.unlink(missing_ok=True)
        if faults.fail_status:
            return
        if faults.delay_s:
            os.mkfifo(file)
            return
        rows = spoiled(rows_of(application), faults, str(file))
        data = SIGN_IN_PAGE.encode() if faults.html_with_200 else written(rows, ["account_id", "employee_id", "status"])
        file.write_bytes(_broken_off(data) if faults.half_body else data)

    def state(self, name: str) -> dict[str, tuple[str, int]]:
        return {
            file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
            for file in self._folder(name).iterdir()
        }

    def _folder(self, name: str) -> Path:
        return self.folder / name

    def close(self) -> None:
        """Files stay where they are: the test's folder goes with the test."""


class Sftp(Folder):
    """The same folders on an SFTP server; each application is to be found at a port of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.server = SftpFolder(folder)
        self.server.__enter__()
        self.fronts = Fronts(self._serve)

    def url(self, name: str) -> str:
        return f"sftp://127.0.0.1:{self.fronts.port(name)}/{name}/"

    def fill(self, application: SandboxApplication, faults: Faults) -> None:
        at_the_wire = Faults() if faults.half_body or faults.delay_s else faults
        super().fill(application, at_the_wire)
        self.server.users[application.name] = "another password" if faults.unauthorized else application.token
        self.server.forbidden.discard(application.name)
        if faults.forbidden:
            self.server.forbidden.add(application.name)

    def close(self) -> None:
        self.fronts.close()
        self.server.__exit__(None, None, None)

    def _serve(self, client: socket.socket, name: str) -> None:
        self.note(name, "CONNECT", PEOPLE, credential="token")
        faults = self.faults.get(name, NONE)
        faults = faults if faults is not NONE and faults.hits(PEOPLE) else NONE
        if faults.delay_s and self.fronts.over.wait(faults.delay_s):
            return
        at_the_wire = Faults() if faults.html_with_200 else faults  # then the file is one
        with socket.create_connection(("127.0.0.1", self.server.port)) as server:
            relay(client, server, lambda data: self.fronts.send(client, name, data, at_the_wire))


def _broken_off(data: bytes) -> bytes:
    """The file as far as it was copied: it ends inside the first field of a row in the middle."""
    start = data.index(b"\n", len(data) // 2) + 1
    return data[: start + 3] if start + 3 < len(data) else data[: data.index(b"\n") + 4]
