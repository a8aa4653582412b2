"""The export of an application without an API, in a folder on this machine."""

from tests.tenants import STATES, Tenant

A_FILE = "a file on this machine is opened, not asked: there is no credential"
WITHOUT = {
    "pages": "a file is one piece",
    "links": "a file names no place to go to",
    "redirects": "a file sends nobody elsewhere",
    "waiting": "a file is there or is not",
    **dict.fromkeys(("500", "502", "503", "teapot", "storm"), "an answer of HTTP that a file has no like of"),
    "half-json": "the same as half-body",
}
ON_THIS_MACHINE = {
    **dict.fromkeys(("credentials", "401", "403"), A_FILE),
    "line": "there is no line to break; a file cut anywhere stands in test_hr_csv_files",
    "slow-body": "a file that is still being written stands in test_hr_csv_files",
}
TENANT = Tenant(
    connector="app_csv",
    vendor="app_csv",
    ground="folder",
    options=lambda url: {"path": url},
    secrets=lambda application: {},
    page_option=None,
    list_path=r"\.csv$",
    source="/",
    states={**STATES, "pending": True, "locked": True},
    no_spec="the form of the file is our own",
    cannot={
        "events": "a list says what is, not what happened",
        "read_one": "a file is read whole: one account by itself is not asked for",
        "deactivate": "nothing can be changed through a file: a task for a person closes an account",
        "reactivate": "the same",
    },
    without={**WITHOUT, **ON_THIS_MACHINE},
)
