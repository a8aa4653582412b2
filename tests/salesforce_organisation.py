"""A Salesforce organisation of the sandbox, what its people may hold, and the connector that reads it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.kit.contract import Circumstances
from connectors.salesforce import Salesforce
from connectors.sandbox.faults import Faults
from connectors.sandbox.model import SandboxApplication, SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.settings import ApplicationSettings
from tests.atlassian_site import SECRET, Read, ids
from tests.sandbox_company import DAY, NOW

QUEUE, OUTER, ROLE, SET_GROUP, LICENCE, PROFILE = (
    "00G000000000007AAA", "00G000000000008AAA", "00E000000000001AAA", "0PG000000000001AAA", "0PL000000000001AAA",
    "00e000000000009AAA",
)  # fmt: skip


@contextlib.contextmanager
def organisation(
    application: SandboxApplication,
    *,
    write: bool = False,
    faults: Faults | None = None,
    secrets: dict[str, str] | None = None,
    **options: Any,
) -> Iterator[tuple[Salesforce, Sandbox]]:
    """The connector over a running sandbox."""
    with Sandbox([application]) as sandbox:
        if faults is not None:
            sandbox.faults[application.name] = faults
        held = secrets or {"token": application.token}
        if write:
            held = {"write_token": application.write_token, **held}
        table = {"base_url": sandbox.url(application.name), "client_id": "reader", **options}
        feed = ApplicationSettings(name="crm", connector="salesforce", **table, **dict.fromkeys(held, SECRET))
        given = Circumstances(NOW, Path("/nowhere"), held, write, 10.0, limit_share=1.0)
        with contextlib.closing(Salesforce(feed, given)) as connector:
            yield connector, sandbox


def read(application: SandboxApplication, **options: Any) -> Read:
    """One pull of the organisation."""
    with organisation(application, **options) as (connector, _):
        return Read(application, connector)


def give(application: SandboxApplication, given: str, one: str, name: str, kind: str = "role", **more: Any) -> None:
    """Let somebody hold something, a year ago."""
    application.entitlements[one] = SandboxEntitlement(one, name, kind, more.pop("privileged", False), more)
    application.grants = [*application.grants, SandboxGrant(ids(application)[given], one, NOW - 365 * DAY)]
