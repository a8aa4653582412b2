"""The twelve in an Okta org of the sandbox; what is asked of it and what it answers fits the specification."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.specs import SpecCheck
from tests.tenants.okta import TENANT
from tests.twelve import Twelve

# Written by us, not in the trimmed specification; they are in Okta's whole one (management 2026.06).
BEYOND_THE_SPEC = {("PUT", "/groups/"), ("POST", "/apps/"), ("POST", "/roles")}
NEW_STATUSES = ("'ACTIVATING'", "'SOMETHING_NEW'")  # the first is in the documentation and not in the specification
GROUP, APP = "00g" + "G" * 17, "0oa" + "A" * 17


class Org(Twelve):
    """The twelve in an Okta org, all of whose second factors are read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(TENANT, "org", options)


@contextlib.contextmanager
def checked_org() -> Iterator[Org]:
    """An org that answers over HTTP; at the end all it was asked is held against the specification."""
    made = Org()
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and part in seen.path for verb, part in BEYOND_THE_SPEC)
        ]  # fmt: skip
        found = SpecCheck("okta", free=TENANT.spec_free).problems(asked)
        problems = [p for p in found if not any(new in p for new in NEW_STATUSES)]
        assert problems == [], problems
