"""One account of GitHub, put together from what the organisation, the identity provider and licences tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from connectors.kit.credentials import last_used
from connectors.kit.filed import Filed
from connectors.kit.github_enterprise import Licence, Links, Opened, licences
from connectors.kit.github_listed import Person
from connectors.kit.github_organisation import INVITATION, Organisation
from connectors.kit.resource import Resource
from governance.records import Account


@dataclass
class People:
    """Everything about people that was read, by login."""

    organisation: Organisation = field(default_factory=Organisation)
    links: Links = field(default_factory=Links)
    licences: Filed[Licence] = field(default_factory=licences)
    acted: dict[str, datetime] = field(default_factory=dict)  # last, by the newest entries of the audit log
    credentials: Opened = field(default_factory=Opened)

    def last_used(self, logins: Sequence[str]) -> list[datetime | None]:
        """When each was last here, by what they did and by the use of their tokens and keys."""
        opened = map(last_used, self.credentials.of(logins))
        return [max(filter(None, both), default=None) for both in zip(map(self.acted.get, logins), opened, strict=True)]

    def plain(
        self, application: str, told: Sequence[Person], guids: Sequence[str | None], privileged: Sequence[bool | None]
    ) -> Iterator[Account]:
        """Members and outside collaborators. GitHub tells neither when they came nor when they were last here."""
        logins = [person.login for person in told]
        members, without = self.organisation.members.hold(logins), self.organisation.without_2fa
        lacking = [None] * len(logins) if without is None else without.of(logins)
        known = zip(self.links.name_of.of(logins), self.licences.of(logins), self.last_used(logins), strict=True)
        columns = zip(told, guids, privileged, known, lacking, members, strict=True)
        for person, guid, is_privileged, (named, licence, seen_at), lacks, is_member in columns:
            called = named or licence.called
            bot = (person.kind or "").casefold() == "bot"
            yield Account(
                application=application,
                account_id=person.login,
                username=person.login,
                email=_address(called) or person.email or licence.address,
                display_name=person.name or licence.name,
                external_id=guid,
                # People and the accounts of programs look the same; only Bot is said.
                kind="bot" if bot else "guest" if not is_member else None,
                active=True,
                last_seen_at=seen_at,
                last_seen_known=seen_at is not None,
                mfa=lacks is not True if without is not None else licence.two_factor,
                privileged=is_privileged,
            )

    @staticmethod
    def managed(account: Account, login: str | None, seen_at: datetime | None, privileged: bool | None) -> Account:
        """A managed account: what SCIM tells, with what is known of its login."""
        return replace(
            account,
            username=login or account.username,
            last_seen_at=seen_at,
            last_seen_known=seen_at is not None,
            privileged=privileged,
        )


def invited(application: str, told: Resource) -> Account | None:
    """A pending invitation: whoever has it can come in, and never was."""
    invitation_id = told.text("id")
    if invitation_id is None:
        return None
    return Account(
        application=application,
        account_id=f"{INVITATION}{invitation_id}",
        username=told.text("login") or told.text("email"),
        email=told.text("email"),
        active=True,
        last_seen_known=True,
        created_at=told.instant("created_at"),
        privileged=told.text("role") == "admin" if told.text("role") else None,
    )


def _address(called: str | None) -> str | None:
    return called if called and "@" in called else None
