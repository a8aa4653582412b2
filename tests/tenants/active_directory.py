"""A branch of a real slapd with Microsoft's own schema, read as Active Directory."""

from tests.tenants import STATES, Tenant
from tests.tenants.ldap import TENANT as OPENLDAP

TENANT = Tenant(
    name="active_directory",
    connector="ldap",
    vendor="active_directory",
    ground="active_directory",
    options=OPENLDAP.options,
    secrets=OPENLDAP.secrets,
    list_path=OPENLDAP.list_path,
    source=OPENLDAP.source,
    # The bit says "disabled"; being locked out is a time that passes.
    states={**STATES, "pending": True, "locked": True},
    no_spec=OPENLDAP.no_spec,
    cannot=OPENLDAP.cannot,
    without=OPENLDAP.without,
)
