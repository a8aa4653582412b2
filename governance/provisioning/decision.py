"""What an application does with an assertion: make an account, bring one up to date, or refuse."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from governance.correlation import fold
from governance.provisioning.assertion import Assertion
from governance.provisioning.mapping import RoleMap


@dataclass(frozen=True, slots=True)
class Known:
    """An account the application has already, as far as a sign-in can meet it."""

    account_id: str
    key: str | None = None  # the immutable key of whom it was made for
    username: str | None = None
    email: str | None = None
    active: bool = True
    entitlements: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens and why. `by` says which key met the account; `email` alone is a risk of takeover, and said so."""

    verb: Literal["create", "update", "refuse"]
    why: str
    account_id: str | None = None
    by: Literal["key", "username", "email"] | None = None
    grant: tuple[str, ...] = ()
    revoke: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def decide(
    assertion: Assertion, known: Iterable[Known], mapping: RoleMap, *, reactivates: bool = False, creates: bool = True
) -> Decision:
    """What the application does at this sign-in.

    `known`: its accounts, or those that could be met. `reactivates`: whether a sign-in opens a closed account again;
    `creates`: whether it makes an account where there is none.
    """
    warnings = list(assertion.cautions)
    found, by = _met(assertion, tuple(known))
    given = mapping.gives(assertion)
    if given.unknown:
        warnings.append(f"the mapping asks for {', '.join(given.unknown)}, which the assertion does not tell")
    if given.by_default and mapping.lines:
        warnings.append("no line of the mapping fits: the default is given")
    said = tuple(warnings)
    if isinstance(found, tuple):
        return Decision("refuse", f"{len(found)} accounts have this {by}", by=by, warnings=said)
    if found is None:
        if not creates:
            return Decision("refuse", "there is no account, and a sign-in makes none here", warnings=said)
        return Decision("create", "there is no account for this subject", grant=given.entitlements, warnings=said)
    if not found.active and not reactivates:
        return Decision("refuse", "the account is closed", found.account_id, by, warnings=said)
    if by == "email":
        said = (*said, "the account was met by its e-mail alone: whoever controls the address gets it")
    grant, revoke = _difference(found.entitlements, given.entitlements, mapping)
    return Decision("update", f"the account was met by its {by}", found.account_id, by, grant, revoke, said)


def _difference(
    held: frozenset[str], given: tuple[str, ...], mapping: RoleMap
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What to grant and what to revoke, as the mapping's way of updating says."""
    if mapping.updates == "create_only":
        return (), ()
    takes = held if mapping.updates == "authoritative" else held & mapping.named
    return tuple(e for e in given if e not in held), tuple(sorted(takes - set(given)))


def _met(
    assertion: Assertion, known: tuple[Known, ...]
) -> tuple[Known | tuple[Known, ...] | None, Literal["key", "username", "email"] | None]:
    """The account the assertion leads to and the strongest key that does; several when the key fits several."""
    if assertion.key is not None:
        found = [a for a in known if a.key == assertion.key]
        if found:
            return (found[0] if len(found) == 1 else tuple(found)), "key"
    name = fold(assertion.username or assertion.subject)
    found = [a for a in known if name and fold(a.username) == name and _free(a, assertion)]
    if found:
        return (found[0] if len(found) == 1 else tuple(found)), "username"
    email = fold(assertion.email)
    found = [a for a in known if email and fold(a.email) == email and _free(a, assertion)]
    if found:
        return (found[0] if len(found) == 1 else tuple(found)), "email"
    return None, None


def _free(account: Known, assertion: Assertion) -> bool:
    """Whether the account is not bound to somebody else's key."""
    return account.key is None or assertion.key is None or account.key == assertion.key
