"""From what somebody pasted to what an identity provider asserts, verified or marked as unverified."""

from __future__ import annotations

from datetime import datetime

from governance.provisioning.assertion import Reading
from governance.provisioning.envelope import opened
from governance.provisioning.oidc import read_token
from governance.provisioning.saml import read_saml
from governance.provisioning.trust import Trust


def read(text: str | bytes, *, trust: Trust | None, now: datetime, expired_is_fine: bool = False) -> Reading:
    """What a SAML response or an id token says, however it was pasted: raw, base64, deflated, a form, an address.

    With a trust everything must hold, or RefusedAssertion says the one thing that does not; `expired_is_fine` lets an
    expired one pass, and `expired` says so. Without a trust it is read and marked "unverified".
    Raises UnreadableAssertion for what is no assertion, with what was expected and where.
    """
    letter = opened(text)
    reader = read_saml if letter.kind == "xml" else read_token
    return reader(letter.text, trust, now, expired_is_fine=expired_is_fine)
