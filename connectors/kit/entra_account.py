"""How Microsoft Graph shows a user, and what that means for us.

Confirmed in the documentation of signInActivity: `lastSignInDateTime` and `lastNonInteractiveSignInDateTime` count
tries that failed too; `lastSuccessfulSignInDateTime` counts both kinds and only what succeeded, from 1 December 2023 on
and not backfilled; who never signed in has no signInActivity, and neither has who last did before April 2020.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from connectors.kit.resource import Resource
from governance.records import Account

SELECT: Final = (
    "id,displayName,userPrincipalName,mail,otherMails,accountEnabled,userType,createdDateTime,employeeId,department,"
    "jobTitle,onPremisesSyncEnabled,isResourceAccount,externalUserState,deletedDateTime"
)
# From then on a success is written down; who was made later and has none has never signed in.
SUCCESS_TOLD_SINCE: Final = datetime(2023, 12, 1, tzinfo=UTC)


def read_account(
    told: Resource,
    application: str,
    *,
    activity: bool,
    privileged: bool | None,
    mfa: bool | None,
    deleted: bool = False,
) -> Account | None:
    """The account a user of Graph is; None for one without an id. `activity`: whether signInActivity was asked for."""
    account_id = told.text("id")
    if account_id is None:
        return None
    created_at = told.instant("createdDateTime")
    seen_at, seen_known = last_success(told, created_at) if activity else (None, False)
    guest = (told.text("userType") or "").casefold() == "guest"
    mails = [mail for mail in told.several("otherMails") if isinstance(mail, str) and mail]
    return Account(
        application=application,
        account_id=account_id,
        username=_login(told.text("userPrincipalName"), account_id),
        email=told.text("mail") or (mails[0] if mails else None),
        display_name=told.text("displayName"),
        employee_id=told.text("employeeId"),
        kind="guest" if guest else "shared" if told.flag("isResourceAccount") else None,
        active=False if deleted else told.flag("accountEnabled"),
        last_seen_at=seen_at,
        last_seen_known=seen_known,
        created_at=created_at,
        mfa=mfa,
        privileged=privileged,
        department=told.text("department"),
        title=told.text("jobTitle"),
    )


def last_success(told: Resource, created_at: datetime | None) -> tuple[datetime | None, bool]:
    """The last sign-in that succeeded, of either kind, and whether that is known; a try is never taken for one.

    Where no success is told, a last try before successes were written down bounds the last use; a later one does not.
    """
    if told.get("signInActivity") is not None and not isinstance(told.get("signInActivity"), Mapping):
        return None, False
    success = told.instant("signInActivity.lastSuccessfulSignInDateTime")
    if success is not None:
        return success, True
    if told.get("signInActivity.lastSuccessfulSignInDateTime") is not None:
        return None, False  # told, but not in a way that can be read
    if created_at is not None and created_at >= SUCCESS_TOLD_SINCE:
        return None, True
    names = ("lastSignInDateTime", "lastNonInteractiveSignInDateTime")
    tries = [at for name in names if (at := told.instant(f"signInActivity.{name}")) is not None]
    if tries and max(tries) < SUCCESS_TOLD_SINCE:
        return max(tries), True
    return None, False


def _login(name: str | None, account_id: str) -> str | None:
    """The user principal name; deleted users carry their id without dashes before it."""
    return None if name is None else name.removeprefix(account_id.replace("-", ""))
