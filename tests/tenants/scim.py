"""The standard itself, as the sandbox speaks it."""

from tests.tenants import Tenant

TENANT = Tenant(
    connector="scim",
    vendor="scim",
    options=lambda url: {"base_url": f"{url}v2/"},
    list_path=r"/Users$",
    counted=True,
    cannot={"events": "SCIM (RFC 7644) knows resources and no log of what happened to them"},
)
