"""A tenant's connector over a running sandbox: what one pull of it gives, or the error it ends with."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from connectors.kit.contract import Circumstances, Connector, connector_class
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.serving import Sandbox
from governance.errors import LeaverwatchError
from governance.records import Account, Identity, Record
from governance.settings import ApplicationSettings, SourceSettings
from tests.sandbox_company import NOW
from tests.tenants import Tenant

PAGE = 3  # entries per page where the connector lets itself be told


@dataclass
class Pulled:
    """Everything one pull yielded, or the error, and how long it took."""

    connector: Connector
    records: list[Record]
    error: LeaverwatchError | None
    seconds: float

    @property
    def kept(self) -> dict[str, Account | Identity]:
        """Accounts, or identities of a source of truth, by id."""
        return {key(r): r for r in self.records if isinstance(r, Account | Identity)}

    @property
    def doubles(self) -> list[str]:
        """Ids that came more than once."""
        counted = Counter(key(r) for r in self.records if isinstance(r, Account | Identity))
        return [found for found, times in counted.items() if times > 1]


def key(record: Account | Identity) -> str:
    return record.account_id if isinstance(record, Account) else record.employee_id


def on(record: Account | Identity | None) -> bool | None:
    """Whether somebody may sign in, as the connector understood it; of a person, whether they still work here."""
    if isinstance(record, Account):
        return record.active
    if record is None or record.state in ("unknown", "missing"):
        return None
    return record.state != "ended"


@contextlib.contextmanager
def connected(
    tenant: Tenant,
    sandbox: Sandbox,
    application: SandboxApplication,
    *,
    page: int | None = None,
    now: datetime = NOW,
    **given: Any,
) -> Iterator[Connector]:
    """The tenant's connector, closed at the end."""
    options = tenant.options(sandbox.url(application.name))
    if page is not None and tenant.page_option:
        options[tenant.page_option] = page
    secrets = tenant.secrets(application)
    places = {name: {"env": f"A_{name.upper()}"} for name in secrets}
    kind = SourceSettings if tenant.kind == "source" else ApplicationSettings
    feed = kind(name="one", connector=tenant.connector, **places, **options)
    circumstances = {"deadline_s": 20.0, "limit_share": 1.0, **given}
    connector = connector_class(tenant.connector)(feed, Circumstances(now, Path("/nowhere"), secrets, **circumstances))
    try:
        yield connector
    finally:
        connector.close()


def pulled(tenant: Tenant, sandbox: Sandbox, application: SandboxApplication, **more: Any) -> Pulled:
    """One whole pull. Only errors of our own tree are caught."""
    began = time.monotonic()
    records: list[Record] = []
    error = None
    with connected(tenant, sandbox, application, **more) as connector:
        try:
            records.extend(connector.records())
        except LeaverwatchError as failure:
            error = failure
    return Pulled(connector, records, error, time.monotonic() - began)
