"""Facts about the people around an account and about how it came to be, as lines that name their source."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, Protocol

from governance.declaration import Row, day

CORRELATION: Final = "correlation"
POLICY: Final = "policy"
SIGN_ON: Final = "identity provider"
Line = tuple[str, str | None, datetime | None] | None


class Sources(Protocol):
    """Who knows which source an identity comes from: governance.wording.Words."""

    def source_of(self, identity_id: str | None) -> str | None:
        """The source an identity comes from."""


def minute(instant: datetime) -> str:
    """An instant to the minute, as a reader checks it: `4 Nov 2026, 23:00 UTC`."""
    return f"{day(instant)}, {instant.hour:02}:{instant.minute:02} UTC"


STATES: Final = {
    "current": "works here",
    "leave": "is on leave",
    "future": "starts later",
    "ended": "has left",
    "missing": "is not in the newest feed",
}
_DATES: Final = {
    "leaves_at": "the engagement ends",
    "hire_at": "the engagement began or begins",
    "owner_rehired_at": "had left and works here again since",
    "owner_moved_at": "another position was first read",
}


def _date(words: Sources, row: Row, column: str) -> Line:
    at = row[column]
    who = f"{row['who']} " if column == "owner_rehired_at" else ""
    return (
        (f"{row['source']}: {who}{_DATES[column]} {minute(at)}", words.source_of(row["identity_id"]), at)
        if at
        else None
    )


def _open_credentials(words: Sources, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    return f"{row['where']}: {row[column]} tokens, keys or consents open the account", row["application"], None


def _credential_used(words: Sources, row: Row, column: str) -> Line:
    at = row[column]
    return (f"{row['where']}: a token or key was last used {minute(at)}", row["application"], at) if at else None


def _answered_by(words: Sources, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    return f"{row['where']}: {row[column]} answers for the account", row["application"], None


def _responsible_ended(words: Sources, row: Row, column: str) -> Line:
    at = row[column]
    if at is None or not row["answered_by"]:
        return None
    return f"Source of truth: the engagement of {row['answered_by']} ended {minute(at)}", None, at


def _responsible_state(words: Sources, row: Row, column: str) -> Line:
    said, named = STATES.get(row[column]), row["responsible_name"]
    return (f"Source of truth: {named} {said}", None, None) if said and named else None


def _manager(words: Sources, row: Row, column: str) -> Line:
    if row["identity_id"] is None:
        return None
    source = words.source_of(row["identity_id"])
    number, state = row["owner_manager_id"], STATES.get(row["owner_manager_state"], "is in no source of truth")
    if number is None:
        return f"{row['source']}: no manager is stated", source, None
    name = row["owner_manager_name"]
    return f"{row['source']}: the manager is {f'{name} ({number})' if name else number}, who {state}", source, None


def _accounts_of_owner(words: Sources, row: Row, column: str) -> Line:
    return f"{row['where']}: {row[column]} active accounts of {row['who']}", row["application"], None


def _oldest_account(words: Sources, row: Row, column: str) -> Line:
    return f"{row['where']}: the oldest of them is {row[column]}", row["application"], None


def _address_holders(words: Sources, row: Row, column: str) -> Line:
    return f"{row[column].replace(';', ', ')} hold or held its address or alias", CORRELATION, None


def _candidate(words: Sources, row: Row, column: str) -> Line:
    name, said = row["candidate_name"], STATES.get(row["candidate_state"])
    if not name or not said:
        return None
    return f"Source of truth: {name} ({row['candidates']}) {said}", words.source_of(row["candidates"]), None


def _former_emails(words: Sources, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    return f"{row['source']}: former e-mail {row[column].replace(';', ', ')}", words.source_of(row["identity_id"]), None


def _sign_on_accounts(words: Sources, row: Row, column: str) -> Line:
    if row[column] is None:
        return None
    many = "1 account" if row[column] == 1 else f"{row[column]} accounts"
    return f"Identity provider: {many} of {row['who']}", SIGN_ON, None


def _password(words: Sources, row: Row, column: str) -> Line:
    if row[column] is None:
        return None
    opens = "a password of its own opens it" if row[column] else "no password of its own opens it"
    return f"{row['where']}: {opens}", row["application"], None


_CAME_TO_BE: Final = {
    "jit": "made by a single sign-on",
    "scim": "pushed by SCIM",
    "invited": "made by an invitation",
    "imported": "imported",
    "local": "made by hand",
}


def _provenance(words: Sources, row: Row, column: str) -> Line:
    how = _CAME_TO_BE.get(row[column])
    return (f"{row['where']}: {how}", row["application"], None) if how else None


def _sign_on_assigned(words: Sources, row: Row, column: str) -> Line:
    if row[column] is None:
        return None
    assigned = "is assigned" if row[column] else "is not assigned"
    return f"Identity provider: {row['who']} {assigned} to {row['where']}", SIGN_ON, None


def _sign_on_active(words: Sources, row: Row, column: str) -> Line:
    if row[column] is None:
        return None
    return f"Identity provider: {row['who']} {'can' if row[column] else 'cannot'} sign in", SIGN_ON, None


def _both_told(words: Sources, row: Row, column: str) -> Line:
    return (f"Settings: {row['where']} is provisioned by jit and by scim", POLICY, None) if row[column] else None


def _jit_alone(words: Sources, row: Row, column: str) -> Line:
    return f"Settings: {row['where']} is provisioned by jit, not by scim, and no write_token is given", POLICY, None


def _open_accounts(words: Sources, row: Row, column: str) -> Line:
    many = "1 account is" if row[column] == 1 else f"{row[column]} accounts are"
    return f"{row['where']}: {many} active", row["application"], None


def _came_to_be(words: Sources, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    how = {"pushed": "pushed", "born": "made by a sign-in that no push preceded"}[column]
    many = f"{row[column]} accounts were" if row[column] > 1 else "1 account was"
    return f"{row['where']}: {many} {how}", row["application"], None


def _writes(words: Sources, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    who = {"both_write": "both write", "jit_writes": "JIT alone writes", "scim_writes": "SCIM alone writes"}[column]
    return f"Settings: {who} {row[column]} in {row['where']}", POLICY, None


def _told_beside(words: Sources, row: Row, column: str) -> Line:
    """What another line says already."""
    return None


_HELD: Final = {
    "creep": "still holds {}, which only the former position gives",
    "outlying": "holds {}, which few others in the same position hold",
    "unused": "tells of no use of {} since it was given, or for too long",
    "only_account": "{} is the only active privileged account of a person",
}


def _held(words: Sources, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    return f"{row['where']}: {_HELD[column].format(row[column])}", row["application"], None


def _was(words: Sources, row: Row, column: str) -> Line:
    if not row[column]:
        return None
    return (
        f"{row['source']}: former {column.removeprefix('was_')} {row[column]}",
        words.source_of(row["identity_id"]),
        None,
    )


def _used(words: Sources, row: Row, column: str) -> Line:
    at = row[column]
    return f"{row['where']}: used {minute(at)}", row["application"], at


_COUNTS: Final = {
    "peers": ("person", "people", "in the same department and title"),
    "untold_accounts": ("active account", "active accounts", "of which the last use is not told"),
    "active_accounts": ("active account", "active accounts", "in all"),
    "privileged_accounts": ("active account", "active accounts", "of people with privileged access"),
    "uses": ("known use", "known uses", "on that day"),
}


def _count(words: Sources, row: Row, column: str) -> Line:
    one, many, rest = _COUNTS[column]
    return f"{row['where']}: {row[column]:,} {one if row[column] == 1 else many} {rest}", row["application"], None


_ALLOWED: Final = {
    "most_privileged": "{} accounts of people with privileged access are allowed in this application",
    "privileged_unused_days": "{} days without use of privileged access are allowed",
    "entitlement_unused_days": "{} days without use of an entitlement are allowed",
    "pair": "Nobody may hold both sides of “{}”",
}


def _allowed(words: Sources, row: Row, column: str) -> Line:
    return f"Policy: {_ALLOWED[column].format(row[column])}", POLICY, None


def _side(words: Sources, row: Row, column: str) -> Line:
    return f"{row['who']} holds {row[column]}", None, None


LINES: Final[dict[str, Callable[[Sources, Row, str], Line]]] = {
    **dict.fromkeys(_DATES, _date),
    "open_credentials": _open_credentials,
    "credential_used_at": _credential_used,
    "answered_by": _answered_by,
    "responsible_ended_at": _responsible_ended,
    "responsible_state": _responsible_state,
    "responsible_name": _told_beside,
    "owner_manager_id": _manager,
    "owner_manager_name": _told_beside,
    "owner_manager_state": _told_beside,
    "accounts_of_owner": _accounts_of_owner,
    "oldest_account": _oldest_account,
    "address_holders": _address_holders,
    "candidate_name": _candidate,
    "candidate_state": _told_beside,
    "former_emails": _former_emails,
    "sign_on_accounts": _sign_on_accounts,
    "password": _password,
    "provenance": _provenance,
    "sign_on_assigned": _sign_on_assigned,
    "sign_on_active": _sign_on_active,
    "both_told": _both_told,
    "jit_alone": _jit_alone,
    "open_accounts": _open_accounts,
    "pushed": _came_to_be,
    "born": _came_to_be,
    "both_write": _writes,
    "jit_writes": _writes,
    "scim_writes": _writes,
    **dict.fromkeys(_HELD, _held),
    "used_at": _used,
    **dict.fromkeys(_COUNTS, _count),
    **dict.fromkeys(_ALLOWED, _allowed),
    **dict.fromkeys(("was_department", "was_title"), _was),
    **dict.fromkeys(("one_held", "other_held"), _side),
    **dict.fromkeys(("creep_count", "outlying_count", "unused_count"), _told_beside),
}
