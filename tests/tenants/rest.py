"""An application of no known vendor, described in TOML and nothing else."""

from tests.tenants import STATES, Tenant


def options(url: str) -> dict:
    return {
        "base_url": f"{url}api/v1/",
        "accounts": {
            "path": "users",
            "items": "users",
            "total": "total",
            "paging": "page",
            "size_param": "per_page",
            "size": 5,
        },
        "fields": {
            "account_id": "id",
            "username": "login",
            "email": "email",
            "display_name": "join(' ', [name.first, name.last])",
            "employee_id": "staffNumber",
            "kind": "type",
            "department": "department",
            "title": "position",
            "active": "state",
            "mfa": "twoFactor",
            "last_seen_at": "lastLogin",
            "created_at": "created",
            "entitlements": "roles",
        },
        "values": {
            "active": {"enabled": True, "invited": True, "locked": True, "disabled": False},
            "mfa": {"on": True, "off": False},
            "last_seen_at": {"0": "never"},
            "kind": {"human": "human", "service": "service", "bot": "bot", "guest": "guest", "shared": "shared"},
        },
        "account": {"path": "users/{account_id}"},
        "deactivate": {"path": "users/{account_id}/disable"},
        "reactivate": {"path": "users/{account_id}/enable"},
    }


TENANT = Tenant(
    connector="rest",
    vendor="rest",
    options=options,
    page_option=None,
    list_path=r"/api/v1/users$",
    counted=True,
    no_spec="the API is an invented one, which nobody has specified: it stands for any there may be",
    cannot={"events": "a declaration says how accounts are listed; of events each API has an idea of its own"},
    states={**STATES, "pending": True, "locked": True},
)
