"""What a campaign is about and who decides in it: the scope and the plan, as the store keeps them."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from governance.errors import DecisionError

SinceLast = Literal["new", "changed", "unused", "unchanged"]
S = TypeVar("S", bound=BaseModel)
REVIEWER_KINDS: Final = ("manager", "application_owner", "entitlement_owner")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LeftOut(_Section):
    """Accounts that are not reviewed, by whose word and why. Listed on page one of the evidence."""

    application: str
    account: str  # account_id or username
    owner: str  # e-mail of who answers for leaving it out
    why: str = Field(min_length=3)


class Scope(_Section):
    """Which accounts and grants are reviewed; what is not said does not narrow.

    Accounts known to be inactive are never reviewed: they open nothing.
    """

    items: Literal["grants", "accounts"] = "grants"  # what is decided one by one
    applications: tuple[str, ...] = ()
    entitlements: tuple[str, ...] = ()  # names, `*` stands for anything
    privileged: bool = False  # only privileged grants and accounts
    departments: tuple[str, ...] = ()  # of the owner
    kinds: tuple[str, ...] = ()  # of the account: human, service, bot, guest, shared
    workers: tuple[str, ...] = ()  # of the owner: employee, contractor, guest, non_human
    provenance: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()  # accounts with an open finding of one of these
    since_last: tuple[SinceLast, ...] = ()  # against the last closed review of the same access
    orphans: bool = False  # only accounts of which no owner is known
    leavers: bool = False  # only accounts of people whose engagement ended
    movers_days: int | None = Field(default=None, ge=1)  # only owners who moved within these days
    non_human: bool = False  # only service, bot and shared accounts
    identities: tuple[str, ...] = ()  # only these owners: micro-reviews
    left_out: tuple[LeftOut, ...] = ()


class ReviewPlan(_Section):
    """Who decides, how long, and what becomes of what nobody decided.

    `levels`: for each level the ways to find its reviewer, the first that finds somebody counts; `manager`,
    `application_owner`, `entitlement_owner` or an e-mail. Who decides never reviews their own access.
    `undecided`: `escalate` hands what is open to the fallback and does not close; `keep` keeps it, and says so;
    `remove` removes what is not privileged and escalates the rest: administrators are never removed by silence.
    """

    levels: tuple[tuple[str, ...], ...] = Field(default=(("manager", "application_owner"),), min_length=1)
    fallback: str  # e-mail
    days: int = Field(default=21, ge=1, le=180)
    undecided: Literal["escalate", "keep", "remove"] = "escalate"
    controls: int = Field(default=0, ge=0, le=50)  # announced rows known to be wrong, which measure attention

    @field_validator("levels")
    @classmethod
    def _ways(cls, levels: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
        for ways in levels:
            if not ways:
                raise ValueError("a level names no way to find its reviewer")
            for way in ways:
                if way not in REVIEWER_KINDS and "@" not in way:
                    raise ValueError(f"{way!r}: expected {', '.join(REVIEWER_KINDS)} or an e-mail")
        return levels


def scope_of(values: dict[str, Any] | None) -> Scope:
    """The scope these values say; DecisionError names the key and what was expected."""
    return _valid(Scope, values, "scope")


def plan_of(values: dict[str, Any] | None) -> ReviewPlan:
    """The plan these values say; DecisionError names the key and what was expected."""
    return _valid(ReviewPlan, values, "plan")


def _valid(kind: type[S], values: dict[str, Any] | None, what: str) -> S:
    try:
        return kind.model_validate(values or {})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or what
        message = first["msg"].removeprefix("Value error, ")
        message = "this key is not known here" if first["type"] == "extra_forbidden" else message
        raise DecisionError(f"campaign {what}: {key}: {message}") from error
