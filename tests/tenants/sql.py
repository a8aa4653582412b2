"""The tables of an application with accounts in them, in a file of SQLite."""

from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    del url  # the address holds a password: it is a secret
    return {
        "query": "SELECT * FROM account",
        "entitlements_query": "SELECT account_id, entitlement FROM held",
        "privileged": ("administrators",),
        "values": {
            "active": {"1": True, "0": False, "true": True, "false": False},
            "mfa": {"1": True, "0": False, "true": True, "false": False},
            "last_seen_at": {"never": "never"},
        },
    }


NO_SPEC = "SQL is a standard nobody can be checked against here; the databases are real"
CANNOT = {
    "events": "a query says what is, not what happened",
    "read_one": "the query tells every account: one by itself is not asked for",
    "deactivate": "a database of somebody else's application is never written: a task for a person closes an account",
    "reactivate": "the same",
}
WITHOUT = {
    "pages": "a query has one answer, which ends by itself",
    "links": "rows name no place to go to",
    "redirects": "a database sends nobody elsewhere",
    "waiting": "a database knows no refusal that says how long to wait",
    **dict.fromkeys(("500", "502", "503", "teapot", "storm"), "an answer of HTTP that a database has no like of"),
    "half-json": "the same as half-body",
}
A_FILE = "a file here is opened, not asked: who may not read it has no account to lose"
TENANT = Tenant(
    connector="sql",
    vendor="sql",
    ground="sqlite",
    options=options,
    secrets=lambda application: {"url": application.token},
    page_option=None,
    piece=2_000,
    list_path="SELECT",
    source="sqlite:///",
    states={**STATES, "pending": True, "locked": True},
    no_spec=NO_SPEC,
    cannot=CANNOT,
    without={
        **WITHOUT,
        **dict.fromkeys(("credentials", "401", "403"), A_FILE),
        "line": "there is no line to break: the file is on this machine",
        "slow-body": "there is no line to be slow",
    },
)
