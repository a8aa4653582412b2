"""Tokens, keys and consents that a vendor lists of everybody at once: what a pull tells of whom it saw any of.

Such a list is never taken for all there is: of who has none in it, it stays unknown whether anything opens the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec.structs import replace

from governance.records import Account, Credential


def opened(account: Account, held: Iterable[Credential], now: datetime) -> Iterator[Account | Credential]:
    """The account with the number of those that work, and each of them as the account's; none: not told."""
    good = working(held, now)
    yield replace(account, credentials=len(good)) if good else account
    yield from (replace(one, account_id=account.account_id) for one in good)


def working(held: Iterable[Credential], now: datetime) -> list[Credential]:
    """Those that did not expire."""
    return [one for one in held if one.expires_at is None or one.expires_at > now]


def last_used(held: Iterable[Credential]) -> datetime | None:
    """When any of them was last used; None where that is not told."""
    return max((one.last_used_at for one in held if one.last_used_at), default=None)
