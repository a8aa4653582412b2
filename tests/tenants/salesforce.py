"""A Salesforce organisation; reader and writer are two clients with secrets. Portal licences are read too."""

from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.model import SandboxApplication
from tests.tenants import STATES, Tenant


def prepare(application: SandboxApplication) -> None:
    application.settings["client_account"] = vendor_id("salesforce", 999)


TENANT = Tenant(
    connector="salesforce",
    vendor="salesforce",
    options=lambda url: {"base_url": url, "client_id": "reader", "write_client_id": "writer", "portal": True},
    prepare=prepare,
    list_path=r"/query",
    follows_links=True,
    # An account works as soon as it is made, a lock after wrong passwords ends by itself, and nobody is ever deleted.
    states={**STATES, "pending": True, "locked": True, "deleted": False},
    # The trimmed specification leaves out: making assignments, ending sessions, revoking tokens.
    spec_free=r"/sobjects/[A-Za-z]+$|AuthSession|/oauth2/revoke",
    lacks="^pull: (View|Manage) ",
)
