"""An Okta org, read and changed with API tokens."""

from tests.tenants import STATES, Tenant

TENANT = Tenant(
    connector="okta",
    vendor="okta",
    options=lambda url: {"base_url": url, "mfa": "all"},
    list_path=r"/api/v1/users$",
    follows_links=True,
    # A lock after wrong passwords ends by itself or by the owner's doing, and who was sent an activation link can take it
    # up: both count as open.
    states={**STATES, "locked": True, "pending": True},
    # Not in the trimmed specification: tokens, consents, rights of custom roles, giving groups and roles back.
    spec_free=r"^/oauth2/|/grants|/api-tokens|/iam/roles/",
)
