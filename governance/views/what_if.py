"""What another policy would change, in sentences for pages and command line."""

from __future__ import annotations

from governance.findings.what_if import Moved, WhatIf
from governance.views.words import count


def sentences(told: WhatIf) -> list[str]:
    """What would open, what would close, and how that fits what people decided before."""
    said = []
    for moved, verb in ((told.opens, "open"), (told.closes, "close")):
        if moved.findings:
            said.append(f"{_number(moved)} would {verb}.")
    regraded = sum(change.regraded for change in told.changes)
    if not said:
        said.append("nothing would open or close.")
    if regraded:
        said.append(f"{count(regraded, 'finding', 'findings')} would change severity.")
    if told.closes.findings:
        said.append(f"Of those that would close, {_decided_of_closing(told.closes)}.")
    if told.opens.findings:
        said.append(f"Of those that would open, {_decided_of_opening(told.opens)}.")
    return said


def agreement(told: WhatIf) -> str:
    """How past decisions fit the change; empty when none speaks for or against it."""
    every = told.agree + told.disagree
    if not every:
        return "No past decision speaks for or against it."
    return f"{told.agree:,} of {count(every, 'past decision fits', 'past decisions fit')} this change."


def _number(moved: Moved) -> str:
    people = count(moved.people, "person", "people")
    return f"{count(moved.findings, 'finding', 'findings')} of {people} ({moved.privileged:,} on privileged accounts)"


def _decided_of_closing(moved: Moved) -> str:
    return (
        f"{moved.excluded:,} had been excluded, {moved.verified:,} led to a closure that was verified,"
        f" {moved.open:,} {'is' if moved.open == 1 else 'are'} open"
    )


def _decided_of_opening(moved: Moved) -> str:
    return (
        f"{moved.excluded:,} had been excluded, {moved.no_longer_true:,} had been resolved because"
        f" {'it was' if moved.no_longer_true == 1 else 'they were'} no longer true, {moved.unknown:,} were never found"
    )
