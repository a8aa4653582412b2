"""A program, not a connector: an invented company and the SCIM server of its one SCIM application, on loopback only."""
