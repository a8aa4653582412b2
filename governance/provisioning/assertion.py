"""What an identity provider asserts about somebody who signs in, whatever protocol it came by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

PERSISTENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
EMAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
UNSPECIFIED: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
PAIRWISE: Final = "oidc:sub"  # the subject of an id token; at Entra another one for each application


@dataclass(frozen=True, slots=True)
class Assertion:
    """One sign-in as the identity provider states it. `groups` None: not told, which is not the same as none."""

    issuer: str
    audience: str
    subject: str
    subject_format: str
    at: datetime  # when the person proved who they are
    verified: bool = False  # whether the signature was checked
    immutable_id: str | None = None
    tenant_id: str | None = None  # of the directory, where one identity provider serves many
    username: str | None = None
    email: str | None = None
    email_verified: bool | None = None
    first_name: str | None = None
    last_name: str | None = None
    department: str | None = None
    title: str | None = None
    employee_number: str | None = None
    employee_type: str | None = None
    manager: str | None = None
    groups: tuple[str, ...] | None = None
    groups_overage: bool = False  # there were more groups than fit: none of them is told
    roles: tuple[str, ...] = ()
    amr: tuple[str, ...] = ()
    acr: str | None = None  # how strongly: the context class of SAML, the acr claim of a token
    session_index: str | None = None
    several: tuple[tuple[str, tuple[str, ...]], ...] = ()  # of ours with more than one value all of them, by its name
    attributes: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())  # as they came, those that are allowed

    @property
    def key(self) -> str | None:
        """What stays the same for this person through every rename; None when nothing does."""
        if self.immutable_id:
            return self.immutable_id
        return self.subject if self.subject_format in (PERSISTENT, PAIRWISE) else None

    @property
    def cautions(self) -> tuple[str, ...]:
        """What makes it hard to meet the same person again, or to believe what is told of them."""
        found = []
        if self.subject_format == TRANSIENT:
            found.append("the subject is another one at each sign-in: every sign-in looks like a new person")
        elif self.key is None and (self.subject_format == EMAIL or "@" in self.subject):
            found.append("the subject is an e-mail address: after a rename a second account is made")
        if self.email_verified is False:
            found.append("the e-mail address was not verified: anybody may have entered it")
        if self.groups_overage:
            found.append("there were more groups than fit into the assertion: which, is not known")
        return tuple(found)

    def values(self, attribute: str) -> tuple[str, ...] | None:
        """Everything an attribute of a mapping says: ours by name, else one that came; None when it is not told."""
        if attribute == "groups":
            return None if self.groups_overage else self.groups
        if attribute == "roles":
            return self.roles
        if attribute in _OURS:
            value = getattr(self, attribute)
            return None if value is None else dict(self.several).get(attribute, (str(value),))
        return dict(self.attributes).get(attribute)


_OURS: Final = frozenset(
    {"email", "username", "department", "title", "employee_number", "employee_type", "first_name", "last_name"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read. `signature` "encrypted": nothing can be read here, and `assertion` is None."""

    protocol: Literal["saml", "oidc"]
    assertion: Assertion | None
    signature: Literal["verified", "unverified", "encrypted"]
    by: str | None = None  # which certificate or key signed it, and how; None when that was not checked
    holds_from: datetime | None = None
    holds_until: datetime | None = None
    expired: bool = False
    warnings: tuple[str, ...] = ()
    told: tuple[tuple[str, tuple[str, ...]], ...] = ()  # every attribute or claim as it came
