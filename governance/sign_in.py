"""The section `[sign_in]`: the providers people sign in with, how long that holds, and what their groups may."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from governance.durations import Duration
from governance.sections import Secret, Section

Role = Literal["admin", "security", "manager", "application_owner", "approver", "auditor"]


class ProviderSettings(Section):
    """An OpenID Connect provider people sign in with."""

    name: str = Field(pattern=r"^[a-z0-9]{1,32}$")  # part of the addresses of signing in
    title: str | None = None  # what its button says
    issuer: str = Field(pattern=r"^https?://[^\s?#]+$")  # its metadata lie below /.well-known/openid-configuration
    client_id: str = Field(min_length=1)
    client_secret: Secret
    scope: str = "openid email profile"  # some providers tell groups only when asked for `groups` here too

    @model_validator(mode="after")
    def _encrypted(self) -> ProviderSettings:
        if not encrypted_or_here(self.issuer):
            raise ValueError(f"issuer: {self.issuer} is not encrypted: expected https://, or http:// on this machine")
        return self

    @property
    def label(self) -> str:
        """The name for people."""
        return self.title or self.name.capitalize()

    @property
    def metadata_url(self) -> str:
        """Where the provider describes itself."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


class SignInSettings(Section):
    """How people sign in, how long that holds, and which of the provider's groups gives which role."""

    address: str | None = None  # where people reach the dashboard, such as https://leaverwatch.example.com
    provider: tuple[ProviderSettings, ...] = ()
    email_claim: str = "email"
    groups_claim: str = "groups"
    groups: dict[str, tuple[Role, ...]] = Field(default_factory=dict)
    idle: Duration = timedelta(minutes=15)
    longest: Duration = timedelta(hours=12)
    fresh: Duration = timedelta(minutes=5)  # how old a sign-in may be for whoever decides something

    @model_validator(mode="after")
    def _whole(self) -> SignInSettings:
        if self.provider and not self.address:
            raise ValueError("address: a provider sends people back to it: expected https://leaverwatch.example.com")
        if self.address and not re.fullmatch(r"https?://[^\s/?#]+/?", self.address):
            raise ValueError(f"address: expected https:// and a host, without a path, not {self.address!r}")
        if self.address and not encrypted_or_here(self.address):
            raise ValueError(f"address: {self.address} is not encrypted: expected https://, or http:// on this machine")
        names = [one.name for one in self.provider]
        if len(set(names)) < len(names):
            raise ValueError("two [[sign_in.provider]] have the same name")
        for key in ("idle", "longest", "fresh"):
            if getattr(self, key) < timedelta(minutes=1):
                raise ValueError(f"{key}: expected a minute or more")
        return self


def encrypted_or_here(address: str) -> bool:
    """Whether nobody between two machines can read what is sent to this address."""
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")
