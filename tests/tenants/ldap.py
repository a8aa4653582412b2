"""A branch of a real OpenLDAP with its password policy, whose administrator has locked who may not sign in."""

from urllib.parse import urlsplit

from tests.ldap_servers import ADMIN, PASSWORD, READ_PASSWORD, READER, SUFFIX
from tests.tenants import STATES, Tenant


def options(url: str) -> dict[str, object]:
    place = urlsplit(url)
    branch = f"ou={place.path.strip('/')},{SUFFIX}"
    return {
        "base_url": f"ldap://{place.netloc}",
        "bind_dn": READER,
        "write_bind_dn": ADMIN,
        "base_dn": branch,
        "group_base_dn": branch,
        "privileged": ("administrators",),
    }


NO_SPEC = "LDAP's specifications are RFCs; the server is a real slapd, which refuses what does not follow them"
WITHOUT = {
    "links": "a directory names no next page by an address; referrals are never followed (test_ldap, test_half_told)",
    "redirects": "LDAP has referrals instead, and none is followed (test_ldap, test_half_told)",
    "waiting": "LDAP knows no refusal that says how long to wait: busy ends the pull, and the next one reads again",
    "storm": "LDAP knows no 429",
    "half-json": "an answer says how long it is: one that ends early is half-body",
}
TENANT = Tenant(
    connector="ldap",
    vendor="ldap",
    ground="openldap",
    options=options,
    secrets=lambda application: {"token": READ_PASSWORD, "write_token": PASSWORD},
    list_path="^accounts ",
    source="ldap://127.0.0.1",
    # Waiting for the first sign-in and locked out for a while by failed attempts are both "may sign in".
    states={**STATES, "pending": True, "locked": True},
    silent=r"(?i)^attributes$|pwdAccountLockedTime",
    no_spec=NO_SPEC,
    cannot={"events": "directories tell no events: their logs are files of each server"},
    without=WITHOUT,
)
