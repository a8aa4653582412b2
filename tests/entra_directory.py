"""The twelve in an Entra directory of the sandbox; what is asked of it and what it answers fits the specification."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from connectors.kit.contract import Connector
from connectors.sandbox.model import SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.records import Account, Entitlement, Event, Grant, Reading
from tests.sandbox_company import NOW, small_application
from tests.specs import SpecCheck
from tests.tenancy import connected
from tests.tenants.entra import TENANT

# Written by us, not in the trimmed specification; they are in Microsoft's reference of Graph v1.0.
BEYOND_THE_SPEC = {("POST", "/members/$ref"), ("POST", "/roleAssignments"), ("POST", "/appRoleAssignments")}
GROUP, INNER, APP, ROLE = (f"{n}0000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3, 4))


class Directory:
    """The twelve in an Entra directory."""

    def __init__(self, **options: Any) -> None:
        self.application = small_application("entra", "directory")
        TENANT.prepare(self.application)
        self.people = {account.given.lower(): account for account in self.application.accounts.values()}
        self.admins, self.everyone, self.contractors = self.application.entitlements
        self.options = options
        self.sandbox = Sandbox([self.application])

    def connect(
        self, write: bool = True, secrets: dict[str, str] | None = None, **given: Any
    ) -> AbstractContextManager[Connector]:
        tenant = dataclasses.replace(
            TENANT,
            options=lambda url: {**TENANT.options(url), **self.options},
            secrets=(lambda _: secrets) if secrets is not None else TENANT.secrets,
        )
        return connected(tenant, self.sandbox, self.application, write=write, **given)

    def holds(self, entitlement_id: str, name: str, kind: str, holders: Any = (), **more: Any) -> None:
        self.application.entitlements[entitlement_id] = SandboxEntitlement(entitlement_id, name, kind, more=more)
        self.application.grants += [SandboxGrant(self.id(h), entitlement_id, NOW) for h in holders]

    def id(self, name: str) -> str:
        return self.people[name].id

    def held(self, name: str) -> set[str]:
        return {g.entitlement_id for g in self.application.held(self.id(name))}

    def pulled(
        self, **given: Any
    ) -> tuple[dict[str, Account], dict[str, Entitlement], dict[tuple[str, str], Grant], Reading]:
        with self.connect(write=False, **given) as connector:
            records = list(connector.records())
        return (
            {r.account_id: r for r in records if isinstance(r, Account)},
            {r.entitlement_id: r for r in records if isinstance(r, Entitlement)},
            {(r.account_id, r.entitlement_id): r for r in records if isinstance(r, Grant)},
            connector.reading,
        )

    def told(
        self, mark: str | None = None, since: timedelta = timedelta(days=30), now: datetime = NOW, **given: Any
    ) -> tuple[list[Event], str | None, Reading]:
        with self.connect(write=False, now=now, **given) as connector:
            events = list(connector.events(NOW - since, mark))
        return events, connector.mark, connector.reading

    def asked(self, path: str, method: str = "GET") -> list[Any]:
        return [seen for seen in self.sandbox.requests if path in seen.path and seen.method == method]


@contextlib.contextmanager
def checked_directory() -> Iterator[Directory]:
    """A directory that answers over HTTP; at the end all it was asked is held against the specification."""
    made = Directory()
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and seen.path.endswith(part) for verb, part in BEYOND_THE_SPEC)
        ]  # fmt: skip
        problems = SpecCheck("entra", free=TENANT.spec_free).problems(asked)
        assert problems == [], problems
