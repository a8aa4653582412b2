"""What a credential for Okta may do, found out by asking: one request for each right, none that changes anything."""

from __future__ import annotations

from typing import Final

from connectors.kit.contract import Checked
from connectors.kit.okta_calls import API, OktaCalls, ServiceApp, step
from connectors.kit.okta_holdings import role_key
from connectors.kit.okta_settings import inbound
from connectors.kit.resource import Reader, as_text

READ_SCOPES: Final = (
    "okta.users.read",
    "okta.groups.read",
    "okta.apps.read",
    "okta.roles.read",
    "okta.logs.read",
    "okta.apiTokens.read",
    "okta.idps.read",
)
WRITE_SCOPES: Final = (
    "okta.users.manage",
    "okta.groups.manage",
    "okta.apps.manage",
    "okta.roles.manage",
    "okta.apiTokens.manage",
)
_ONE: Final = {"limit": "1"}
_PROBES: Final[tuple[tuple[str, str, dict[str, str]], ...]] = (
    ("okta.groups.read", "groups", _ONE),
    ("okta.apps.read", "apps", _ONE),
    ("okta.roles.read", "iam/assignees/users", _ONE),
    ("okta.logs.read", "logs", _ONE),
    ("okta.apiTokens.read", "api-tokens", {}),
    ("okta.idps.read", "idps", _ONE),
)
# An administrator with one of these roles can do no more than read.
_READERS: Final = frozenset({"READ_ONLY_ADMIN", "REPORT_ADMIN"})


def examined(calls: OktaCalls, app: ServiceApp | None, reader: Reader) -> Checked:
    """Prove that accounts can be read, then say what is missing and what is too much."""
    calls.http.get(f"{API}/users", _ONE)
    missing = tuple(scope for scope, path, params in _PROBES if calls.allowed(path, params, gone=True) is None)
    if app is not None:
        scopes = app.granted.token.scopes
        missing = tuple(scope for scope in READ_SCOPES if scope in missing or scope not in scopes)
        excess = tuple(scope for scope in WRITE_SCOPES if scope in scopes or app.offers(scope))
        return Checked(tuple(let_back_in(calls, reader)), missing, excess)
    notes, missing, excess = _owner(calls, reader, missing)
    return Checked((*notes, *let_back_in(calls, reader)), missing, excess)


def let_back_in(calls: OktaCalls, reader: Reader) -> list[str]:
    """Which identity providers let a closed account back in at its owner's next sign-in; silent where none is told."""
    return [
        f"a {word} account is let back in when its owner signs in through {name}"
        for _, name, word, lets_in in inbound(calls, reader)
        if lets_in
    ]


def _owner(
    calls: OktaCalls, reader: Reader, missing: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Notes, missing and excess of an API token, which has the rights of whoever made it."""
    answer = calls.allowed("users/me", gone=True)
    told = reader.of(answer.data if answer else None)
    account_id = as_text(told.get("id"))
    if account_id is None:
        return (), missing, ()
    note = (
        f"the token was made by {told.text('profile.login') or account_id} and stops working when that account is"
        " deactivated: own_account should name it, or better use a service app"
    )
    roles = calls.allowed(f"users/{step(account_id)}/roles", gone=True)
    rows = roles.data if roles is not None and isinstance(roles.data, list) else []
    held = {role for row in rows if (role := role_key(reader.of(row)))}
    return (note,), missing, tuple(sorted(held - _READERS))
