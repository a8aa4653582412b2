"""What a consequence of two writers means in plain words, and the ordered steps that end it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from governance.declaration import day
from governance.provisioning.conflict import Consequence, Kind
from governance.provisioning.entitled import counted
from governance.provisioning.gaps import DELETES_LATE, PUSHES_NEW

TITLES: Final[dict[Kind, str]] = {
    "born_outside_scim": "Born outside SCIM's reach",
    "duplicates": "Two accounts of one person",
    "attributes_flip": "Attributes that flip",
    "reborn_by_sign_in": "Closed, and reborn by a sign-in",
    "disabled_without_owning": "Closed by SCIM, which never owned them",
    "deletion_gap": "Deleted there, still here",
    "not_retroactive": "Older than the push",
    "unlinked_records": "Not linked to the provider",
    "reactivates_leavers": "Leavers can let themselves back in",
}
# How writers are named in a sentence.
NAMES: Final = {
    "jit": "single sign-on (JIT)",
    "scim": "SCIM",
    "hand": "its administrators",
    "import": "an import",
}
_OF_MANNER: Final[dict[Kind, str]] = {"deletion_gap": DELETES_LATE, "not_retroactive": PUSHES_NEW}


@dataclass(frozen=True)
class Where:
    """An application and the identity provider that pushes to it, by their names for people."""

    title: str
    provider: str | None = None

    @property
    def from_where(self) -> str:
        """The provider, also where it is not known."""
        return self.provider or "the identity provider"


def sentence(found: Consequence, where: Where) -> str:
    """What was found, with its numbers and dates."""
    return _SENTENCES[found.kind](found, where)


def _since(at: datetime | None) -> str:
    return f" since {day(at)}" if at else ""


def _many(found: Consequence, verb: str = "") -> str:
    plural = {"was": "were", "has": "have", "is": "are"}
    said = counted(found.accounts, "account")
    return f"{said} {verb if found.accounts == 1 else plural[verb]}" if verb else said


def _born(found: Consequence, where: Where) -> str:
    return (
        f"{_many(found, 'was')} made in {where.title} by a sign-in{_since(found.since)} and no push ever reached them:"
        " SCIM will not close them."
    )


def _duplicates(found: Consequence, where: Where) -> str:
    people = counted(int(found.more.get("people") or 0), "person").replace("persons", "people")
    has = "has" if found.more.get("people") == 1 else "have"
    return (
        f"{people} {has} an account that SCIM pushed to {where.title} and another that a sign-in made"
        f"{_since(found.since)}: closing one leaves the other."
    )


def _flips(found: Consequence, where: Where) -> str:
    winner = NAMES[str(found.more["winner"])]
    which = " ".join(_flipped(one) for one in found.more.get("attributes") or ())
    return (
        f"Two writers overwrote each other {counted(int(found.more['changes']), 'time')} on {_many(found)} of"
        f" {where.title}{_since(found.since)}; {winner} had the last word on {found.more['won']:,} of them."
        f"{' ' if which else ''}{which}"
    )


def _flipped(one: Mapping[str, Any]) -> str:
    """`department was turned 4 times on 2 accounts; SCIM wrote it last on 2 of them (from “Sales” to “Finance”).`"""
    before, after = one["before"], one["after"]
    values = "" if before is None and after is None else f" (from {_quoted(before)} to {_quoted(after)})"
    return (
        f"{one['attribute']} was turned {counted(one['changes'], 'time')} on {counted(one['accounts'], 'account')};"
        f" {NAMES[one['winner']]} wrote it last on {one['won']:,} of them{values}."
    )


def _quoted(value: str | None) -> str:
    return "nothing" if value is None else f"“{value}”"


def _reborn(found: Consequence, where: Where) -> str:
    anew = int(found.more.get("anew") or 0)
    new = f", {anew:,} of them under a new record" if anew else ""
    return (
        f"{_many(found)} of {where.title} had been closed and came back by a sign-in{_since(found.since)}{new}: what"
        " one writer closes the other opens."
    )


def _disabled(found: Consequence, where: Where) -> str:
    return (
        f"SCIM closed {_many(found)} of {where.title}{_since(found.since)} that it had never made or changed: a push"
        " acted on accounts it did not own."
    )


def _late(found: Consequence, where: Where) -> str:
    opened = int(found.more.get("open") or 0)
    return (
        f"{_many(found, 'is')} still in {where.title} although {where.from_where} deleted their owner"
        f"{_since(found.since)} ({opened:,} of them active): it tells the application {found.more['days']} days"
        " later, and until then a sign-in or a namesake can take them over."
    )


def _older(found: Consequence, where: Where) -> str:
    return (
        f"{_many(found, 'is')} older than the first push to {where.title} ({day(found.since)}) and no push has reached"
        f" them: {where.from_where} pushes only who is assigned after that was switched on."
    )


def _unlinked(found: Consequence, where: Where) -> str:
    return (
        f"{_many(found, 'has')} no id of {where.from_where} in {where.title}, where {found.more['linked']:,} others do:"
        " a push looks for them by name or address, and may miss them or make a second one."
    )


def _back_in(found: Consequence, where: Where) -> str:
    return (
        f"{where.title} lets a closed account back in when its owner signs in through the provider before it:"
        f" {_many(found)} of people who left can be opened that way."
    )


_SENTENCES: Final[dict[Kind, Callable[[Consequence, Where], str]]] = {
    "born_outside_scim": _born,
    "duplicates": _duplicates,
    "attributes_flip": _flips,
    "reborn_by_sign_in": _reborn,
    "disabled_without_owning": _disabled,
    "deletion_gap": _late,
    "not_retroactive": _older,
    "unlinked_records": _unlinked,
    "reactivates_leavers": _back_in,
}


def steps(kind: Kind, where: Where, manners: Mapping[str, Mapping[str, Any]] | None = None) -> tuple[str, ...]:
    """The steps that end it, in their order: the identity provider first, then the application, then the proof.

    `manners`: what the provider's connector declares; steps it names in the vendor's own words go before ours.
    """
    there, own = _STEPS[kind]
    declared: Iterable[str] = ((manners or {}).get(_OF_MANNER.get(kind, "")) or {}).get("steps") or ()
    provider, title = where.from_where, where.title
    words = [text.format(provider=provider, title=title) for text in (*(declared or there), *own, _PROOF)]
    return tuple(words)


_PROOF: Final = "Pull {title} and run detect: the radar no longer shows it."
_SWITCH_OFF: Final = "In {title}, switch off that a sign-in makes accounts (JIT); SCIM alone makes them from then on."
_LINK: Final = "In {provider}, import the accounts of {title} and confirm which person each belongs to."
_ASSIGN: Final = "In {provider}, assign {title} to its people anew, by a group: each is then pushed and linked."
# At the provider; then in the application.
_STEPS: Final[dict[Kind, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "born_outside_scim": ((_LINK, _ASSIGN), (_SWITCH_OFF, "In {title}, close the accounts nobody was assigned.")),
    "duplicates": (
        ("In {provider}, keep the assignment on the account that stays, matched by an id that never changes.",),
        (_SWITCH_OFF, "In {title}, move what the other account owns, then close it; delete nothing."),
    ),
    "attributes_flip": (
        ("In {provider}, decide for each attribute which writer owns it, and stop sending it by the other.",),
        ("In {title}, let a sign-in make or change no attribute that SCIM writes.",),
    ),
    "reborn_by_sign_in": (
        ("In {provider}, take the assignment of {title} away and end the sessions, before anything is closed here.",),
        (_SWITCH_OFF, "In {title}, close the accounts that came back and end their sessions and tokens."),
    ),
    "disabled_without_owning": (
        ("In {provider}, take these accounts out of the scope of the push, or assign their owners and link them.",),
        ("In {title}, open those again whose owners still work here and need them.",),
    ),
    "deletion_gap": (
        ("In {provider}, take the assignment away and let that push go out before anybody is deleted.",),
        ("In {title}, close what the push left open, with its sessions and tokens.", _SWITCH_OFF),
    ),
    "not_retroactive": ((_LINK, _ASSIGN), (_SWITCH_OFF,)),
    "unlinked_records": ((_LINK, _ASSIGN), ("In {title}, close what stays without an owner.", _SWITCH_OFF)),
    "reactivates_leavers": (
        (
            "In {title}, let a sign-in through another provider do nothing to closed and suspended accounts.",
            "In {title}, deactivate leavers rather than suspend them, and take their link to the other provider away.",
        ),
        (),
    ),
}
