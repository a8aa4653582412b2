"""How a rule declares itself: identity, severity, signals, controls, and how one finding reads."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import narwhals as nw

from governance.durations import day as day
from governance.records import NON_HUMAN_KINDS
from governance.settings import Policy, Settings
from governance.settings import Severity as Severity
from governance.sign_on import WORKFORCE

if TYPE_CHECKING:
    from governance.estate import Estate

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low", "informational")
Row = Mapping[str, Any]
Subject = Literal["account", "identity", "application"]


class Remedy(enum.StrEnum):
    """What closes a finding."""

    DEACTIVATE = "deactivate"  # make the account unable to sign in
    DECIDE_OWNER = "decide_owner"  # pin the account to an identity
    REMOVE_GRANT = "remove_grant"
    CORRECT_SOURCE = "correct_source"  # the source of truth must say what is true
    PROTECT = "protect"  # turn on multi-factor authentication
    DECIDE = "decide"  # somebody must look and say whether it is right
    CONFIGURE = "configure"  # the application, the identity provider or the settings here must be set right


# What a rule may need to know about an account, and the words shown where it is not told; `told` has the columns.
SIGNALS: Final[dict[str, str]] = {
    "source.read": "no source of truth has been read yet",
    "account.active": "the application does not tell whether the account is active",
    "owner.state": "the source of truth does not tell whether the owner still works here",
    "owner.ended_at": "the source of truth does not tell when the owner left",
    "owner.left_on": "the source of truth only shows that the owner is absent, not on which day they left",
    "owner.attributes": "the source of truth does not tell the owner's department or title",
    "owner.position": "the source of truth tells neither the owner's department nor title",
    "owner.peers": "the source of truth does not tell both the owner's department and title",
    "owner.contract_end": "the source of truth does not tell when contracts end",
    "owner.manager": "the source of truth does not tell who manages whom",
    "account.last_seen": "the application does not tell the last use",
    "account.created_at": "the application does not tell when the account was created",
    "account.mfa": "the application does not tell whether multi-factor authentication is on",
    "account.grants": "the application does not tell what the account holds",
    "grants.last_used": "the application does not tell when an entitlement was last used",
    "account.attributes": "the application does not tell the account's department or title",
    "account.password": "the application does not tell whether a password of its own opens the account",
    "account.way_in": "neither whether a password of its own opens the account nor how it was made is told",
    "account.credentials": "the application does not tell which tokens and keys open the account",
    "sign_on.account": "no identity provider was read that knows the owner",
    "sign_on.active": "no identity provider tells whether the owner can sign in",
    "sign_on.assigned": "no identity provider tells who is assigned to this application",
    "account.kind": "the application does not tell whether the account is a person's",
}

# How far the clocks of two systems may be apart before an order of events is believed.
CLOCKS_DIFFER_BY: Final = timedelta(minutes=5)
# How sure it must be how an account came to be before a rule goes by it.
CERTAIN: Final = 0.9

Judge = Callable[["Estate", Policy, datetime], nw.LazyFrame[Any]]
# A fact as it is read: its text, who says it, and the instant it is of; None: there is nothing to say.
Line = tuple[str, str | None, datetime | None] | None


class Sources(Protocol):
    """Who knows which source an identity comes from: governance.wording.Words."""

    def source_of(self, identity_id: str | None) -> str | None:
        """The source an identity comes from."""

    def last_day(self, row: Row) -> str:
        """The last working day of the person in the row, in the zone of their source."""


Telling = Callable[[Sources, Row, str], Line]  # the line of one column of a row, see governance.lines


@dataclass(frozen=True)
class Rule:
    """A named pure check with everything a reviewer needs to know about it.

    `sentence` gets the row the rule holds against, with words added by governance.wording: who, account, where, source,
    left and used.
    """

    name: str
    title: str
    explanation: str  # the docstring of the rule's function
    severity: Severity
    remedy: Remedy
    identity: tuple[str, ...]  # the columns whose values make the fingerprint
    needs: tuple[str, ...]  # signals; one missing makes the result not evaluable
    controls: tuple[str, ...]
    evidence: tuple[str, ...]  # columns of the result that are kept as facts
    judge: Judge
    sentence: Callable[[Row], str]  # one sentence in plain words, absolute dates only, so that it is the same tomorrow
    applies: Callable[[Settings], nw.Expr]  # whom the rule is about at all (over what `counted` names)
    ends_when: str = ""  # what makes the finding go away, in plain words
    lines: Mapping[str, Telling] = field(default_factory=dict)  # the words of the evidence that this rule alone keeps
    counted: Literal["accounts", "identities"] = "accounts"  # whose missing signals make it not evaluable
    lifecycle: bool = False  # at most one lifecycle finding stands for an active account

    @property
    def subject(self) -> Subject:
        """What a finding is on: an account, else an identity, else a whole application."""
        if "account_id" in self.identity:
            return "account"
        return "identity" if "identity_id" in self.identity else "application"

    def __call__(self, estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
        """The rows of the estate this rule holds against."""
        return self.judge(estate, policy, now)


# INTERFACES.md, States: the first that fits stands, the others give way.
LIFECYCLE: Final = (
    "ghost",
    "contract_expired",
    "missing_from_source",
    "ambiguous_owner",
    "non_human_without_owner",
    "orphaned",
    "never_used",
    "stale",
)


def rule(
    *,
    title: str,
    severity: Severity,
    remedy: Remedy,
    needs: tuple[str, ...],
    controls: tuple[str, ...],
    evidence: tuple[str, ...],
    sentence: Callable[[Row], str],
    ends_when: str = "",
    lines: Mapping[str, Telling] | None = None,
    identity: tuple[str, ...] = ("application", "account_id"),
    applies: Callable[[Settings], nw.Expr] = lambda _: nw.lit(True),
    counted: Literal["accounts", "identities"] | None = None,
) -> Callable[[Judge], Rule]:
    """Declare the decorated function a rule; its name is the rule's id, its docstring what reviewers read.

    `counted` says whose missing signals make the rule not evaluable, and what `applies` is an expression over:
    estate.accounts, or estate.identities for rules whose findings are on identities (unless said otherwise).
    """

    def declare(judge: Judge) -> Rule:
        unknown = set(needs) - set(SIGNALS)
        of_identities = "account_id" not in identity and "identity_id" in identity
        if unknown:
            raise ValueError(f"rule {judge.__name__}: unknown signals {sorted(unknown)}")
        if wordy := set(lines or {}) - set(evidence):
            raise ValueError(f"rule {judge.__name__}: lines for what is no evidence: {sorted(wordy)}")
        return Rule(
            name=judge.__name__,
            title=title,
            explanation=(judge.__doc__ or "").strip(),
            severity=severity,
            remedy=remedy,
            identity=identity,
            needs=needs,
            controls=controls,
            evidence=evidence,
            judge=judge,
            sentence=sentence,
            applies=applies,
            ends_when=ends_when,
            lines=dict(lines or {}),
            counted=counted or ("identities" if of_identities else "accounts"),
            lifecycle=judge.__name__ in LIFECYCLE,
        )

    return declare


def told_of_identities() -> dict[str, nw.Expr]:
    """For each signal of a source of truth, whether it is told (over estate.identities): true or false, never null."""
    columns = {
        "source.read": nw.lit(True),
        "owner.state": nw.col("state") != "unknown",
        "owner.contract_end": nw.col("contract_end_told"),
        "owner.manager": nw.col("manager_told"),
    }
    return {name: column.fill_null(False) for name, column in columns.items()}


def told(settings: Settings) -> dict[str, nw.Expr]:
    """For each signal, whether it is told (over estate.accounts): true or false, never null.

    What is told of an owner is missing only where there is an owner: an account without one is judged by other rules.
    """
    ended = (nw.col("owner_state") == "ended").fill_null(False)
    columns = {
        "source.read": nw.col("source_read"),
        "account.active": ~nw.col("active").is_null(),
        "owner.state": nw.col("owner_id").is_null() | (nw.col("owner_state") != "unknown").fill_null(False),
        "owner.ended_at": ~ended | ~nw.col("owner_ended_at_s").is_null(),
        "owner.left_on": ~ended | (nw.col("owner_ended_why").fill_null("source") != "absence"),
        "owner.attributes": nw.col("owner_id").is_null() | _attributes_told(settings),
        "owner.position": nw.col("owner_id").is_null()
        | ~nw.col("owner_department").is_null()
        | ~nw.col("owner_title").is_null(),
        "owner.peers": nw.col("owner_id").is_null()
        | (~nw.col("owner_department").is_null() & ~nw.col("owner_title").is_null()),
        "account.last_seen": nw.col("last_seen_known").fill_null(False) | ~nw.col("last_seen_at_s").is_null(),
        "account.created_at": ~nw.col("created_at_s").is_null(),
        "account.mfa": ~nw.col("mfa").is_null(),
        "account.grants": ~nw.col("privileged").is_null(),
        "grants.last_used": nw.col("grants_used_told"),
        "owner.contract_end": nw.col("owner_id").is_null() | nw.col("owner_contract_end_told"),
        "owner.manager": nw.col("owner_id").is_null() | nw.col("owner_manager_told"),
        "account.attributes": ~nw.col("department").is_null() | ~nw.col("title").is_null(),
        "account.password": ~nw.col("password").is_null(),
        "account.way_in": ~nw.col("password").is_null() | made_outside(),
        "account.credentials": ~nw.col("credentials").is_null(),
        "sign_on.account": nw.col("owner_id").is_null() | (nw.col("sign_on_accounts") > 0),
        "sign_on.active": nw.col("owner_id").is_null() | ~nw.col("sign_on_active").is_null(),
        "sign_on.assigned": nw.col("owner_id").is_null() | ~nw.col("sign_on_assigned").is_null(),
        "account.kind": ~nw.col("kind").is_null(),
    }
    return {name: column.fill_null(False) for name, column in columns.items()}


def of_a_person() -> nw.Expr:
    """Whether the account in this row is a person's: never null, as one of which no kind is told is taken for one."""
    return ~of_a_program()


def of_a_program() -> nw.Expr:
    """Whether the account in this row is a service's, a bot's or shared, as the application tells: never null."""
    return nw.col("kind").is_in(list(NON_HUMAN_KINDS)).fill_null(False)


def made_outside() -> nw.Expr:
    """Whether neither single sign-on nor a push explains an account: never null.

    Surely made by hand or by invitation; or its owner works here and no identity provider knows them.
    """
    unknown_there = (nw.col("owner_state") == "current") & (nw.col("sign_on_accounts") == 0)
    return surely_came("local", "invited") | unknown_there.fill_null(False)


def surely_came(*ways: str) -> nw.Expr:
    """Whether an account came to be in one of these ways, as far as a rule may go by it: never null."""
    sure = (nw.col("provenance_confidence") >= CERTAIN).fill_null(False)
    return nw.col("provenance").is_in(list(ways)).fill_null(False) & sure


def _attributes_told(settings: Settings) -> nw.Expr:
    """Whether every attribute is told that the application's role mapping looks at, and the baseline beside it."""
    used: dict[str, set[str]] = {}
    for line in settings.role_mapping:
        used.setdefault(line.application, set()).update(set(line.when) & set(WORKFORCE))
    for approved in settings.baseline:  # matters only beside a mapping: what was approved may excuse what is held
        if approved.application in used:
            used[approved.application].update(approved.when)
    result: nw.Expr = nw.lit(True)
    for attributes in sorted({tuple(sorted(names)) for names in used.values()}):
        applications = sorted(name for name, names in used.items() if names == set(attributes))
        here = nw.col("application").is_in(applications)
        for attribute in attributes:
            result = result & (~here | ~nw.col(f"owner_{attribute}").is_null())
    return result


def epoch(instant: datetime) -> int:
    """Seconds since 1970: what rules compare `_s` columns with."""
    return int(instant.timestamp())
