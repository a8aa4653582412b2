"""One account of Salesforce: the row of User, completed by whether its login is frozen and its second factor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from connectors.kit.resource import Reader, Resource
from connectors.kit.salesforce_query import NotReadable, Soql, select, where, where_in
from governance.records import Account, Reading

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
            for _, data in self._soql.rows(select(("UserId",), "OauthToken"), self._reading):
                owner = self._reader.of(data).text("UserId")
                if owner is not None:
                    found[owner] = found.get(owner, 0) + 1
        except NotReadable:
            self._reading.notes.append("tokens of programs are not told: it needs the permission Customize Application")
        return found

    def _factors(self, account_id: str | None) -> Mapping[str, bool | None] | None:
        one = (where("UserId", account_id),) if account_id else ()
        found: dict[str, bool | None] = {}
        try:
            query = select(("UserId", *METHODS), "TwoFactorMethodsInfo", *one)
            for _, data in self._soql.rows(query, self._reading):
                row = self._reader.of(data)
                told = [row.flag(method) for method in METHODS]
                found[row.text("UserId") or ""] = True if any(told) else None if None in told else False
        except NotReadable:
            self._reading.notes.append("MFA is not told: it needs the permission Manage MFA in API")
            return None
        return found


def where_wanted(*, portal: bool) -> str:
    """Which accounts are asked for."""
    return where_in("UserType", NOBODY if portal else (*NOBODY, *PORTAL), "NOT IN")


def account_of(row: Resource, account_id: str, application: str, logins: Logins, privileged: bool | None) -> Account:
    """The account a row describes."""
    kind = _kind(row)
    seen_at = row.instant("LastLoginDate")
    never = row.tells("LastLoginDate") and row.get("LastLoginDate") is None
    return Account(
        application=application,
        account_id=account_id,
        username=row.text("Username"),
        email=row.text("Email"),
        display_name=row.text("Name"),
        external_id=row.text("FederationIdentifier"),
        employee_id=row.text("EmployeeNumber"),
        kind=kind,
        active=_active(row, account_id, logins),
        last_seen_at=seen_at,
        # Programs sign in with tokens, which leave no date: that proves nothing of them.
        last_seen_known=seen_at is not None or (never and kind not in ("service", "bot")),
        created_at=row.instant("CreatedDate"),
        mfa=_mfa(row, account_id, logins),
        privileged=privileged,
        department=row.text("Department"),
        title=row.text("Title"),
        credentials=logins.tokens.get(account_id),
    )


def _active(row: Resource, account_id: str, logins: Logins) -> bool | None:
    active = row.flag("IsActive")
    if not active:
        return active
    if account_id in logins.frozen:
        return False if logins.frozen[account_id] else None
    return None if logins.frozen_told is None else active


def _mfa(row: Resource, account_id: str, logins: Logins) -> bool | None:
    """Registered here; who comes through an identity provider may have it there, so none here is unknown."""
    registered = (logins.mfa or {}).get(account_id)
    return None if registered is False and row.get("FederationIdentifier") else registered


def _kind(row: Resource) -> str | None:
    licence = (row.text("Profile.UserLicense.LicenseDefinitionKey") or "").casefold()
    if licence == _AGENT:
        return "bot"
    if "integration" in (row.text("Profile.UserLicense.Name") or "").casefold():
        return "service"
    told = row.text("UserType")
    if told is None:
        return None
    return "guest" if told in PORTAL else "human"
