"""A workspace of Slack on an Enterprise plan."""

from connectors.sandbox.model import SandboxApplication
from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    return {"base_url": f"{url}api/", "scim_url": f"{url}scim/v2/", "audit_url": f"{url}audit/v1/"}


def secrets(application: SandboxApplication) -> dict[str, str]:
    return {"token": application.token, "audit_token": application.token, "write_token": application.write_token}


TENANT = Tenant(
    connector="slack",
    vendor="slack",
    options=options,
    secrets=secrets,
    list_path=r"/users\.list$",
    # An invited person is a member who can come in at any time; Slack has no locked state.
    states={**STATES, "pending": True, "locked": True},
    # Discovery is part of SCIM, RFC 7644, and admin.users.setOwner is newer than the archived specification.
    spec_free=r"/ServiceProviderConfig$|/admin\.users\.setOwner$",
)
