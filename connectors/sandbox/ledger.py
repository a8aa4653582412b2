"""What changed in an application and when, whoever changed it and however: what delta links and stamps are made from.

It is looked at before a list is answered. It does not outlive a restart: then the events tell of changes, and numbers
begin above all that were given before, so that older links are known to be too old.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from time import time
from typing import Any, Final, Literal

from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement

What = Literal["accounts", "groups"]
_GONE: Final = ""  # stands for the facts of what is not there any more


class Ledger:
    """Numbers and times of changes; `about` and `within` are the facts whose change counts."""

    def __init__(
        self,
        application: SandboxApplication,
        about: Callable[[SandboxAccount], Any],
        within: Callable[[SandboxEntitlement], Any] = lambda _: None,
        groups: tuple[str, ...] = ("group",),
    ) -> None:
        self._application = application
        self._about, self._within, self._groups = about, within, groups

    def look(self) -> None:
        """Write down what differs from the last look."""
        application, new = self._application, not self._application.ledger
        if new:
            born = int(time())  # a server's own clock
            application.ledger = {"number": born, "born": born, "accounts": {}, "groups": {}}
        kept = self._kept
        groups = [e for e in application.entitlements.values() if e.kind in self._groups]
        facts: dict[What, dict[str, str]] = {
            "accounts": {a.id: _digest(self._about(a)) for a in application.accounts.values()},
            "groups": {g.id: _digest(self._within(g)) for g in groups},
        }
        first = self._first() if new else {}
        now = application.now().isoformat()
        for what, found in facts.items():
            before = kept[what]
            if new:
                kept[what] = {one: [digest, kept["born"], first.get(one, now)] for one, digest in found.items()}
                continue
            for one, digest in (*found.items(), *((gone, _GONE) for gone in before.keys() - found.keys())):
                if one not in before or before[one][0] != digest:
                    kept["number"] += 1
                    before[one] = [digest, kept["number"], now]

    @property
    def number(self) -> int:
        """How many changes there were."""
        return int(self._kept["number"])

    def knows(self, number: int) -> bool:
        """Whether every change after that number is known."""
        return bool(self._kept["born"] <= number <= self._kept["number"])

    def since(self, what: What, number: int) -> list[str]:
        """What changed after the change of that number, in the order of their last changes."""
        found = [(told[1], one) for one, told in self._kept[what].items() if told[1] > number]
        return [one for _, one in sorted(found)]

    def at(self, what: What, one: str) -> datetime:
        """When it changed last."""
        told = self._kept[what].get(one)
        return datetime.fromisoformat(told[2]) if told else self._application.now()

    @property
    def _kept(self) -> dict[str, Any]:
        if not self._application.ledger:
            self.look()
        return self._application.ledger

    def _first(self) -> dict[str, str]:
        """Before the first look the events tell of changes, or that it was made; of a group, who came in last."""
        application = self._application
        found = {a.id: a.created_at.isoformat() for a in application.accounts.values()}
        stamps: Iterable[tuple[str, datetime]] = ((g.entitlement_id, g.since) for g in application.grants)
        changes = (e for e in application.events if e.kind in ("created", "updated", "deactivated", "reactivated"))
        moves = ((e.target or "", e.at) for e in application.events if e.kind in ("granted", "revoked"))
        for one, at in (*stamps, *moves, *((e.account_id or "", e.at) for e in changes)):
            found[one] = max(found.get(one, ""), at.isoformat())
        return found


def _digest(facts: Any) -> str:
    return hashlib.blake2b(repr(facts).encode(), digest_size=12).hexdigest()
