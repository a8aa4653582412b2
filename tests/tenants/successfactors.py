"""A company in Employee Central, read by a technical user with a password."""

from connectors.sandbox.model import SandboxApplication
from tests.tenants import STATES, Tenant
from tests.workforces import as_employees


def secrets(application: SandboxApplication) -> dict[str, str]:
    return {"password": application.token}


TENANT = Tenant(
    connector="successfactors",
    vendor="successfactors",
    kind="source",
    options=lambda url: {"base_url": url, "company_id": "NWL", "username": "sf-reader"},
    secrets=secrets,
    prepare=as_employees,
    list_path=r"/EmpJob$",
    follows_links=True,
    # On leave, hired and locked out are all "has not left".
    states={**STATES, "suspended": True, "pending": True, "locked": True},
)
