"""A real PostgreSQL and files of SQLite for the tenants of SQL: the tables of an application with people in them."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import sqlite3
from collections import defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from connectors.sandbox.faults import SIGN_IN_PAGE, Faults
from connectors.sandbox.model import SandboxApplication
from tests.grounds import NONE, Ground, as_cell, spoiled
from tests.grounds.fronts import Fronts, relay

PATH = "SELECT account"
Rows = list[dict[str, Any]]


def password(application: SandboxApplication) -> str:
    """The canary in the address of a database."""
    return f"{application.name}-password-55c1"


def tables(application: SandboxApplication, faults: Faults) -> dict[str, Rows]:
    """What stands in the application's own tables."""
    people: Rows = [
        {
            "account_id": account.id,
            "username": account.username,
            "email": account.email,
            "display_name": account.name,
            "external_id": account.external_id,
            "employee_id": account.employee_id,
            "department": account.department,
            "title": account.title,
            "kind": account.kind,
            "active": account.status not in ("suspended", "deactivated"),
            "mfa": account.mfa,
            "last_seen_at": account.last_seen_at.isoformat() if account.last_seen_at else "never",
            "created_at": account.created_at.isoformat(),
        }
        for account in application.accounts.values()
        if account.status != "deleted"
    ]
    here = {row["account_id"] for row in people}
    names = {e.id: e.name for e in application.entitlements.values()}
    held = [
        {"account_id": grant.account_id, "entitlement": names[grant.entitlement_id]}
        for grant in application.grants
        if grant.account_id in here
    ]
    return {"account": spoiled(people, faults, PATH), "held": held}


class Sqlite(Ground):
    """One file for each application; a silent one is locked by somebody who never ends."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._locks: dict[str, sqlite3.Connection] = {}

    def url(self, name: str) -> str:
        return f"sqlite:///{self._file(name)}"

    def fill(self, application: SandboxApplication, faults: Faults) -> None:
        file = self._file(application.name)
        application.token = self.url(application.name)
        self._unlock(application.name)
        file.unlink(missing_ok=True)
        if faults.html_with_200:
            file.write_text(SIGN_IN_PAGE)
            return
        with contextlib.closing(sqlite3.connect(file)) as link, link:
            for name, rows in tables(application, faults).items():
                if not (faults.fail_status and name == "account"):
                    _written(lambda text, values=None: _run(link, text, values), name, rows, "?")
        if faults.half_body:
            data = file.read_bytes()
            file.write_bytes(data[: len(data) // 2])
        if faults.delay_s:
            lock = self._locks[application.name] = sqlite3.connect(file, check_same_thread=False)
            lock.execute("BEGIN EXCLUSIVE")

    def state(self, name: str) -> bytes:
        return self._file(name).read_bytes()

    def close(self) -> None:
        for name in list(self._locks):
            self._unlock(name)

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.db"

    def _unlock(self, name: str) -> None:
        if lock := self._locks.pop(name, None):
            lock.close()


class PostgreSql(Ground):
    """One schema for each application in a database of one's own, read by a name that may do nothing else."""

    def __init__(self, folder: Path, server: Any) -> None:
        super().__init__(folder)
        self._name = server.fresh()
        self._at = ("127.0.0.1", server.port)
        told = f"host=127.0.0.1 port={server.port} user=postgres dbname={self._name}"
        self._admin = psycopg.connect(told, autocommit=True, prepare_threshold=None)
        self._roles: set[str] = set()
        self.fronts = Fronts(self._serve)

    def url(self, name: str) -> str:
        secret = password(self.applications[name])
        return f"postgresql+psycopg://{name}:{secret}@127.0.0.1:{self.fronts.port(name)}/{self._name}"

    def fill(self, application: SandboxApplication, faults: Faults) -> None:
        name = application.name
        application.token = self.url(name)
        self._run(f"DROP SCHEMA IF EXISTS {name} CASCADE")
        self._run(f"CREATE SCHEMA {name}")
        if name not in self._roles:
            self._roles.add(name)
            self._run(f"CREATE ROLE {name} LOGIN PASSWORD '{password(application)}'")
            self._run(f"ALTER ROLE {name} SET search_path = {name}")
        self._run(f"ALTER ROLE {name} {'NOLOGIN' if faults.unauthorized else 'LOGIN'}")
        for table, rows in tables(application, faults).items():
            if not (faults.fail_status and table == "account"):
                _written(self._run, f"{name}.{table}", rows, "%s")
        self._run(f"GRANT USAGE ON SCHEMA {name} TO {name}")
        if not faults.forbidden:
            self._run(f"GRANT SELECT ON ALL TABLES IN SCHEMA {name} TO {name}")

    def state(self, name: str) -> list[list[tuple[Any, ...]]]:
        return [self._admin.execute(f"SELECT * FROM {name}.{t} ORDER BY 1, 2".encode()).fetchall() for t in TABLES]

    def close(self) -> None:
        self.fronts.close()
        self._admin.execute(f"DROP OWNED BY {', '.join(self._roles)} CASCADE".encode() if self._roles else b"SELECT 1")
        for role in self._roles:
            self._run(f"DROP ROLE {role}")
        self._admin.close()

    def _run(self, text: str, values: Any = None) -> None:
        with self._admin.cursor() as cursor:
            cursor.execute(text.encode()) if values is None else cursor.executemany(text.encode(), values)

    def _serve(self, client: socket.socket, name: str) -> None:
        self.note(name, "CONNECT", PATH, credential="token")
        faults = self.faults.get(name, NONE)
        faults = faults if faults is not NONE and faults.hits(PATH) else NONE
        if faults.delay_s and self.fronts.over.wait(faults.delay_s):
            return
        with socket.create_connection(self._at) as server:
            relay(client, server, lambda data: self.fronts.send(client, name, data, faults))


def _run(link: sqlite3.Connection, text: str, values: Any) -> None:
    link.execute(text) if values is None else link.executemany(text, values)


TABLES = ("account", "held")


def _written(run: Any, table: str, rows: Rows, mark: str) -> None:
    """Make a table of these rows; a column of one kind of value has its type, any other is text."""
    kinds: dict[str, set[type]] = defaultdict(set)
    for row in rows or [{"account_id": "", "entitlement": "", "username": "", "active": True}]:
        for name, value in row.items():
            kinds[name] |= {type(value)} - {type(None)}
    types = {name: _type(found, rows, name) for name, found in kinds.items()}
    quoted = {name: '"' + name.replace('"', "").replace("%", "") + '"' for name in types}
    run(f"CREATE TABLE {table} ({', '.join(f'{quoted[name]} {types[name]}' for name in types)})")
    alike: dict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
    for row in rows:
        alike[tuple(row)].append([_value(value, types[name]) for name, value in row.items()])
    for names, values in alike.items():
        columns = ", ".join(quoted[name] for name in names)
        run(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(mark for _ in names)})", values)


def _type(found: set[type], rows: Rows, name: str) -> str:
    if found == {bool}:
        return "BOOLEAN"
    if found == {int} and all(abs(row.get(name) or 0) < 2**63 for row in rows):
        return "BIGINT"
    if found == {str} and name.endswith("_at") and all(_instant(row.get(name)) for row in rows):
        return "TIMESTAMPTZ"
    return "TEXT"


def _instant(text: Any) -> bool:
    return text is None or re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.+]+", str(text)) is not None


def _value(value: Any, kind: str) -> Any:
    if kind == "TEXT" and value is not None:
        return as_cell(value).replace("\0", "")  # PostgreSQL keeps none
    if kind == "TIMESTAMPTZ" and value is not None:
        return datetime.fromisoformat(value).isoformat(" ")
    return json.dumps(value) if isinstance(value, dict | list) else value
