"""A Jira site with its organisation: portal-only customers are read too, so that all twelve are."""

from connectors.sandbox.model import SandboxApplication
from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    return {
        "base_url": url,
        "email": "reader@nwl.example",
        "org_id": "org-6f1c",
        "org_url": url,
        "customers": True,
    }


def secrets(application: SandboxApplication) -> dict[str, str]:
    return {"token": application.token, "org_token": application.token, "write_token": application.write_token}


TENANT = Tenant(
    connector="jira",
    vendor="jira",
    options=options,
    secrets=secrets,
    list_path=r"/users/search$",
    # An invited account works as soon as it is made, and a lock after wrong passwords is told by no list. Closed
    # accounts stay in the list.
    states={**STATES, "pending": True, "locked": True, "deleted": False},
    # The trimmed specifications leave out: API tokens, giving groups and roles back.
    spec_free=r"/manage/api-tokens|/role-assignments/assign|/memberships$",
)
