"""What the browser tells of decisions, checked: only what a reviewer could have pressed comes through."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

WORDS: Final = ("keep", "remove", "change", "not_mine", "undo")
LONGEST_REASON: Final = 500  # characters; the field in the browser takes no more
LONGEST_LOOK: Final = 600.0  # seconds: who looks longer was somewhere else
MOST: Final = 500  # decisions told at once; the browser sends 200 and the others after them
_NONCE: Final = re.compile(r"[0-9A-Za-z.-]{8,64}")


@dataclass(frozen=True)
class Decided:
    """One decision told by the browser.

    It is told again until Python says that it is stored: `nonce` is its own, and whoever stores it does so once.
    """

    number: int
    decision: str  # keep | remove | change | not_mine | undo
    reason: str
    seconds: float | None  # how long the row was the current one before; of several at once, the share of each
    bulk: bool
    nonce: str  # of several decided at once: that of the press, a dot and a number

    @property
    def press(self) -> str:
        """What was decided with one press of a key has this in common."""
        return self.nonce.partition(".")[0]


def checked(batch: object, known: Container[int], critical: Container[int]) -> tuple[list[Decided], dict[str, str]]:
    """The decisions that may be believed, in the order they were made; and of the others nonce and reason.

    `known` are the numbers that may be decided here, `critical` those among them that are never decided in bulk.
    """
    believed: dict[str, Decided] = {}
    dropped: dict[str, str] = {}
    for told in _entries(batch):
        nonce = told.get("nonce")
        if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce) or nonce in believed or nonce in dropped:
            continue
        try:
            believed[nonce] = _one(told, nonce, known, critical)
        except ValueError as why:
            dropped[nonce] = str(why)
    return list(believed.values()), dropped


def nonces(batch: object) -> set[str]:
    """Every nonce that stands in what the browser told last."""
    return {told["nonce"] for told in _entries(batch) if isinstance(told.get("nonce"), str)}


def still_asked(said: Mapping[str, str], batch: object) -> dict[str, str]:
    """Of what is said of decisions only what concerns the last batch: the browser forgot the others."""
    asked = nonces(batch)
    return {nonce: why for nonce, why in said.items() if nonce in asked}


def kept(saved: Collection[str], batch: object) -> list[str]:
    """Which decisions of the last batch are stored."""
    return sorted(nonces(batch) & set(saved))


def _entries(batch: object) -> Iterator[Mapping[str, Any]]:
    told = batch.get("decisions") if isinstance(batch, Mapping) else None
    if isinstance(told, list):
        yield from (entry for entry in told[:MOST] if isinstance(entry, Mapping))


def _one(told: Mapping[str, Any], nonce: str, known: Container[int], critical: Container[int]) -> Decided:
    """The decision, or ValueError with what a reviewer can do about it."""
    number, decision, reason = told.get("number"), told.get("decision"), told.get("reason", "")
    seconds, bulk = told.get("seconds"), told.get("bulk", False)
    if not isinstance(number, int) or isinstance(number, bool) or number not in known:
        raise ValueError("this row is not one of yours to decide")
    if decision not in WORDS or not isinstance(bulk, bool):
        raise ValueError("this is no decision")
    if not isinstance(reason, str) or len(reason) > LONGEST_REASON:
        raise ValueError(f"a reason has at most {LONGEST_REASON} characters")
    reason = reason.strip()
    if decision == "change" and not reason:
        raise ValueError("a change says what it should be instead")
    if bulk and number in critical:
        raise ValueError("a critical row is decided by itself")
    if bulk and not reason:
        raise ValueError("several at once need a reason")
    return Decided(number, decision, reason, _look(seconds), bulk, nonce)


def _look(seconds: object) -> float | None:
    """How long somebody looked: a number that can be true, or unknown."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        return None
    return float(min(seconds, LONGEST_LOOK))
