"""Who holds what in an identity provider, gathered before the accounts themselves are read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from governance.records import Entitlement


@dataclass
class Held:
    """How an account holds one entitlement."""

    how: str
    since: datetime | None = None


@dataclass
class Holdings:
    """Every entitlement and who holds it. What could not be read is not told, which differs from nothing."""

    entitlements: dict[str, Entitlement] = field(default_factory=dict)
    held: dict[str, dict[str, Held]] = field(default_factory=dict)
    unclear: set[str] = field(default_factory=set)  # accounts of which a part could not be read
    groups_told: bool = True
    roles_told: bool = True

    @property
    def all_told(self) -> bool:
        """Whether groups and roles may be seen at all."""
        return self.groups_told and self.roles_told

    def told(self, account_id: str) -> bool:
        """Whether everything is known that the account holds."""
        return self.all_told and account_id not in self.unclear

    def add(self, account_id: str, entitlement_id: str, held: Held) -> None:
        """One grant; what is held directly goes before what comes through a group."""
        mine = self.held.setdefault(account_id, {})
        if entitlement_id not in mine or held.how == "direct":
            mine[entitlement_id] = held
