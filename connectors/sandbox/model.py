"""What one invented application holds, told apart from how a vendor's API shows it."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time
from typing import Any, Final

STATUSES: Final = ("active", "suspended", "deactivated", "pending", "locked", "deleted")
_EVENT_OF_STATUS: Final = {"active": "reactivated", "deleted": "deleted", "locked": "updated", "pending": "updated"}


@dataclass
class SandboxAccount:
    """One account. `last_seen_at` None: it has never signed in. `mfa` None: the application cannot tell.

    In an HR system an account is a person; `more` then holds ISO dates: hire_date, last_day, contract_end, leave_from,
    leave_until, and employee_type (employee or contractor).
    """

    id: str
    username: str
    email: str | None
    given: str
    family: str
    kind: str = "human"  # human, service, bot, guest or shared
    status: str = "active"  # one of STATUSES
    created_at: datetime = datetime(2024, 1, 15, 9, tzinfo=UTC)
    last_seen_at: datetime | None = None
    mfa: bool | None = None
    department: str | None = None
    title: str | None = None
    employee_id: str | None = None
    external_id: str | None = None
    manager_id: str | None = None
    managed_by: str = "local"  # jit, scim, invited, imported or local
    more: dict[str, Any] = field(default_factory=dict)  # what only this vendor knows

    @property
    def name(self) -> str:
        """The name as it is shown."""
        return f"{self.given} {self.family}".strip()


@dataclass
class SandboxEntitlement:
    """Something an account can hold: role, group, profile, licence."""

    id: str
    name: str
    kind: str = "role"
    privileged: bool = False
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class SandboxGrant:
    """One account holding one entitlement."""

    account_id: str
    entitlement_id: str
    since: datetime
    how: str = "direct"


@dataclass
class SandboxEvent:
    """Something that happened; kinds are those of governance.records.EVENT_KINDS."""

    id: str
    at: datetime
    kind: str
    account_id: str | None = None
    actor: str | None = None  # account id of who did it, or the name of a program
    success: bool | None = None
    target: str | None = None  # for `sso` the application, for `granted` and `revoked` the entitlement id
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class SandboxCredential:
    """A token, key or grant that opens an account."""

    id: str
    account_id: str
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None


class SandboxApplication:
    """One application with everything in it. A vendor's module shows it; changes go through the methods."""

    def __init__(
        self,
        name: str,
        vendor: str,
        title: str = "",
        *,
        accounts: Iterable[SandboxAccount] = (),
        entitlements: Iterable[SandboxEntitlement] = (),
        grants: Iterable[SandboxGrant] = (),
        events: Iterable[SandboxEvent] = (),
        credentials: Iterable[SandboxCredential] = (),
        settings: dict[str, Any] | None = None,
        token: str = "",
        write_token: str = "",
        now: Callable[[], datetime] = lambda: datetime.fromtimestamp(time(), UTC),  # a server's own clock
    ) -> None:
        self.name, self.vendor, self.title = name, vendor, title or name.title()
        self.accounts = {account.id: account for account in accounts}
        self.entitlements = {entitlement.id: entitlement for entitlement in entitlements}
        self.grants = list(grants)
        self.events = list(events)
        self.credentials = list(credentials)
        self.counted = len(self.events)  # events there ever were: an id is never given twice
        self.settings = dict(settings or {})
        self.ledger: dict[str, Any] = {}  # what a vendor writes down of changes, see connectors.sandbox.ledger
        # Known to everybody who can read this file, and worth nothing: they open invented people on loopback.
        self.token = token or f"{name}-read-token"
        self.write_token = write_token or f"{name}-write-token"
        self.now = now
        self.lock = threading.RLock()
        self._indexed: tuple[int, int] = (-1, -1)
        self._by_account: dict[str, list[SandboxGrant]] = {}
        self._by_entitlement: dict[str, list[SandboxGrant]] = {}

    def held(self, account_id: str) -> list[SandboxGrant]:
        """What the account holds."""
        with self.lock:
            self._index()
            return list(self._by_account.get(account_id, ()))

    def holders(self, entitlement_id: str) -> list[SandboxGrant]:
        """Who holds the entitlement."""
        with self.lock:
            self._index()
            return list(self._by_entitlement.get(entitlement_id, ()))

    def by_username(self, username: str) -> SandboxAccount | None:
        """The account of that username, whatever its case."""
        wanted = username.casefold()
        return next((a for a in self.accounts.values() if a.username.casefold() == wanted), None)

    def privileged(self, account_id: str) -> bool:
        """Whether the account holds anything privileged."""
        return any(self.entitlements[g.entitlement_id].privileged for g in self.held(account_id))

    def record(
        self,
        kind: str,
        account_id: str | None = None,
        actor: str | None = None,
        *,
        at: datetime | None = None,
        success: bool | None = True,
        target: str | None = None,
        **more: Any,
    ) -> SandboxEvent:
        """Write down that something happened, now unless told otherwise."""
        with self.lock:
            self.counted += 1
            event = SandboxEvent(
                f"{self.name}-{self.counted:07d}", at or self.now(), kind, account_id, actor, success, target, more
            )
            self.events.append(event)
            return event

    def set_status(self, account_id: str, status: str, actor: str | None = None) -> SandboxAccount:
        """Change whether the account can sign in; the same status again leaves no event."""
        if status not in STATUSES:
            raise ValueError(f"{status!r} is no status; expected one of {', '.join(STATUSES)}")
        with self.lock:
            account = self.accounts[account_id]
            if account.status != status:
                account.status = status
                self.record(_EVENT_OF_STATUS.get(status, "deactivated"), account_id, actor)
            return account

    def grant(self, account_id: str, entitlement_id: str, actor: str | None = None, how: str = "direct") -> None:
        """Let the account hold the entitlement; twice is the same as once."""
        with self.lock:
            if not any(g.entitlement_id == entitlement_id for g in self.held(account_id)):
                made = SandboxGrant(account_id, entitlement_id, self.now(), how)
                self.grants.append(made)
                self._by_account.setdefault(account_id, []).append(made)
                self._by_entitlement.setdefault(entitlement_id, []).append(made)
                self._indexed = (id(self.grants), len(self.grants))
                self.record("granted", account_id, actor, target=entitlement_id)

    def revoke(self, account_id: str, entitlement_id: str, actor: str | None = None) -> bool:
        """Take the entitlement away; says whether it was held."""
        with self.lock:
            kept = [g for g in self.grants if (g.account_id, g.entitlement_id) != (account_id, entitlement_id)]
            taken = len(kept) < len(self.grants)
            if taken:
                self.grants = kept
                self._indexed = (-1, -1)
                self.record("revoked", account_id, actor, target=entitlement_id)
            return taken

    def state(self) -> dict[str, Any]:
        """A copy of everything that can change."""
        with self.lock:
            return copy.deepcopy({name: getattr(self, name) for name in _CHANGING})

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a copy."""
        with self.lock:
            for name in _CHANGING:
                setattr(self, name, copy.deepcopy(state[name]))
            self._indexed = (-1, -1)

    def _index(self) -> None:
        """Grants by account and by entitlement, made anew when the list has changed."""
        print_ = (id(self.grants), len(self.grants))
        if print_ == self._indexed:
            return
        self._by_account, self._by_entitlement = {}, {}
        for grant in self.grants:
            self._by_account.setdefault(grant.account_id, []).append(grant)
            self._by_entitlement.setdefault(grant.entitlement_id, []).append(grant)
        self._indexed = print_


_CHANGING: Final = ("accounts", "entitlements", "grants", "events", "credentials", "settings", "counted")
