"""Which entitlements are privileged: what the vendor's own documentation says, and what the operator declared."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from governance.settings import ApplicationSettings, SourceSettings


class Privilege:
    """The operator's patterns of entitlement names go before what a connector knows."""

    def __init__(self, feed: SourceSettings | ApplicationSettings) -> None:
        patterns = feed.privileged if isinstance(feed, ApplicationSettings) else ()
        self._patterns = tuple(pattern.casefold() for pattern in patterns)

    def of(self, name: str, default: bool | None = None) -> bool | None:
        """Whether an entitlement of this name is privileged; `default` where no pattern fits."""
        folded = name.casefold()
        return True if any(fnmatchcase(folded, pattern) for pattern in self._patterns) else default


def holds_privilege(held: Iterable[bool | None], *, told: bool) -> bool | None:
    """Whether an account is privileged: one privileged entitlement is enough; to say it is not, all must be known."""
    seen = list(held)
    if True in seen:
        return True
    return False if told and None not in seen else None
