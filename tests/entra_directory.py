"""The twelve in an Entra directory of the sandbox; what is asked of it and what it answers fits the specification."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.specs import SpecCheck
from tests.tenants.entra import TENANT
from tests.twelve import Twelve

# Written by us, not in the trimmed specification; they are in Microsoft's reference of Graph v1.0.
BEYOND_THE_SPEC = {("POST", "/members/$ref"), ("POST", "/roleAssignments"), ("POST", "/appRoleAssignments")}
GROUP, INNER, APP, ROLE = (f"{n}0000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3, 4))


class Directory(Twelve):
    """The twelve in an Entra directory."""

    def __init__(self, **options: Any) -> None:
        super().__init__(TENANT, "directory", options)


@contextlib.contextmanager
def checked_directory() -> Iterator[Directory]:
    """A directory that answers over HTTP; at the end all it was asked is held against the specification."""
    made = Directory()
    with made.sandbox:
        yield made
        asked = [
            seen for seen in made.sandbox.requests
            if not any(seen.method == verb and seen.path.endswith(part) for verb, part in BEYOND_THE_SPEC)
        ]  # fmt: skip
        problems = SpecCheck("entra", free=TENANT.spec_free).problems(asked)
        assert problems == [], problems
