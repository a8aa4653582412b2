"""A tenant's connector over the ground it stands on: what one pull of it gives, or the error it ends with."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.contract import Circumstances, Connector, connector_class
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.serving import Sandbox
from governance.errors import LeaverwatchError
from governance.records import Account, Identity, Record
from governance.settings import ApplicationSettings, SourceSettings
from tests.grounds import Ground
from tests.sandbox_company import NOW, crowd, small_application
from tests.specs import SpecCheck
from tests.tenants import PROMISES, Tenant, why_not

PAGE = 3  # entries per page where the connector lets itself be told
Standing = Sandbox | Ground


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
    ground: Standing,
    application: SandboxApplication,
    *,
    page: int | None = None,
    now: datetime = NOW,
    **given: Any,
) -> Iterator[Connector]:
    """The tenant's connector, closed at the end."""
    if isinstance(ground, Ground):
        ground.show(application)
    options = tenant.options(ground.url(application.name))
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


def pulled(tenant: Tenant, ground: Standing, application: SandboxApplication, **more: Any) -> Pulled:
    """One whole pull. Only errors of our own tree are caught."""
    began = time.monotonic()
    records: list[Record] = []
    error = None
    with connected(tenant, ground, application, **more) as connector:
        try:
            records.extend(connector.records())
        except LeaverwatchError as failure:
            error = failure
    return Pulled(connector, records, error, time.monotonic() - began)


def small(tenant: Tenant, ground: Standing) -> SandboxApplication:
    """The twelve, in the vendor's shape, answering under a name of their own."""
    application = small_application(tenant.vendor, f"a{len(ground.applications)}")
    tenant.prepare(application)
    ground.add(application)
    return application


def many(tenant: Tenant, ground: Standing, count: int) -> SandboxApplication:
    """A crowd, in the vendor's shape, answering under a name of its own."""
    application = crowd(tenant.vendor, count, f"a{len(ground.applications)}")
    tenant.prepare(application)
    ground.add(application)
    return application


def listed(tenant: Tenant, application: SandboxApplication) -> dict[str, bool | None]:
    """Id as the connector tells it -> whether the account can sign in, for all that the vendor's list shows."""
    return {
        tenant.account_of(account.id): tenant.states[account.status]
        for account in application.accounts.values()
        if account.status in tenant.states and tenant.shown(account)
    }


def standing(ground: Standing, application: SandboxApplication) -> Any:
    """Everything of the application that a connector could have changed."""
    return ground.state(application.name) if isinstance(ground, Ground) else application.state()


def capable(tenant: Tenant, capability: type, word: str) -> type:
    """The connector's class; skips where it cannot do this, says so itself, and its tenant says why."""
    kind = connector_class(tenant.connector)
    if not issubclass(kind, capability):
        assert word not in kind.capabilities()
        assert not hasattr(kind, word)
        pytest.skip(why_not(tenant, word))
    return kind


def promised(tenant: Tenant, *promises: str) -> None:
    """Skips where one of these promises has no meaning, in the words of the tenant."""
    for promise in promises:
        assert promise in PROMISES
        if promise in tenant.without:
            pytest.skip(tenant.without[promise])


def specified(tenant: Tenant) -> SpecCheck:
    """The vendor's specification; skips where none is kept, in the words of the tenant."""
    if tenant.no_spec:
        pytest.skip(tenant.no_spec)
    return SpecCheck(tenant.vendor, tenant.specs, tenant.spec_free)
