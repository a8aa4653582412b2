"""A customer of Google Workspace; reader and writer are two service accounts, whose signatures are checked."""

from connectors.sandbox.model import SandboxApplication
from tests.keys import public_key, service_account
from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    return {"base_url": url, "token_url": f"{url}token", "subject": "admin@nwl.example"}


def secrets(_: SandboxApplication) -> dict[str, str]:
    return {"token": service_account("reader"), "write_token": service_account("writer")}


def prepare(application: SandboxApplication) -> None:
    names = ("reader", "writer")
    application.settings["service_accounts"] = {f"{n}@leaverwatch-test.example": public_key(n) for n in names}
    for credential in application.credentials:
        credential.kind = "oauth_grant"


TENANT = Tenant(
    connector="google_workspace",
    vendor="google_workspace",
    options=options,
    secrets=secrets,
    prepare=prepare,
    list_path=r"/directory/v1/users$",
    # Who has not signed in yet is no status of its own; deleted accounts are listed for 20 days.
    states={**STATES, "pending": True, "deleted": False},
    # Not in the trimmed specification: the token endpoint, giving groups and roles back, removing app passwords.
    spec_free=r"^/token$",
)
