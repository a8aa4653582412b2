"""A company at Personio. Its description has no licence, so no specification of it is kept: see test_personio."""

from tests.tenants import STATES, Tenant
from tests.workforces import as_employees

TENANT = Tenant(
    connector="personio",
    vendor="personio",
    kind="source",
    options=lambda url: {"base_url": url, "client_id": "reader"},
    secrets=lambda application: {"token": application.token},
    prepare=as_employees,
    list_path=r"/company/employees$",
    counted=True,
    no_spec="Personio's own description has no licence to keep it under; test_personio holds its facts",
    # On leave, onboarding and locked out are all "has not left".
    states={**STATES, "suspended": True, "pending": True, "locked": True},
)
