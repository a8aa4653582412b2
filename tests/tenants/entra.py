"""An Entra directory with all licences; reader and writer are two registered applications."""

from connectors.kit.entra_check import CREDENTIALS, READ, WRITE
from connectors.sandbox.model import SandboxApplication
from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    return {"base_url": f"{url}v1.0/", "login_url": url, "tenant": "nwl.example", "client_id": "reader"}


def prepare(application: SandboxApplication) -> None:
    application.settings |= {"permissions": [*READ, *CREDENTIALS], "write_permissions": list(WRITE)}


TENANT = Tenant(
    connector="entra",
    vendor="entra",
    options=options,
    secrets=lambda a: {"client_secret": a.token, "write_token": a.write_token},
    prepare=prepare,
    list_path=r"/v1.0/users$",
    follows_links=True,
    # An invited account can be taken up, and a lock after wrong passwords is told nowhere; deleted ones are listed for
    # 30 days.
    states={**STATES, "pending": True, "locked": True, "deleted": False},
    # Not in the trimmed specification: tokens, consents and passes, giving groups, roles and applications back, and
    # which groups changed ("group: delta" in Microsoft's reference of Graph v1.0).
    spec_free=r"^/[^/]+/oauth2/|oauth2PermissionGrants|/authentication/|/groups/delta\(\)",
)
