"""One account of Salesforce: the row of User, completed by whether its login is frozen and its second factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.kit.columns import Objects
from connectors.kit.portions import Meanings
from connectors.kit.resource import Reader
from connectors.kit.salesforce_query import NotReadable, Soql, select, where, where_in
from governance.records import Account, Reading, Rows

COLUMNS: Final = (
    "Id", "Username", "Email", "Name", "FederationIdentifier", "IsActive", "UserType", "CreatedDate", "CreatedById",
    "LastLoginDate", "Department", "Title", "EmployeeNumber", "ManagerId", "ProfileId", "Profile.Name",
    "Profile.UserLicense.Name", "Profile.UserLicense.LicenseDefinitionKey", "UserRoleId",
)  # fmt: skip
# Nobody signs in with these: visitors of a public site, and what Salesforce itself works with.
NOBODY: Final = ("Guest", "AutomatedProcess", "CloudIntegrationUser")
PORTAL: Final = ("PowerPartner", "Partner", "CspLitePortal", "CSPLitePortal", "CustomerSuccess", "PowerCustomerSuccess")
METHODS: Final = ("HasTotp", "HasU2F", "HasSecurityKey", "HasSalesforceAuthenticator", "HasBuiltInAuthenticator")
_AGENT: Final = "pid_digitalagent"
_LICENCE: Final = "Profile.UserLicense"
_TEXTS: Final = {
    "username": "Username", "email": "Email", "display_name": "Name", "external_id": "FederationIdentifier",
    "employee_id": "EmployeeNumber", "department": "Department", "title": "Title",
}  # fmt: skip


@dataclass
class Logins:
    """What stands beside the rows of User."""

    frozen: dict[str, bool | None] = field(default_factory=dict)  # only those that are, or may be
    frozen_told: bool | None = True  # None: a row could not be read, so anybody may be; False: not told at all
    mfa: Mapping[str, bool | None] | None = None  # None: not told
    tokens: dict[str, int] = field(default_factory=dict)  # how many programs may act as whom; only those shown


class LoginReader:
    """Reads it."""

    def __init__(self, soql: Soql, reading: Reading, reader: Reader, place: str) -> None:
        self._soql = soql
        self._reading = reading
        self._reader = reader
        self._place = place

    def read(self, *, frozen: bool, account_id: str | None = None) -> Logins:
        """Frozen logins and second factors of all accounts, or of one."""
        logins = Logins(frozen_told=frozen)
        if frozen:
            self._frozen(logins, account_id)
        else:
            self._reading.notes.append("frozen accounts are not told apart: they count as active (frozen = false)")
        logins.mfa = self._factors(account_id)
        if account_id is None:
            logins.tokens = self._opening()
        return logins

    def _frozen(self, logins: Logins, account_id: str | None) -> None:
        """The vendor's own query for all frozen accounts: there are few."""
        one = (where("UserId", account_id),) if account_id else ()
        query = select(("Id", "UserId", "IsFrozen"), "UserLogin", where("IsFrozen", True), *one)
        try:
            for _, data in self._soql.rows(query, self._reading):
                row = self._reader.of(data)
                owner = row.text("UserId")
                if owner is None:
                    logins.frozen_told = None
                else:
                    logins.frozen[owner] = True if row.flag("IsFrozen") else None
        except NotReadable:
            # Whoever IsActive lets in can sign in as far as anybody can tell: to call them unknown would hide leavers.
            logins.frozen_told = False
            self._reading.notes.append(
                "frozen accounts are not told apart: they count as active (it needs the permission Manage Users)"
            )

    def _opening(self) -> dict[str, int]:
        """How many programs hold a token of whom. Only of those whose tokens are shown: of the rest nothing is told."""
        found: dict[str, int] = {}
        try:
            for _, items in self._soql.lists(select(("UserId",), "OauthToken"), self._reading):
                for owner in Objects(items, self._reader).texts("UserId"):
                    if owner is not None:
                        found[owner] = found.get(owner, 0) + 1
        except NotReadable:
            self._reading.notes.append("tokens of programs are not told: it needs the permission Customize Application")
        return found

    def _factors(self, account_id: str | None) -> Mapping[str, bool | None] | None:
        one = (where("UserId", account_id),) if account_id else ()
        found: dict[str, bool | None] = {}
        registered = Meanings(_registered)
        try:
            query = select(("UserId", *METHODS), "TwoFactorMethodsInfo", *one)
            for _, items in self._soql.lists(query, self._reading):
                rows = Objects(items, self._reader)
                told = zip(*map(rows.flags, METHODS), strict=True)
                owners = [owner or "" for owner in rows.texts("UserId")]
                found |= zip(owners, map(registered.__getitem__, told), strict=True)
        except NotReadable:
            self._reading.notes.append("MFA is not told: it needs the permission Manage MFA in API")
            return None
        return found


def where_wanted(*, portal: bool) -> str:
    """Which accounts are asked for."""
    return where_in("UserType", NOBODY if portal else (*NOBODY, *PORTAL), "NOT IN")


def accounts_of(
    rows: Objects, ids: Sequence[str], application: str, logins: Logins, privileged: Sequence[bool | None]
) -> Rows:
    """The accounts of these ids that the rows of a page describe."""
    kinds = _kinds(rows)
    seen_at, federated = rows.instants("LastLoginDate"), rows.values("FederationIdentifier")
    never = [
        told and value is None
        for told, value in zip(rows.tells("LastLoginDate"), rows.values("LastLoginDate"), strict=True)
    ]
    columns: dict[str, Sequence[Any]] = {
        "application": [application] * len(ids),
        "account_id": ids,
        **{ours: rows.texts(theirs) for ours, theirs in _TEXTS.items()},
        "kind": kinds,
        "active": _active(rows, ids, logins),
        "last_seen_at": seen_at,
        # Programs sign in with tokens, which leave no date: that proves nothing of them.
        "last_seen_known": [
            at is not None or (none and kind not in ("service", "bot"))
            for at, none, kind in zip(seen_at, never, kinds, strict=True)
        ],
        "created_at": rows.instants("CreatedDate"),
        "mfa": _mfa(ids, federated, logins),
        "privileged": privileged,
        "credentials": list(map(logins.tokens.get, ids)),
    }
    return Rows(Account, columns)


def _active(rows: Objects, ids: Sequence[str], logins: Logins) -> list[bool | None]:
    told, frozen, others = rows.flags("IsActive"), logins.frozen, None if logins.frozen_told is None else True
    return [
        active if not active else others if one not in frozen else False if frozen[one] else None
        for one, active in zip(ids, told, strict=True)
    ]


def _mfa(ids: Sequence[str], federated: Sequence[Any], logins: Logins) -> list[bool | None]:
    """Registered here; who comes through an identity provider may have it there, so none here is unknown."""
    registered = map((logins.mfa or {}).get, ids)
    return [None if one is False and name else one for one, name in zip(registered, federated, strict=True)]


def _kinds(rows: Objects) -> list[str | None]:
    bots = [key is not None and key.casefold() == _AGENT for key in rows.texts(f"{_LICENCE}.LicenseDefinitionKey")]
    rows = rows.only([not bot for bot in bots])
    named = [name is not None and "integration" in name.casefold() for name in rows.texts(f"{_LICENCE}.Name")]
    told = rows.only([not service for service in named]).texts("UserType")
    return [
        "bot" if bot else "service" if service else None if kind is None else "guest" if kind in PORTAL else "human"
        for bot, service, kind in zip(bots, named, told, strict=True)
    ]


def _registered(told: tuple[bool | None, ...]) -> bool | None:
    return True if any(told) else None if None in told else False
