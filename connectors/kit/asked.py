"""What rules that fill groups ask of people, as far as a line of a role mapping can; and what no line can say."""

from __future__ import annotations

import re
from collections.abc import Mapping


def asked_of(
    rule: str, one: re.Pattern[str], either: re.Pattern[str], attributes: Mapping[str, str]
) -> tuple[str, tuple[str, ...]] | None:
    """The attribute and the values a rule asks for; None unless it is one equality, or several of one attribute.

    `one`: an equality, with the attribute and the value as its groups. `either`: what stands between alternatives.
    `attributes`: what the provider calls them, in small letters -> what role mappings do.
    """
    found = [one.fullmatch(part.strip()) for part in either.split(rule.strip())]
    names = {match[1].casefold() for match in found if match}
    if None in found or len(names) != 1 or (attribute := attributes.get(names.pop())) is None:
        return None
    return attribute, tuple(match[2] for match in found if match)


def not_asked(said: str, rule: str) -> str:
    """That a rule asks for more than a line can."""
    return f"{said}: `{rule}` is more than that an attribute known here has a value"


def assigned_alone(people: int) -> str:
    """That so many people are assigned by themselves."""
    return f"{'1 person is' if people == 1 else f'{people:,} people are'} assigned alone"
