"""What a provider tells of who signed in: the claims of its ID token (OpenID Connect Core 1.0, sections 2 and 5.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from governance.correlation import fold
from governance.settings import SignInSettings

AGAIN: Final = "-again"  # what the name of a provider ends with when it was asked to prove anew who somebody is
NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """One sign-in as the provider told it."""

    id: str  # SHA-256 of what is one of a kind in it: another sign-in of the same person has another
    issuer: str
    subject: str
    email: str  # folded
    verified: bool
    issued_at: datetime
    authenticated_at: datetime  # NEVER when nobody proves it
    groups: tuple[str, ...]


def read_claims(claims: Mapping[str, Any], settings: SignInSettings) -> Told | None:
    """The sign-in these claims tell of; None when they lack what makes one, or come from a provider not configured."""
    provider = str(claims.get("provider") or "")
    asked = provider.endswith(AGAIN)
    issued_at = _instant(claims.get("iat"))
    email = fold(str(claims.get(settings.email_claim) or ""))
    said = [claims.get("iss"), claims.get("sub")]
    if provider.removesuffix(AGAIN) not in {one.name for one in settings.provider} or issued_at is None or not email:
        return None
    if not all(isinstance(one, str) and one for one in said):
        return None
    issuer, subject = (str(one) for one in said)
    # Tokens of one second differ in the nonce, which is ours, or in the session the provider gave.
    one_of_a_kind = (
        issuer,
        subject,
        str(claims["iat"]),
        *(str(claims.get(key) or "") for key in ("nonce", "sid", "jti")),
    )
    return Told(
        id=hashlib.sha256("\x1f".join(one_of_a_kind).encode()).hexdigest(),
        issuer=issuer,
        subject=subject,
        email=email,
        verified=claims.get("email_verified") is not False,
        issued_at=issued_at,
        # Without auth_time only a token that was asked for with prompt=login is known to follow a proof.
        authenticated_at=_instant(claims.get("auth_time")) or (issued_at if asked else NEVER),
        groups=_groups(claims.get(settings.groups_claim)),
    )


def _instant(value: Any) -> datetime | None:
    """Seconds since 1970 as an instant; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _groups(value: Any) -> tuple[str, ...]:
    """The names of the groups, however the provider wrote them: a list, or one by itself."""
    listed = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return tuple(dict.fromkeys(one for one in listed if isinstance(one, str) and one and "\n" not in one))
