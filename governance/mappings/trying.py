"""One sign-in tried out: what an assertion says, which line of a mapping fires, and what it would make here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from governance.correlation import fold
from governance.estate import Estate
from governance.mappings.workforce import native
from governance.provisioning import Assertion, Decision, Known, Reading, RoleMap, decide
from governance.provisioning.mapping import CLAIM, Given
from governance.provisioning.written import sentence
from governance.settings import ApplicationSettings

ACCOUNT: Final = ("account_id", "username", "email", "external_id", "active", "owner_id")
PERSON: Final = ("identity_id", "employee_id", "display_name", "email", "department", "title", "state")


@dataclass(frozen=True)
class Trial:
    """What would happen at this sign-in. `person` and `account` are rows; None where nobody or none is met."""

    reading: Reading
    given: Given
    decision: Decision
    person: dict[str, Any] | None
    account: dict[str, Any] | None
    held: tuple[str, ...]
    lacking: tuple[str, ...]  # the mapping gives it, it is not held
    beyond: tuple[str, ...]  # it is held, and the mapping does not give it
    grant: tuple[str, ...]  # what this sign-in would give and take, as the mapping is followed
    revoke: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def line(self) -> int | None:
        """The first line that fires."""
        return self.given.lines[0] if self.given.lines else None


def attempt(reading: Reading, mapping: RoleMap, estate: Estate, application: ApplicationSettings) -> Trial:
    """Try a sign-in with what was read; `reading.assertion` must be there."""
    assertion = reading.assertion
    assert assertion is not None
    accounts, held = _met(estate, application.name, assertion)
    known = [
        Known(
            row["account_id"], _key(row["external_id"], assertion), row["username"], row["email"],
            row["active"] is not False,
            frozenset(held.get(row["account_id"], ())),
        )
        for row in accounts
    ]  # fmt: skip
    makes = not application.provisioning or "jit" in application.provisioning
    decision = decide(assertion, known, mapping, creates=makes)
    given = mapping.gives(assertion)
    account = next((row for row in accounts if row["account_id"] == decision.account_id), None)
    person = _person(estate, assertion, account)
    odd = _warnings(assertion, mapping, given, person, account)
    has = frozenset(held.get(account["account_id"], ())) if account else frozenset[str]()
    return Trial(
        reading=reading,
        given=given,
        decision=decision,
        person=person,
        account=account,
        held=tuple(sorted(has)),
        lacking=tuple(sorted(set(given.entitlements) - has)) if account else (),
        beyond=tuple(sorted((has & mapping.named) - set(given.entitlements))),
        grant=decision.grant,
        revoke=decision.revoke,
        warnings=tuple(dict.fromkeys((*reading.warnings, *decision.warnings, *odd))),
    )


def _met(
    estate: Estate, application: str, assertion: Assertion
) -> tuple[list[dict[str, Any]], dict[str, tuple[str, ...]]]:
    """The accounts a sign-in could meet, and what each holds: by key, username or e-mail."""
    names = {fold(text) for text in (assertion.username, assertion.subject, assertion.email) if text} - {None, ""}
    folded = [pl.col(name).str.strip_chars().str.to_lowercase().is_in(sorted(map(str, names))) for name in _NAMES]
    here = native(estate.accounts).filter(pl.col("application") == application)
    found = here.filter(pl.any_horizontal(*folded) | (pl.col("external_id") == pl.lit(assertion.key, pl.String)))
    accounts = found.select(ACCOUNT).collect().to_dicts()
    ids = [row["account_id"] for row in accounts]
    grants = native(estate.grants).filter(pl.col("application") == application, pl.col("account_id").is_in(ids))
    entitlements = native(estate.entitlements).filter(pl.col("application") == application)
    rows = grants.join(entitlements.select("entitlement_id", "name"), on="entitlement_id").select("account_id", "name")
    held: dict[str, tuple[str, ...]] = {}
    for account_id, name in rows.unique().sort("name").collect().iter_rows():
        held[account_id] = (*held.get(account_id, ()), name)
    return accounts, held


_NAMES: Final = ("username", "email")


def _key(external_id: str | None, assertion: Assertion) -> str | None:
    """The key an account is bound to, where what the application tells is one; it may be a number of HR as well."""
    return assertion.key if external_id is not None and external_id in (assertion.key, assertion.subject) else None


def _person(estate: Estate, assertion: Assertion, account: dict[str, Any] | None) -> dict[str, Any] | None:
    """Whose sign-in it is: who alone has this employee number, else the account's owner, else who has this e-mail."""
    people = native(estate.identities).filter(pl.col("present"))
    if assertion.employee_number:
        by: pl.Expr = pl.col("employee_id") == assertion.employee_number
    elif account and account["owner_id"]:
        by = pl.col("identity_id") == account["owner_id"]
    elif assertion.email:
        by = pl.col("email").str.strip_chars().str.to_lowercase() == (fold(assertion.email) or "")
    else:
        return None
    found = people.filter(by).select(PERSON).head(2).collect().to_dicts()
    return found[0] if len(found) == 1 else None


def _warnings(
    assertion: Assertion,
    mapping: RoleMap,
    given: Given,
    person: dict[str, Any] | None,
    account: dict[str, Any] | None,
) -> list[str]:
    """What is odd about the sign-in beside what reading and decision say."""
    said = []
    owner = (account or {}).get("owner_id")
    if person and owner and owner != person["identity_id"]:
        said.append(f"the account is somebody else's ({owner}): whoever signs in takes it over")
    for attribute in mapping.attributes:
        told = assertion.values(attribute.removeprefix(CLAIM))
        if told is None and given.by_default and mapping.default:
            said.append(f"“{attribute}” is missing, so the default role is given")
        for value in told or ():
            if any(separator in value for separator in (";", "|")):
                said.append(f"“{attribute}” holds several values in one: “{value}”")
    for attribute in ("department", "title"):
        theirs, ours = getattr(assertion, attribute), (person or {}).get(attribute)
        if theirs and ours and theirs.strip().lower() != ours.strip().lower():
            said.append(f"the identity provider says {attribute} “{theirs}”, the source of truth says “{ours}”")
    if person and person["state"] == "ended":
        said.append(f"{person['display_name']} has left")
    return said


def because(given: Given, mapping: RoleMap) -> str:
    """Why this is given: the line that fires, the default, or nothing."""
    if given.lines:
        first = given.lines[0]
        return f"Line {first} fires: {sentence(mapping.lines[first - 1])}"
    return "No line fires: the default is given" if given.entitlements else "No line fires: nothing is given"
