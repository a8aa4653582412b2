"""What can be done in an application from here: what its connector is able to, as far as its settings allow it."""

from __future__ import annotations

from typing import Final

from governance.house import House
from governance.settings import ActSettings, ApplicationSettings
from governance.tables import Connector, Remediation

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


def gives_back(house: House, r: Remediation) -> bool:
    """Whether what was closed or taken away there can be given back from here, as far as the store knows."""
    application = next((one for one in house.settings.application if one.name == r.application), None)
    if application is None:
        return False
    with house.store.read() as session:
        connector = session.get(Connector, application.connector)
    if connector is None:  # then the call itself says so
        return True
    wanted = "reactivate" if r.entitlement_id is None else "revoke_grant"
    return wanted in possible(house.settings.act, connector, application)
