"""One account of GitHub, put together from what the organisation, the identity provider and licences tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from connectors.kit.github_enterprise import Links
from connectors.kit.github_listed import Person
from connectors.kit.github_organisation import INVITATION, Organisation
from connectors.kit.resource import Resource
from governance.records import Account, Credential


@dataclass
class People:
    """Everything about people that was read, by login."""

    organisation: Organisation = field(default_factory=Organisation)
    links: Links = field(default_factory=Links)
    licences: dict[str, Resource] = field(default_factory=dict)
    last_used: dict[str, datetime] = field(default_factory=dict)
    credentials: dict[str, list[Credential]] = field(default_factory=dict)

    def plain(
        self, application: str, told: Sequence[Person], guids: Sequence[str | None], privileged: Sequence[bool | None]
    ) -> Iterator[Account]:
        """Members and outside collaborators. GitHub tells neither when they came nor when they were last here."""
        logins = [person.login for person in told]
        members, without = self.organisation.members.hold(logins), self.organisation.without_2fa
        lacking = [None] * len(logins) if without is None else without.of(logins)
        columns = zip(told, guids, privileged, self.links.name_of.of(logins), lacking, members, strict=True)
        for person, guid, is_privileged, called, lacks, is_member in columns:
            seen_at = self.last_used.get(person.login)
            licence = self.licences.get(person.login)
            if licence:
                called = called or licence.text("github_com_saml_name_id")
            addresses = [a for a in licence.several("github_com_verified_domain_emails") if a] if licence else []
            bot = (person.kind or "").casefold() == "bot"
            yield Account(
                application=application,
                account_id=person.login,
                username=person.login,
                email=_address(called) or person.email or next((a for a in addresses if isinstance(a, str)), None),
                display_name=person.name or (licence.text("github_com_name") if licence else None),
                external_id=guid,
                # People and the accounts of programs look the same; only Bot is said.
                kind="bot" if bot else "guest" if not is_member else None,
                active=True,
                last_seen_at=seen_at,
                last_seen_known=seen_at is not None,
                mfa=lacks is not True if without is not None else self._mfa(licence),
                privileged=is_privileged,
            )

    def managed(self, account: Account, login: str | None, privileged: bool | None) -> Account:
        """A managed account: what SCIM tells, with what is known of its login."""
        seen_at = self.last_used.get(login) if login else None
        return replace(
            account,
            username=login or account.username,
            last_seen_at=seen_at,
            last_seen_known=seen_at is not None,
            privileged=privileged,
        )

    @staticmethod
    def _mfa(licence: Resource | None) -> bool | None:
        return licence.flag("github_com_two_factor_auth") if licence else None


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
