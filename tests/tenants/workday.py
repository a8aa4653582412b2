"""A tenant of Workday with one report, made as of 60 days ahead."""

from tests.tenants import STATES, Tenant
from tests.workforces import as_employees


def options(url: str) -> dict[str, object]:
    return {
        "base_url": url,
        "tenant": "northwind",
        "report": "hr_reports/Leaverwatch",
        "username": "ISU_Leaverwatch",
        "as_of_prompt": "Effective_as_of_Date",
    }


TENANT = Tenant(
    connector="workday",
    vendor="workday",
    kind="source",
    options=options,
    secrets=lambda application: {"password": application.token},
    prepare=as_employees,
    page_option=None,
    list_path=r"/customreport2/",
    # On leave, hired and locked out are all "has not left".
    states={**STATES, "suspended": True, "pending": True, "locked": True},
    lacks="^column ",
)
