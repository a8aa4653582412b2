"""Who holds what in an identity provider, gathered before the accounts themselves are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connectors.kit.granted import grant_rows
from connectors.kit.privilege import holds_privilege
from governance.records import Entitlement, Rows


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

    def privileged(self, ids: Iterable[str]) -> list[bool | None]:
        """Whether each of these accounts holds anything privileged."""
        entitlements, held, all_told, unclear = self.entitlements, self.held, self.all_told, self.unclear
        return [
            holds_privilege(
                [entitlements[e].privileged for e in held.get(account_id, ())],
                told=all_told and account_id not in unclear,
            )
            for account_id in ids
        ]

    def grants(self, application: str, ids: Sequence[str]) -> Rows:
        """What these accounts hold."""
        here = [self.held.get(account_id, {}) for account_id in ids]
        held = [one for several in here for one in several.values()]
        return grant_rows(application, ids, here, how=[one.how for one in held], since=[one.since for one in held])

    def add(self, account_id: str, entitlement_id: str, held: Held) -> None:
        """One grant; what is held directly goes before what comes through a group."""
        mine = self.held.setdefault(account_id, {})
        if entitlement_id not in mine or held.how == "direct":
            mine[entitlement_id] = held
