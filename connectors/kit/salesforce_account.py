"""One account of Salesforce: the row of User, completed by whether its login is frozen and its second factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from connectors.kit.columns import Objects
from connectors.kit.forms import Form, Formed
from connectors.kit.numbered import Ids, Marks
from connectors.kit.portions import Meanings
from connectors.kit.resource import Reader
from connectors.kit.salesforce_query import NotReadable, Soql, form_of, select, where, where_in
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


# Whether a second factor is registered, as it is marked.
_FACTORS: Final = (None, False, True)


class Shown(NamedTuple):
    """What stands beside the rows of User about the accounts of a page."""

    may_sign_in: Sequence[bool | None]  # whoever is active
    mfa: Sequence[bool | None]
    tokens: Sequence[int | None]


class Logins:
    """The same about all accounts, by their number in the register."""

    def __init__(self, frozen_told: bool | None) -> None:
        self.frozen: dict[str, bool | None] = {}  # only those that are, or may be
        self.frozen_told = frozen_told  # None: a row could not be read, so anybody may be; False: not told at all
        self.factors: Marks | None = None  # None: not told
        self.tokens = Marks("I")  # how many programs may act as whom; only those shown

    def of(self, ids: Sequence[str], numbers: Sequence[int]) -> Shown:
        """What is told of these."""
        frozen, others = self.frozen, None if self.frozen_told is None else True
        may = [others if one not in frozen else False if frozen[one] else None for one in ids]
        return Shown(may, self.registered(numbers), [tokens or None for tokens in self.tokens.of(numbers)])

    def registered(self, numbers: Sequence[int]) -> list[bool | None]:
        """Whether each has a second factor here."""
        if self.factors is None:
            return [None] * len(numbers)
        return list(map(_FACTORS.__getitem__, self.factors.of(numbers)))


class LoginReader:
    """Reads it."""

    def __init__(self, soql: Soql, place: str, reading: Reading, reader: Reader, register: Ids) -> None:
        self._soql = soql
        self._register = register
        self._reading = reading
        self._reader = reader
        self._place = place

    def read(self, *, frozen: bool, account_id: str | None = None) -> Logins:
        """Frozen logins and second factors of all accounts, or of one."""
        logins = Logins(frozen)
        if frozen:
            self._frozen(logins, account_id)
        else:
            self._reading.notes.append("frozen accounts are not told apart: they count as active (frozen = false)")
        logins.factors = self._factors(account_id)
        if account_id is None:
            self._opening(logins.tokens)
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

    def _opening(self, tokens: Marks) -> None:
        """How many programs hold a token of whom. Only of those whose tokens are shown: of the rest nothing is told."""
        try:
            for _, items in self._soql.lists(select(("UserId",), "OauthToken"), self._reading):
                owners = Objects(items, self._reader).texts("UserId")
                tokens.count(self._register.numbers([owner for owner in owners if owner is not None]))
        except NotReadable:
            self._reading.notes.append("tokens of programs are not told: it needs the permission Customize Application")

    def _factors(self, account_id: str | None) -> Marks | None:
        one = (where("UserId", account_id),) if account_id else ()
        found, form = Marks(), form_of(("Id", "UserId"), METHODS)
        registered = Meanings(_registered)
        try:
            query = select(("UserId", *METHODS), "TwoFactorMethodsInfo", *one)
            for _, items in self._soql.lists(query, self._reading, form=form):
                rows = form.objects(items, self._reader)
                told = zip(*map(rows.flags, METHODS), strict=True)
                owners = [owner or "" for owner in rows.texts("UserId")]
                found.put(self._register.numbers(owners), map(registered.__getitem__, told))
        except NotReadable:
            self._reading.notes.append("MFA is not told: it needs the permission Manage MFA in API")
            return None
        return found


def where_wanted(*, portal: bool) -> str:
    """Which accounts are asked for."""
    return where_in("UserType", NOBODY if portal else (*NOBODY, *PORTAL), "NOT IN")


def page_form() -> Form:
    """What a page of rows of User tells."""
    texts = [column for column in COLUMNS if column not in ("IsActive", "CreatedById", "ManagerId")]
    alike = [
        column for column in texts if column.startswith("Profile") or column in ("UserType", "Department", "Title")
    ]
    return form_of(texts, ("IsActive",), alike=alike, needed=("LastLoginDate",))


def accounts_of(
    rows: Objects | Formed, ids: Sequence[str], application: str, shown: Shown, privileged: Sequence[bool | None],
    reader: Reader,
) -> Rows:  # fmt: skip
    """The accounts of these ids that the rows of a page describe."""
    kinds, actives = _kinds(rows), rows.flags("IsActive")
    signed_in, federated = rows.values("LastLoginDate"), rows.values("FederationIdentifier")
    seen_at = reader.instants("LastLoginDate", signed_in)
    never = [told and value is None for told, value in zip(rows.tells("LastLoginDate"), signed_in, strict=True)]
    columns: dict[str, Sequence[Any]] = {
        "application": [application] * len(ids),
        "account_id": ids,
        **{ours: rows.texts(theirs) for ours, theirs in _TEXTS.items()},
        "kind": kinds,
        "active": [may if active else active for active, may in zip(actives, shown.may_sign_in, strict=True)],
        "last_seen_at": seen_at,
        # Programs sign in with tokens, which leave no date: that proves nothing of them.
        "last_seen_known": [
            at is not None or (none and kind not in ("service", "bot"))
            for at, none, kind in zip(seen_at, never, kinds, strict=True)
        ],
        "created_at": reader.instants("CreatedDate", rows.values("CreatedDate")),
        "mfa": _mfa(shown.mfa, federated),
        "privileged": privileged,
        "credentials": shown.tokens,
    }
    return Rows(Account, columns)


def _mfa(registered: Sequence[bool | None], federated: Sequence[Any]) -> list[bool | None]:
    """Registered here; who comes through an identity provider may have it there, so none here is unknown."""
    return [None if one is False and name else one for one, name in zip(registered, federated, strict=True)]


def _kinds(rows: Objects | Formed) -> list[str | None]:
    bots = [key is not None and key.casefold() == _AGENT for key in rows.texts(f"{_LICENCE}.LicenseDefinitionKey")]
    rows = rows.only([not bot for bot in bots])
    named = [name is not None and "integration" in name.casefold() for name in rows.texts(f"{_LICENCE}.Name")]
    told = rows.only([not service for service in named]).texts("UserType")
    return [
        "bot" if bot else "service" if service else None if kind is None else "guest" if kind in PORTAL else "human"
        for bot, service, kind in zip(bots, named, told, strict=True)
    ]


def _registered(told: tuple[bool | None, ...]) -> int:
    return _FACTORS.index(True if any(told) else None if None in told else False)
