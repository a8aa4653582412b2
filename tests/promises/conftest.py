"""One suite for every connector: each test runs for each tenant, over the ground that tenant stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox.serving import Sandbox
from tests.grounds import Ground
from tests.grounds.database import PostgreSql, Sqlite
from tests.grounds.directory import ActiveDirectory, OpenLdap
from tests.grounds.files import Folder, Sftp
from tests.ldap_servers import missing
from tests.tenancy import Standing, pulled, small, standing
from tests.tenants import Tenant, tenants

NO_SLAPD = pytest.mark.skipif(missing() is not None, reason=missing() or "")
NEEDS: dict[str, list[pytest.MarkDecorator]] = {
    "openldap": [pytest.mark.needs_slapd, NO_SLAPD],
    "active_directory": [pytest.mark.needs_slapd, NO_SLAPD],
    "postgresql": [pytest.mark.needs_postgres],
}
GROUNDS: dict[str, Callable[[Path], Ground]] = {
    "openldap": OpenLdap,
    "active_directory": ActiveDirectory,
    "sqlite": Sqlite,
    "folder": Folder,
    "sftp": Sftp,
}
# SQLAlchemy lets go of a server cursor whose DECLARE failed without closing it; there is nothing left to close then.
LEFT_OPEN = pytest.mark.filterwarnings("ignore:.*was deleted while still open:ResourceWarning")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that asks for a tenant runs for each."""
    if "tenant" in metafunc.fixturenames:
        each = [pytest.param(t, id=t.id, marks=[*NEEDS.get(t.ground, ()), LEFT_OPEN]) for t in tenants()]
        metafunc.parametrize("tenant", each)


@pytest.fixture(scope="module")
def grounds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Where tenants stand, by name; one of each kind for all tests of a file, made when first asked for."""
    made: dict[str, Standing] = {}

    def ground(name: str) -> Standing:
        if name not in made:
            folder = tmp_path_factory.mktemp(name)
            if name == "sandbox":
                made[name] = Sandbox([]).start()
            elif name == "postgresql":
                made[name] = PostgreSql(folder, request.getfixturevalue("postgres"))
            else:
                made[name] = GROUNDS[name](folder)
        return made[name]

    yield ground
    for one in made.values():
        one.close() if isinstance(one, Ground) else one.stop()


@pytest.fixture
def ground(tenant: Tenant, grounds: Callable[[str], Standing]) -> Standing:
    """Where the tenant's applications stand: every test puts applications of its own there."""
    return grounds(tenant.ground)


@pytest.fixture(scope="module")
def readings(grounds: Callable[[str], Standing]) -> Any:
    """One quiet pull of the twelve per tenant, with what was asked and what stood there; read by several tests."""
    kept: dict[str, Any] = {}

    def reading(tenant: Tenant) -> Any:
        if tenant.id not in kept:
            ground = grounds(tenant.ground)
            application = small(tenant, ground)
            before = standing(ground, application)
            outcome = pulled(tenant, ground, application)
            kept[tenant.id] = application, outcome, ground.asked(application.name), before
        return kept[tenant.id]

    return reading
