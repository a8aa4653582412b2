"""The LDAP connector over a directory of `ldap_servers`, and what one pull of it gives, by name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW

from connectors.kit.contract import Circumstances
from connectors.ldap import Ldap
from governance.records import Account, Entitlement, Grant
from governance.settings import ApplicationSettings
from tests.ldap_servers import ADMIN, PASSWORD, READ_PASSWORD, READER, SUFFIX, missing

NEEDS_SLAPD = [
    pytest.mark.needs_slapd,
    pytest.mark.skipif(missing() is not None, reason=missing() or ""),
]
GROUP = f"ou=groups,{SUFFIX}"


@contextmanager
def connected(url: str, *, write: bool = False, deadline_s: float = 20, **told: Any) -> Iterator[Ldap]:
    options = {
        "base_url": url,
        "bind_dn": READER,
        "write_bind_dn": ADMIN,
        "token": {"env": "T"},
        "write_token": {"env": "W"},
        "group_base_dn": GROUP,
    }
    feed = ApplicationSettings(name="dir", connector="ldap", privileged=("wheel",), **{**options, **told})
    secrets = {"token": READ_PASSWORD, "write_token": PASSWORD}
    connector = Ldap(feed, Circumstances(now=NOW, home=Path(), secrets=secrets, write=write, deadline_s=deadline_s))
    try:
        yield connector
    finally:
        connector.close()


def read(connector: Ldap) -> tuple[dict[str, Account], set[tuple[str, str, str]], list[Entitlement]]:
    records = list(connector.records())
    people = {r.username or "": r for r in records if isinstance(r, Account)}
    names = {r.account_id: r.username for r in records if isinstance(r, Account)}
    groups = {r.entitlement_id: r.name for r in records if isinstance(r, Entitlement)}
    grants = {(names[r.account_id] or "", groups[r.entitlement_id], r.how) for r in records if isinstance(r, Grant)}
    return people, grants, [r for r in records if isinstance(r, Entitlement)]
