"""A company in Bob, read by a service user who may see everybody; Bob's own id is the employee id."""

from connectors.sandbox.model import SandboxApplication
from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    return {"base_url": url, "service_user": "SERVICE-1234", "employee_id": "root.id"}


def secrets(application: SandboxApplication) -> dict[str, str]:
    return {"token": application.token}


TENANT = Tenant(
    connector="hibob",
    vendor="hibob",
    kind="source",
    options=options,
    secrets=secrets,
    page_option=None,
    list_path=r"/people/search$",
    # On leave, hired and locked out are all "has not left".
    states={**STATES, "suspended": True, "pending": True, "locked": True},
)
