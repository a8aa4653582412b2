"""An organisation of GitHub whose enterprise has managed users, and a plain one."""

import dataclasses

from connectors.sandbox.github_shapes import scim_id
from connectors.sandbox.model import SandboxApplication
from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    return {"base_url": url, "organization": "nwl", "enterprise": "nwl-enterprise", "managed": True}


def prepare(application: SandboxApplication) -> None:
    application.settings["managed"] = True


TENANT = Tenant(
    connector="github",
    vendor="github",
    options=options,
    prepare=prepare,
    list_path=r"/Users$",
    counted=True,
    follows_links=True,
    account_of=scim_id,
    # A managed account that has not signed in yet is one like any other.
    states={**STATES, "pending": True},
    # GraphQL has a schema of its own; discovery is part of SCIM; and of changing one managed account the specification
    # says that `value` is a text, against its own example disableUser (checked in tests/test_github.py).
    spec_free=r"^/graphql$|/ServiceProviderConfig$|/scim/v2/enterprises/[^/]+/Users/[^/]+$",
)
PLAIN = dataclasses.replace(
    TENANT,
    options=lambda url: {"base_url": url, "organization": "nwl"},
    prepare=lambda application: None,
)
