"""What the connectors of Atlassian's products declare alike: keys of the configuration, scopes, and what plans hide."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Final

from connectors.kit.contract import Field

ORG_URL: Final = "https://api.atlassian.com/"
ORG_ROLE: Final = "org:"  # how the ids of the organisation's roles begin
OVERLAP: Final = timedelta(minutes=10)  # clocks differ, and logs are written late
# The products do not tell which groups administer them, only the organisation does; these names they are made with.
ADMIN_GROUPS: Final = (
    "administrators",
    "site-admins",
    "org-admins",
    "system-administrators",
    "jira-administrators",
    "jira-admins-*",
    "confluence-administrators",
    "confluence-admins-*",
)
OF_ORGANISATION: Final = ("deactivate", "reactivate", "suspend", "credentials")  # a site cannot do these itself
SITE_FIELDS: Final = (
    Field("email", "Whom the API token belongs to. Without it the token is sent as a bearer token (OAuth 2.0)."),
    Field("token", "An API token that may read the site.", "secret", required=True),
    Field(
        "org_id",
        "The organisation's id; it adds last use, MFA, e-mail addresses, suspended accounts and events.",
        needed_for=OF_ORGANISATION,
    ),
    Field("org_token", "An organisation API key with read scopes.", "secret"),
    Field(
        "write_token",
        "An organisation API key created without scopes, or with write_email an API token of the site;"
        " without it nothing can be changed.",
        "secret",
    ),
    Field(
        "write_email",
        "Set where write_token is an API token of the site: then only groups can be changed.",
        rules_out=OF_ORGANISATION,
    ),
    Field("directory_id", "One directory of the organisation; by default all.", default="-"),
    Field("site_id", "The site's cloud id, where the organisation has several sites of this product."),
    Field("org_url", "The organisation API's address.", "url", default=ORG_URL),
    Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
)
PLANS: Final = (
    "Without the organisation API last use and MFA are unknown, hidden e-mail addresses stay hidden, and no account can"
    " be switched off.",
    "MFA is told only of accounts whose domain the organisation has claimed (managed accounts).",
    "Sign-ins and most of the audit log need Atlassian Guard; it is kept for 180 days.",
    "Groups synced from an identity provider can be changed only there.",
)
SCOPES: Final = {
    "pull": ("read:directories:admin", "read:groups:admin"),
    "events": ("read:events:admin",),
    "read_one": ("read:directories:admin",),
    "deactivate": ("an organisation API key without scopes",),
    "reactivate": ("an organisation API key without scopes",),
    "suspend": ("an organisation API key without scopes",),
    "revoke_grant": ("an organisation API key without scopes, or an API token of a site admin",),
    "credentials": ("an organisation API key without scopes",),
}


Administers = Callable[[str, str], bool | None]  # id and name of a group -> whether it administers anything


def is_admin_group(name: str) -> bool:
    """Whether a group of this name administers the site, by the names Atlassian gives such groups."""
    return any(fnmatchcase(name.casefold(), pattern) for pattern in ADMIN_GROUPS)
