"""The twelve in an organisation of GitHub of the sandbox, a plain one or one with managed users, asked as specified."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from connectors.kit.contract import Connector
from connectors.sandbox.github_shapes import scim_id
from connectors.sandbox.model import SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.records import Account, Entitlement, Grant, Reading
from tests.sandbox_company import NOW, small_application
from tests.specs import SpecCheck
from tests.tenancy import connected
from tests.tenants import Tenant
from tests.tenants.github import TENANT as MANAGED

# Not in the trimmed specification: how teams and roles are given, and the token of an App.
BEYOND_THE_SPEC = (("PUT", "/teams/"), ("PUT", "/organization-roles/"), ("POST", "/app/"), ("POST", "/graphql"))


class Organisation:
    """The twelve in an organisation, with a role of it and authorised credentials."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.managed = tenant is MANAGED
        self.application = small_application(tenant.vendor, "organisation")
        tenant.prepare(self.application)
        self.settings = self.application.settings
        self.people = {account.given.lower(): account for account in self.application.accounts.values()}
        self.owners, self.everyone, self.contractors = self.application.entitlements
        auditor = SandboxEntitlement("5000009", "all_repo_read", "role", more={"orgrole": True})
        self.application.entitlements[auditor.id] = auditor
        self.application.grants.append(SandboxGrant(self.people["bruno"].id, auditor.id, NOW))
        self.sandbox = Sandbox([self.application])

    def id(self, name: str) -> str:
        account = self.people[name]
        return scim_id(account.id) if self.managed else self.login(name)

    def login(self, name: str) -> str:
        account = self.people[name]
        return f"{account.given}-{account.family}".lower() + ("_nwl" if self.managed else "")

    def connect(
        self, tenant: Tenant | None = None, write: bool = True, **given: Any
    ) -> AbstractContextManager[Connector]:
        return connected(tenant or self.tenant, self.sandbox, self.application, write=write, **given)

    def pulled(
        self, tenant: Tenant | None = None
    ) -> tuple[dict[str, Account], dict[str, Entitlement], dict[tuple[str, str], str], Reading]:
        with self.connect(tenant, write=False) as connector:
            records = list(connector.records())
        return (
            {r.account_id: r for r in records if isinstance(r, Account)},
            {r.entitlement_id: r for r in records if isinstance(r, Entitlement)},
            {(r.account_id, r.entitlement_id): r.how for r in records if isinstance(r, Grant)},
            connector.reading,
        )


@contextlib.contextmanager
def checked_organisation(tenant: Tenant) -> Iterator[Organisation]:
    """An organisation that answers over HTTP; at the end all it was asked is held against the specification."""
    made = Organisation(tenant)
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and part in seen.path for verb, part in BEYOND_THE_SPEC)
            and not (seen.path.endswith("/ServiceProviderConfig") or seen.method == "PATCH")
        ]  # fmt: skip
        problems = SpecCheck("github").problems(asked)
        assert problems == [], problems
