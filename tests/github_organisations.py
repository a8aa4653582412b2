"""The twelve in an organisation of GitHub of the sandbox, a plain one or one with managed users, asked as specified."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from connectors.sandbox.github_shapes import scim_id
from tests.specs import SpecCheck
from tests.tenants import Tenant
from tests.tenants.github import TENANT as MANAGED
from tests.twelve import Twelve

# Not in the trimmed specification: how teams and roles are given, and the token of an App.
BEYOND_THE_SPEC = (("PUT", "/teams/"), ("PUT", "/organization-roles/"), ("POST", "/app/"), ("POST", "/graphql"))


class Organisation(Twelve):
    """The twelve in an organisation, with a role of it and authorised credentials."""

    def __init__(self, tenant: Tenant) -> None:
        super().__init__(tenant, "organisation")
        self.managed = tenant is MANAGED
        self.owners = self.admins
        self.holds("5000009", "all_repo_read", "role", ["bruno"], orgrole=True)

    def id(self, name: str) -> str:
        return scim_id(self.people[name].id) if self.managed else self.login(name)

    def login(self, name: str) -> str:
        """The name somebody signs in with."""
        account = self.people[name]
        return f"{account.given}-{account.family}".lower() + ("_nwl" if self.managed else "")


@contextlib.contextmanager
def checked_organisation(tenant: Tenant) -> Iterator[Organisation]:
    """An organisation that answers over HTTP; at the end all it was asked is held against the specification."""
    made = Organisation(tenant)
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and part in seen.path for verb, part in BEYOND_THE_SPEC)
            and not (seen.path.endswith("/ServiceProviderConfig") or seen.method == "PATCH")
        ]  # fmt: skip
        problems = SpecCheck("github").problems(asked)
        assert problems == [], problems
