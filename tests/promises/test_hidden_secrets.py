"""No secret of any connector is seen anywhere, whatever goes wrong (FAULTS.md G8)."""

from __future__ import annotations

import json
import logging
import traceback
from urllib.parse import urlsplit

from connectors.sandbox.faults import Faults
from governance.errors import LeaverwatchError
from tests.tenancy import connected, promised, small


class TestSecrets:
    def test_no_canary_is_seen_anywhere(self, tenant, ground, caplog):
        promised(tenant, "credentials")
        caplog.set_level(logging.DEBUG)
        application = small(tenant, ground)
        said = []
        secrets = tenant.secrets(application)
        for faults in (
            Faults(), Faults(unauthorized=True), Faults(forbidden=True), Faults(html_with_200=True),
            Faults(fail_status=418), Faults(half_json=True), Faults(redirect_to="http://127.0.0.1:9"),
            Faults(mutate=lambda path, data: {"error": json.dumps(list(secrets.values()))}),
        ):  # fmt: skip
            ground.faults[application.name] = faults
            with connected(tenant, ground, application, deadline_s=2.0) as connector:
                try:
                    said += [repr(record) for record in connector.records()]
                except LeaverwatchError as error:
                    said.append("".join(traceback.format_exception(error)))
                said += [repr(connector.reading), repr(connector.options), repr(connector.given), str(connector)]
        assert len(ground.asked(application.name)) > 5
        everything = "\n".join([*said, caplog.text, *(str(r.__dict__) for r in caplog.records)])
        for name, value in canaries(secrets).items():
            assert len(value) >= 8, "a canary is no word"
            assert value not in everything, f"{name} leaked"


def canaries(secrets: dict[str, str]) -> dict[str, str]:
    """Every secret, and the password in an address."""
    inner = {f"password in {name}": word for name, value in secrets.items() if (word := _password(value))}
    return secrets | inner


def _password(value: str) -> str | None:
    return urlsplit(value).password if "://" in value else None
