"""The check of any connector: quiet where all is well, and in words where something is missing (FAULTS.md G14)."""

from __future__ import annotations

import re

import pytest

from connectors.kit.contract import Connector
from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, FeedError
from tests.tenancy import connected, promised, small


class TestChecks:
    def test_all_is_well_with_the_credential_that_reads(self, tenant, ground):
        application = small(tenant, ground)
        with connected(tenant, ground, application) as connector:
            missing = connector.check().missing
        if tenant.lacks:
            assert missing
            assert all(re.search(tenant.lacks, said) for said in missing)
        else:
            assert missing == ()

    def test_a_credential_that_is_refused_is_an_error_that_names_the_feed(self, tenant, ground):
        promised(tenant, "credentials")
        application = small(tenant, ground)
        ground.faults[application.name] = Faults(unauthorized=True)
        with (
            connected(tenant, ground, application) as connector,
            pytest.raises(AuthenticationFailed) as failure,
        ):
            connector.check()
        assert "one" in str(failure.value) or application.name in str(failure.value)

    def test_what_is_not_there_is_said(self, tenant, ground):
        application = small(tenant, ground)
        ground.faults[application.name] = Faults(fail_status=404)
        with connected(tenant, ground, application) as connector:
            said = said_by(connector)
        assert said, "nothing is there, and nothing is said to be missing"


def said_by(connector: Connector) -> tuple[str, ...]:
    """What the check says is missing, or the error it ends with."""
    try:
        return connector.check().missing
    except FeedError as error:
        return (str(error),)
