"""From what somebody pasted to what an identity provider asserts, verified or marked as unverified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from governance.provisioning.assertion import Assertion
from governance.provisioning.trust import Trust


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


def read(text: str | bytes, *, trust: Trust | None, now: datetime, expired_is_fine: bool = False) -> Reading:
    """What a SAML response or an id token says, however it was pasted: raw, base64, deflated, a form, an address.

    With a trust everything must hold, or RefusedAssertion says the one thing that does not; `expired_is_fine` lets an
    expired one pass, and `expired` says so. Without a trust it is read and marked "unverified".
    Raises UnreadableAssertion for what is no assertion, with what was expected and where.
    """
    raise NotImplementedError
