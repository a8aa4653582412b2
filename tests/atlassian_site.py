"""A Jira or Confluence site of the sandbox with its organisation, and the connector that reads it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.kit.contract import Circumstances, Connector, connector_class
from connectors.sandbox.model import SandboxApplication, SandboxEntitlement
from connectors.sandbox.serving import Sandbox
from governance.records import Account, Entitlement, Grant
from governance.settings import ApplicationSettings
from tests.sandbox_company import NOW, named, small_application

SECRET = {"env": "A_SECRET"}
ORG = {"org_id": "org-6f1c"}


@contextlib.contextmanager
def site(
    application: SandboxApplication, *, org: bool = True, write: bool = False, faults: Any = None, **options: Any
) -> Iterator[tuple[Connector, Sandbox]]:
    """The connector of the application's vendor over a running sandbox."""
    with Sandbox([application]) as sandbox:
        if faults is not None:
            sandbox.faults[application.name] = faults
        url = sandbox.url(application.name)
        base = f"{url}wiki/" if application.vendor == "confluence" else url
        secrets = {"token": application.token}
        table: dict[str, Any] = {"base_url": base, "email": "reader@nwl.example"}
        if org:
            secrets["org_token"] = options.pop("org_token", application.token)
            table |= {**ORG, "org_url": url}
        if write:
            secrets["write_token"] = application.write_token
        feed = ApplicationSettings(
            name="site", connector=application.vendor, **table, **dict.fromkeys(secrets, SECRET), **options
        )
        given = Circumstances(NOW, Path("/nowhere"), secrets, write, 10.0, limit_share=1.0)
        with contextlib.closing(connector_class(application.vendor)(feed, given)) as connector:
            yield connector, sandbox


class Read:
    """One pull, by given name."""

    def __init__(self, application: SandboxApplication, connector: Connector) -> None:
        self.records = list(connector.records())
        self.notes = connector.reading.notes
        names = {account.id: account.given for account in application.accounts.values()}
        self.by_id = {r.account_id: r for r in self.records if isinstance(r, Account)}
        self.accounts = {names[r.account_id]: r for r in self.records if isinstance(r, Account)}
        self.entitlements = {r.entitlement_id: r for r in self.records if isinstance(r, Entitlement)}
        self.held = {(names[r.account_id], r.entitlement_id): r.how for r in self.records if isinstance(r, Grant)}


def read(application: SandboxApplication, **options: Any) -> Read:
    """One pull of the application."""
    with site(application, **options) as (connector, _):
        return Read(application, connector)


def ids(application: SandboxApplication) -> dict[str, str]:
    """Account ids by given name."""
    return {account.given: account.id for account in application.accounts.values()}


def licensed_jira() -> SandboxApplication:
    """The twelve in Jira, whose licence is held through the group of everybody."""
    application = small_application("jira")
    everyone = named(application, "Everyone")
    application.entitlements["jira-software"] = SandboxEntitlement(
        "jira-software", "Jira Software", "licence", more={"groups": [everyone]}
    )
    return application
