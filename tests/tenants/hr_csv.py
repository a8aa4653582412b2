"""The export of an HR system, in a folder on this machine."""

from tests.tenants import STATES, Tenant
from tests.tenants.app_csv import ON_THIS_MACHINE, WITHOUT
from tests.workforces import as_employees

TENANT = Tenant(
    connector="hr_csv",
    vendor="hr_csv",
    kind="source",
    ground="folder",
    options=lambda url: {"path": url},
    secrets=lambda application: {},
    prepare=as_employees,
    page_option=None,
    list_path=r"\.csv$",
    source="/",
    # On leave, hired and locked out are all "has not left".
    states={**STATES, "suspended": True, "pending": True, "locked": True},
    no_spec="the form of the file is our own",
    without={**WITHOUT, **ON_THIS_MACHINE},
)
