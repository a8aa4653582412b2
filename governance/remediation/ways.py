"""What can be done in an application from here: what its connector is able to, as far as its settings allow it."""

from __future__ import annotations

from typing import Final

from governance.settings import ActSettings, ApplicationSettings
from governance.tables import Connector

WRITE_CREDENTIAL: Final = "write_token"


def offered(connector: Connector | None, application: ApplicationSettings) -> set[str]:
    """The capabilities its connector has in this application; none where the store does not know the connector.

    Some hang on a setting: GitHub suspends only managed accounts, a REST API only by a call that is declared.
    """
    if connector is None:
        return set()
    able = set(connector.capabilities or ())
    for field in connector.fields or ():
        given = bool(application.options.get(field["name"], field.get("default")))
        able -= set(field.get("rules_out" if given else "needed_for") or ())
    return able


def possible(act: ActSettings, connector: Connector | None, application: ApplicationSettings) -> set[str]:
    """What may be called there: nothing while acting is switched off or no credential is given that may write."""
    if not (act.enabled and application.options.get(WRITE_CREDENTIAL)):
        return set()
    return offered(connector, application)
