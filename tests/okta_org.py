"""The twelve in an Okta org of the sandbox; what is asked of it and what it answers fits the specification."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

from connectors.kit.contract import Connector
from connectors.sandbox.model import SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.records import Account, Entitlement, Event, Grant, Reading
from tests.sandbox_company import NOW, small_application
from tests.specs import SpecCheck
from tests.tenancy import connected
from tests.tenants.okta import TENANT

# Written by us, not in the trimmed specification; they are in Okta's whole one (management 2026.06).
BEYOND_THE_SPEC = {("PUT", "/groups/"), ("POST", "/apps/"), ("POST", "/roles")}
NEW_STATUSES = ("'ACTIVATING'", "'SOMETHING_NEW'")  # the first is in the documentation and not in the specification
GROUP, APP = "00g" + "G" * 17, "0oa" + "A" * 17


class Org:
    """The twelve in an Okta org, with a group that makes administrators and an application behind Okta."""

    def __init__(self, **options: Any) -> None:
        self.application = small_application("okta", "org")
        self.people = {account.given.lower(): account for account in self.application.accounts.values()}
        self.admins, self.everyone, self.contractors = self.application.entitlements
        self.options = options
        self.secrets = {"token": self.application.token, "write_token": self.application.write_token}
        self.sandbox = Sandbox([self.application])

    def connect(
        self, write: bool = True, secrets: dict[str, str] | None = None, **given: Any
    ) -> AbstractContextManager[Connector]:
        options = {"mfa": "all", **self.options}
        tenant = dataclasses.replace(
            TENANT, options=lambda url: {"base_url": url, **options}, secrets=lambda _: secrets or self.secrets
        )
        return connected(tenant, self.sandbox, self.application, write=write, **given)

    def holds(
        self, entitlement_id: str, name: str, kind: str, holders: Any = (), how: str = "direct", **more: Any
    ) -> None:
        self.application.entitlements[entitlement_id] = SandboxEntitlement(entitlement_id, name, kind, more=more)
        self.application.grants += [SandboxGrant(self.id(h), entitlement_id, NOW, how) for h in holders]

    def id(self, name: str) -> str:
        return self.people[name].id

    def held(self, name: str) -> set[str]:
        return {g.entitlement_id for g in self.application.held(self.id(name))}

    def pulled(self) -> tuple[dict[str, Account], dict[str, Entitlement], dict[tuple[str, str], Grant], Reading]:
        with self.connect(write=False) as connector:
            records = list(connector.records())
        return (
            {r.account_id: r for r in records if isinstance(r, Account)},
            {r.entitlement_id: r for r in records if isinstance(r, Entitlement)},
            {(r.account_id, r.entitlement_id): r for r in records if isinstance(r, Grant)},
            connector.reading,
        )

    def told(
        self, since: timedelta = timedelta(days=30), mark: str | None = None
    ) -> tuple[list[Event], str | None, Reading]:
        with self.connect(write=False) as connector:
            events = list(connector.events(NOW - since, mark))
        return events, connector.mark, connector.reading

    def asked(self, path: str, method: str = "GET") -> list[Any]:
        return [seen for seen in self.sandbox.requests if path in seen.path and seen.method == method]


@contextlib.contextmanager
def checked_org() -> Iterator[Org]:
    """An org that answers over HTTP; at the end all it was asked is held against the specification."""
    made = Org()
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and part in seen.path for verb, part in BEYOND_THE_SPEC)
        ]  # fmt: skip
        found = SpecCheck("okta", free=TENANT.spec_free).problems(asked)
        problems = [p for p in found if not any(new in p for new in NEW_STATUSES)]
        assert problems == [], problems
