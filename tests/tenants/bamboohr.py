"""A company at BambooHR; who is on leave is only told by an employment status of the company's own."""

from tests.tenants import STATES, Tenant
from tests.workforces import as_employees

TENANT = Tenant(
    connector="bamboohr",
    vendor="bamboohr",
    kind="source",
    options=lambda url: {"base_url": url},
    secrets=lambda application: {"token": application.token},
    prepare=as_employees,
    list_path=r"/employees$",
    counted=True,
    # On leave, not begun and locked out are all "has not left".
    states={**STATES, "suspended": True, "pending": True, "locked": True},
)
