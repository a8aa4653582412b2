"""Pulls over SCIM: from the demo's server with whatever manners, or from one that answers exactly what a test says."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.manners import Manners
from connectors.sandbox.scim_server import ScimSandbox
from governance.records import Account
from tests.feeds import TOKEN, Pulled, pull, scim_connector
from tests.wild_server import Behaviour, WildServer, listing, says

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NO_GROUPS = says({"status": "404"}, 404)


def people(count: int) -> list[dict[str, Any]]:
    return [
        {"userName": f"p{n}@nwl.example", "active": n % 3 != 0, "emails": [{"value": f"p{n}@nwl.example"}]}
        for n in range(count)
    ]


def shown(manners: Manners) -> str:
    """Only what is unusual about them."""
    usual = vars(Manners())
    return " ".join(f"{name}={value}" for name, value in vars(manners).items() if value != usual[name]) or "usual"


def sandbox(accounts: list[dict[str, Any]], manners: Manners | None = None, **more: Any) -> ScimSandbox:
    return ScimSandbox(accounts, token=TOKEN, manners=manners, **more)


def pulled(server: ScimSandbox | WildServer, **options: Any) -> Pulled:
    connector = scim_connector(server.url, **options)
    try:
        return pull(connector)
    finally:
        connector.close()


def reads(*behaviours: Behaviour, **options: Any) -> Pulled:
    """A pull from a server that answers exactly so."""
    with WildServer(*behaviours) as server:
        return pulled(server, **options)


def one_account(resource: dict[str, Any], **options: Any) -> Account:
    """The one account of a server without groups."""
    result = reads(NO_GROUPS, says(listing(resource)), **options)
    return next(iter(result.accounts.values()))
