"""Loose ends of a deactivation: sessions that go on, and credentials that open an account without its owner."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from governance import remediation
from governance.errors import FeedError, NotSupported, RemediationError
from governance.house import House
from governance.tables import Remediation

if TYPE_CHECKING:
    from connectors.kit.contract import CanReadOne
    from governance.records import Credential


def tie_up(house: House, connector: CanReadOne, now: datetime, r: Remediation) -> None:
    """End the account's sessions and revoke its credentials, each intent committed first; what fails is noted.

    A failure here does not undo the deactivation: what stays open keeps the remediation from being verified.
    """
    from connectors.kit.contract import CanEndSessions, CanListCredentials

    if isinstance(connector, CanEndSessions):
        remediation.intend(house, now, r.id, "end_sessions", {"account_id": r.account_id})
        try:
            receipt = connector.end_sessions(r.account_id)
        except (FeedError, RemediationError) as error:
            remediation.noted(house, now, r.id, "end_sessions", error)
        else:
            remediation.noted(house, now, r.id, "end_sessions", receipt)
    if not isinstance(connector, CanListCredentials):
        return
    for credential in open_credentials(connector, r.account_id) or ():
        remediation.intend(house, now, r.id, "revoke_credential", {"credential": credential.credential_id})
        try:
            receipt = connector.revoke_credential(r.account_id, credential.credential_id)
        except (FeedError, RemediationError) as error:
            remediation.noted(house, now, r.id, "revoke_credential", error)
        else:
            remediation.noted(house, now, r.id, "revoke_credential", receipt)


def open_credentials(connector: CanReadOne, account_id: str) -> list[Credential] | None:
    """The credentials that still open the account; None where nobody can tell."""
    from connectors.kit.contract import CanListCredentials

    if not isinstance(connector, CanListCredentials):
        return None
    try:
        return connector.credentials(account_id)
    except (FeedError, NotSupported):
        return None
