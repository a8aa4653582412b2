"""The accounts of an Atlassian organisation by their ids: a million of them fit into memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from connectors.kit.filed import Filed
from connectors.kit.numbered import Ids


class Member(NamedTuple):
    """One account as the organisation knows it."""

    account_id: str
    kind: str | None = None
    active: bool | None = None
    account_status: str | None = None  # active, inactive, closed
    suspended: bool = False
    managed: bool | None = None
    synced: bool = False
    email: str | None = None
    name: str | None = None
    department: str | None = None
    title: str | None = None
    created_at: datetime | None = None
    last_seen_at: datetime | None = None
    last_seen_known: bool = False
    mfa: bool | None = None
    uses: bool = False  # the product was opened at least once
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


NOBODY: Final = Member("")  # of whom nothing is told


class Members(Filed[Member]):
    """Everybody by their ids; NOBODY where nothing is known."""

    def __init__(self, ids: Ids | None = None) -> None:
        """`ids`: accounts that have numbers already, whose order then counts."""
        super().__init__(Member, NOBODY, ids)

    def take(self, members: Sequence[Member]) -> None:
        """Take these in."""
        self.add([member.account_id for member in members], members)
