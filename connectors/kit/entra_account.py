"""How Microsoft Graph shows a user, and what that means for us.

Confirmed in the documentation of signInActivity: `lastSignInDateTime` and `lastNonInteractiveSignInDateTime` count
tries that failed too; `lastSuccessfulSignInDateTime` counts both kinds and only what succeeded, from 1 December 2023 on
and not backfilled; who never signed in has no signInActivity, and neither has who last did before April 2020.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from connectors.kit.columns import Objects
from governance.records import Account, Rows

SELECT: Final = (
    "id,displayName,userPrincipalName,mail,otherMails,accountEnabled,userType,createdDateTime,employeeId,department,"
    "jobTitle,onPremisesSyncEnabled,isResourceAccount,externalUserState,deletedDateTime"
)
# From then on a success is written down; who was made later and has none has never signed in.
SUCCESS_TOLD_SINCE: Final = datetime(2023, 12, 1, tzinfo=UTC)
_SUCCESS: Final = "signInActivity.lastSuccessfulSignInDateTime"


def read_accounts(
    told: Objects,
    ids: Sequence[str],
    application: str,
    *,
    activity: bool,
    privileged: Sequence[bool | None],
    mfa: Sequence[bool | None],
    deleted: bool = False,
) -> Rows:
    """The accounts of these ids that users of Graph are. `activity`: whether signInActivity was asked for."""
    created_at = told.instants("createdDateTime")
    seen_at, seen_known = last_success(told, created_at) if activity else ([None] * len(ids), [False] * len(ids))
    guest = [(kind or "").casefold() == "guest" for kind in told.texts("userType")]
    mails = zip(told.texts("mail"), told.values("otherMails"), strict=True)
    shared = zip(guest, told.only([not one for one in guest]).flags("isResourceAccount"), strict=True)
    return Rows(
        Account,
        {
            "application": [application] * len(ids),
            "account_id": ids,
            "username": list(map(_login, told.texts("userPrincipalName"), ids)),
            "email": [mail or (_first(others) if others else None) for mail, others in mails],
            "display_name": told.texts("displayName"),
            "employee_id": told.texts("employeeId"),
            "kind": ["guest" if is_guest else "shared" if is_shared else None for is_guest, is_shared in shared],
            "active": [False] * len(ids) if deleted else told.flags("accountEnabled"),
            "last_seen_at": seen_at,
            "last_seen_known": seen_known,
            "created_at": created_at,
            "mfa": mfa,
            "privileged": privileged,
            "department": told.texts("department"),
            "title": told.texts("jobTitle"),
        },
    )


def last_success(told: Objects, created_at: Sequence[datetime | None]) -> tuple[list[datetime | None], list[bool]]:
    """The last sign-in of each that succeeded, of either kind, and whether that is known; a try is never taken for one.

    Where no success is told, a last try before successes were written down bounds the last use; a later one does not.
    """
    readable = [value is None or type(value) is dict for value in told.values("signInActivity")]
    seen_at = told.only(readable).instants(_SUCCESS)
    successes = zip(readable, told.values(_SUCCESS), strict=True)
    untold = [one and value is None for one, value in successes]
    late = [at is not None and at >= SUCCESS_TOLD_SINCE for at in created_at]
    seen_known = [at is not None or (none and new) for at, none, new in zip(seen_at, untold, late, strict=True)]
    tried = [none and not new for none, new in zip(untold, late, strict=True)]
    if any(tried):
        names = ("lastSignInDateTime", "lastNonInteractiveSignInDateTime")
        tries = (told.only(tried).instants(f"signInActivity.{name}") for name in names)
        for place, both in enumerate(zip(*tries, strict=True)):
            last = max(filter(None, both), default=None)
            if last is not None and last < SUCCESS_TOLD_SINCE:
                seen_at[place], seen_known[place] = last, True
    return seen_at, seen_known


def _first(others: Any) -> str | None:
    """The first address of several; a single one may stand without its list."""
    several = others if isinstance(others, list) else [others]
    return next((mail for mail in several if isinstance(mail, str) and mail), None)


def _login(name: str | None, account_id: str) -> str | None:
    """The user principal name; deleted users carry their id without dashes before it."""
    return None if name is None else name.removeprefix(account_id.replace("-", ""))
