"""What the generated suite needs to know about one connector: a tenant of its vendor's application.

Each `tests/tenants/<name>.py` has one `TENANT = Tenant(...)`. Who speaks HTTP stands in the sandbox, the others on one
of `tests/grounds`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.model import SandboxAccount, SandboxApplication

# What `Account.active` must be for each status of the sandbox; a vendor that cannot tell a status says so in its tenant.
STATES: Mapping[str, bool | None] = {
    "active": True,
    "suspended": False,
    "deactivated": False,
    "pending": False,
    "locked": False,
}


@dataclass(frozen=True)
class Tenant:
    """One connector and the application it reads.

    The suite fills the application with `sandbox_company.small_application(vendor)`, calls `prepare`, and connects with
    `options(url)`; secrets come from `secrets(application)`.
    """

    connector: str
    vendor: str
    kind: str = "application"  # or "source"
    options: Callable[[str], dict[str, Any]] = lambda url: {"base_url": url}
    secrets: Callable[[SandboxApplication], dict[str, str]] = lambda a: {"token": a.token, "write_token": a.write_token}
    prepare: Callable[[SandboxApplication], None] = lambda application: None  # bring it into the vendor's shape
    page_option: str | None = "page_size"  # the connector's key for entries per page; None: the vendor's is fixed
    list_path: str = r"(?i)users|members|people|employees"  # requests for pages of accounts (a regular expression)
    counted: bool = False  # the vendor says how many there are, so that a lost page is noticed
    follows_links: bool = False  # the vendor tells the next page by a link, which could lead elsewhere
    states: Mapping[str, bool | None] = field(default_factory=lambda: dict(STATES))  # statuses the list shows at all
    shown: Callable[[SandboxAccount], bool] = lambda account: (
        True
    )  # accounts the vendor never lists, whatever their status
    subject: int = 0  # which of the twelve is switched off and on
    account_of: Callable[[str], str] = lambda sandbox_id: sandbox_id  # sandbox id -> the connector's account id
    specs: tuple[str, ...] = ()  # names of contracts/specs files; empty: the vendor's own
    no_spec: str = ""  # why no specification of the vendor is kept
    cannot: Mapping[str, str] = field(default_factory=dict)  # capability the vendor's API does not offer -> why
    spec_free: str = ""  # paths (a regular expression) that no spec describes, with the reason in a comment
    lacks: str = ""  # what its check truly finds missing (a regular expression)
    name: str = ""  # where a connector has more than one tenant
    ground: str = "sandbox"  # where it stands: the sandbox, or a name of tests/promises/conftest.py
    source: str = "http://127.0.0.1"  # how the evidence of a pull begins
    piece: int = 3  # entries that come at once, where the connector does not let itself be told
    silent: str = ""  # names (a regular expression) whose absence is a statement: nothing there is "not locked"
    without: Mapping[str, str] = field(default_factory=dict)  # promise of PROMISES or fault that has no meaning -> why

    @property
    def id(self) -> str:
        """What the tests call it."""
        return self.name or self.connector


# Promises that not every tenant can be asked for; `Tenant.without` says why not.
PROMISES = ("pages", "lost page", "links", "redirects", "waiting", "credentials", "line", "mutations", "columns")
SPEAKS_HTTP = "the sandbox breaks each answer in half instead (half-body, half-json, slow-body)"


def why_not(tenant: Tenant, capability: str) -> str:
    """Why the connector cannot do this; every tenant whose connector cannot has to say it."""
    if tenant.kind == "source":
        return "a source of truth is only read: nothing is changed there, and it tells of people, not of what they do"
    return tenant.cannot[capability]


def tenants() -> list[Tenant]:
    """Every tenant, by walking the folder."""
    found = (importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__))
    return [module.TENANT for module in found]


def in_the_sandbox() -> list[Tenant]:
    """Those that speak HTTP."""
    return [tenant for tenant in tenants() if tenant.ground == "sandbox"]
