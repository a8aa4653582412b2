"""A Confluence site with its organisation; the state of accounts is the organisation's word."""

from tests.tenants import STATES, Tenant
from tests.tenants.jira import secrets


def options(url: str) -> dict[str, object]:
    return {"base_url": f"{url}wiki/", "email": "reader@nwl.example", "org_id": "org-6f1c", "org_url": url}


TENANT = Tenant(
    connector="confluence",
    vendor="confluence",
    options=options,
    secrets=secrets,
    list_path=r"/users/search$|/membersByGroupId$",
    counted=True,  # each page says how many are on it
    # An invited account works as soon as it is made, and a lock is told by no list. Closed accounts are in no group.
    states={**STATES, "pending": True, "locked": True, "deleted": False},
    # The trimmed specifications leave out: API tokens, giving groups and roles back.
    spec_free=r"/manage/api-tokens|/role-assignments/assign|/memberships$",
)
