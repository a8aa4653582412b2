"""The twelve in an application of the sandbox that answers over HTTP, and what a vendor's connector tells of them."""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from connectors.kit.contract import Connector
from connectors.sandbox.model import SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.records import Account, Entitlement, Event, Grant, Reading
from tests.sandbox_company import NOW, small_application
from tests.tenancy import connected
from tests.tenants import Tenant

Told = tuple[dict[str, Account], dict[str, Entitlement], dict[tuple[str, str], Grant], Reading]


class Twelve:
    """The twelve, by their first names; `options` are added to the tenant's, `secrets` stand for them where given."""

    def __init__(self, tenant: Tenant, name: str, options: dict[str, Any] | None = None) -> None:
        self.tenant = tenant
        self.application = small_application(tenant.vendor, name)
        tenant.prepare(self.application)
        self.settings = self.application.settings
        self.people = {account.given.lower(): account for account in self.application.accounts.values()}
        self.admins, self.everyone, self.contractors = self.application.entitlements
        self.options = options or {}
        self.secrets: dict[str, str] | None = None
        self.sandbox = Sandbox([self.application])

    def id(self, name: str) -> str:
        """The id the connector tells for somebody."""
        return self.people[name].id

    def connect(
        self, tenant: Tenant | None = None, *, write: bool = True, secrets: dict[str, str] | None = None, **given: Any
    ) -> AbstractContextManager[Connector]:
        """The connector, closed at the end; as `tenant`, or as the one that stands here."""
        here, known = tenant or self.tenant, self.secrets if secrets is None else secrets
        there = dataclasses.replace(
            here,
            options=lambda url: {**here.options(url), **self.options},
            secrets=here.secrets if known is None else lambda _: known,
        )
        return connected(there, self.sandbox, self.application, write=write, **given)

    def holds(
        self, entitlement_id: str, name: str, kind: str, holders: Any = (), how: str = "direct", **more: Any
    ) -> None:
        """One more entitlement, and who holds it."""
        self.application.entitlements[entitlement_id] = SandboxEntitlement(entitlement_id, name, kind, more=more)
        self.application.grants += [SandboxGrant(self.people[h].id, entitlement_id, NOW, how) for h in holders]

    def held(self, name: str) -> set[str]:
        """What somebody really holds."""
        return {g.entitlement_id for g in self.application.held(self.people[name].id)}

    def pulled(self, tenant: Tenant | None = None, **given: Any) -> Told:
        """What one pull tells: accounts, entitlements and grants by their ids, and how it was read."""
        with self.connect(tenant, write=False, **given) as connector:
            records = list(connector.records())
        return (
            {r.account_id: r for r in records if isinstance(r, Account)},
            {r.entitlement_id: r for r in records if isinstance(r, Entitlement)},
            {(r.account_id, r.entitlement_id): r for r in records if isinstance(r, Grant)},
            connector.reading,
        )

    def told(
        self, mark: str | None = None, since: timedelta = timedelta(days=30), **given: Any
    ) -> tuple[list[Event], str | None, Reading]:
        """The events since then or since the mark, the new mark, and how they were read."""
        with self.connect(write=False, **given) as connector:
            events = list(connector.events(given.get("now", NOW) - since, mark))
        return events, connector.mark, connector.reading

    def asked(self, path: str, method: str = "GET") -> list[Any]:
        """The requests of that method with that in their path."""
        return [seen for seen in self.sandbox.requests if path in seen.path and seen.method == method]
