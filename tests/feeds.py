"""Pulls of single feeds: what came out of a file or a server, with the evidence beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.app_csv import AppCsv
from connectors.hr_csv import HrCsv
from connectors.kit.contract import Circumstances, Connector
from connectors.scim import Scim
from governance.records import Account, Entitlement, Grant, Identity, Reading, Record
from governance.settings import ApplicationSettings, SourceSettings

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TOKEN = "read-token-4f1c"
WRITE_TOKEN = "write-token-9d2e"
SECRET = {"env": "A_TOKEN"}


@dataclass
class Pulled:
    """Everything one pull yielded."""

    records: list[Record]
    reading: Reading

    def of(self, kind: type[Any]) -> list[Any]:
        return [record for record in self.records if isinstance(record, kind)]

    @property
    def people(self) -> dict[str, Identity]:
        return {person.employee_id: person for person in self.of(Identity)}

    @property
    def accounts(self) -> dict[str, Account]:
        return {account.account_id: account for account in self.of(Account)}

    @property
    def entitlements(self) -> dict[str, Entitlement]:
        return {entitlement.entitlement_id: entitlement for entitlement in self.of(Entitlement)}

    @property
    def held(self) -> set[tuple[str, str]]:
        return {(grant.account_id, grant.entitlement_id) for grant in self.of(Grant)}

    @property
    def refusals(self) -> list[tuple[int, str | None]]:
        """Line and column of every quarantined row."""
        return [(int(r.where.rpartition(":")[2]), r.column) for r in self.reading.rejected]


def pull(connector: Connector) -> Pulled:
    """Read everything and check what holds for every pull: each row is kept, refused or a duplicate."""
    records = list(connector.records())
    reading = connector.reading
    assert reading.rows_read == reading.kept + len(reading.rejected) + reading.duplicates
    assert reading.kept == len([r for r in records if isinstance(r, Identity | Account)])
    assert len(reading.sha256) == 64
    return Pulled(records, reading)


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def hr_connector(folder: Path, now: datetime = NOW, **options: Any) -> HrCsv:
    feed = SourceSettings(name="hr", connector="hr_csv", **{"path": "hr.csv", **options})
    return HrCsv(feed, Circumstances(now=now, home=folder))


def hr(folder: Path, content: str | bytes, now: datetime = NOW, **options: Any) -> Pulled:
    """What an HR file of this content says."""
    put(folder, "hr.csv", content)
    return pull(hr_connector(folder, now, **options))


def app_connector(folder: Path, now: datetime = NOW, **options: Any) -> AppCsv:
    feed = ApplicationSettings(name="crm", connector="app_csv", **{"path": "crm.csv", **options})
    return AppCsv(feed, Circumstances(now=now, home=folder))


def app(folder: Path, content: str | bytes, now: datetime = NOW, **options: Any) -> Pulled:
    """What an account file of this content says."""
    put(folder, "crm.csv", content)
    return pull(app_connector(folder, now, **options))


def scim_connector(
    url: str,
    *,
    token: str = TOKEN,
    write_token: str | None = None,
    write: bool = True,
    deadline_s: float = 5.0,
    max_answer_bytes: int = 8 * 1024 * 1024,
    **options: Any,
) -> Scim:
    """A SCIM connector; without `write_token` it may only read."""
    secrets = {"token": token, **({"write_token": write_token} if write_token else {})}
    feed = ApplicationSettings(name="wiki", connector="scim", base_url=url, **dict.fromkeys(secrets, SECRET), **options)
    given = Circumstances(NOW, Path("/nowhere"), secrets, write, deadline_s, max_answer_bytes)
    return Scim(feed, given)
