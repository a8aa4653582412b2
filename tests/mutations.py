"""Answers of a vendor whose schema has changed under us: types, names and values that no contract promised (C12)."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

PER_ANSWER = 8  # so few that a page is not thrown away whole
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
# Names under which vendors say whether somebody may sign in: most mutations hit these.
_TELLING = re.compile(
    r"(?i)activ|status|state|enabled|suspend|archiv|delet|disabled|block|lock|terminat|last_?day|end_?date|frozen|role"
)
_ALTERED = {
    "null": lambda value: None,
    "nothing": lambda value: "",
    "blank": lambda value: "   ",
    "list": lambda value: [],
    "object": lambda value: {},
    "in a list": lambda value: [value],
    "in an object": lambda value: {"value": value},
    "garbage": lambda value: "perhaps",
    "huge number": lambda value: 2**63 + 11,
    "negative": lambda value: -1,
    "fraction": lambda value: 0.5,
    "as text": lambda value: str(value),
    "upper case": lambda value: str(value).upper(),
    "very long": lambda value: "x" * 10_000,
    "control": lambda value: "\u0000\u202e\ufeff",
    "gone": None,
    "extra": None,
}
_EMPTY = frozenset({"null", "list", "gone", "extra"})  # nothing is left under that name


@dataclass
class Mutation:
    """A few changes to entries of the pages of one pull, each to one entry."""

    seed: str
    paths: str
    silent: str = ""  # names whose absence is a statement
    tried: int = 0
    done: list[tuple[str, str, str]] = field(default_factory=list)  # id-ish text of the entry, path, how
    _excused: list[str] = field(default_factory=list)

    def apply(self, path: str, data: Any) -> Any:
        """The page as it arrives."""
        if not re.search(self.paths, path) or self.tried >= PER_ANSWER:
            return data
        data = copy.deepcopy(data)
        entries = _longest(data)
        chance = random.Random(f"{self.seed}:{path}")
        for entry in chance.sample(entries, min(len(entries), PER_ANSWER - self.tried)):
            if not isinstance(entry, dict) or not entry:
                continue
            whole = repr(entry)
            places = list(_leaves(entry))
            telling = [place for place in places if _TELLING.search(str(place[1]))]
            holder, name = chance.choice(telling if telling and chance.random() < 0.6 else places)
            how = chance.choice(list(_ALTERED))
            before = holder[name]
            if how == "gone":
                del holder[name]
            elif how == "extra":
                holder[f"x{name}"] = before
                holder["unheardOf"] = {"deep": [1, {"er": None}]}
            else:
                holder[name] = _ALTERED[how](before)
            self.tried += 1
            self.done.append((whole[:80], str(name), how))
            # A date that is not told any more is honestly not there: whoever has no last day has not left.
            told_no_more = isinstance(before, str) and _DATE.match(before) and how != "extra"
            # Where nothing is said by saying nothing, what is not there any more says so.
            says_nothing = self.silent and how in _EMPTY and re.search(self.silent, str(name))
            if told_no_more or says_nothing:
                self._excused.append(whole)
        return data

    def excuses(self, found: str) -> bool:
        """Whether what was changed in this entry could truly mean something else."""
        return any(found in whole for whole in self._excused)


def mutations(seed: str, paths: str, silent: str = "") -> Iterator[Mutation]:
    """Mutation after mutation, the same for the same seed."""
    return (Mutation(f"{seed}:{number}", paths, silent) for number in range(80))


@dataclass
class Renaming:
    """One name in every entry of every page becomes another; collects what names there are."""

    paths: str
    name: str
    names: set[str] = field(default_factory=set)

    def apply(self, path: str, data: Any) -> Any:
        """The page as it arrives."""
        if re.search(self.paths, path):
            data = copy.deepcopy(data)
            for entry in _longest(data):
                for holder, name in [*_leaves(entry)] if isinstance(entry, dict) else []:
                    self.names.add(name)
                    if name == self.name:
                        holder[f"x{name}"] = holder.pop(name)
        return data


def _longest(data: Any) -> list[Any]:
    """The list that a page is about."""
    if isinstance(data, list):
        return data
    if not isinstance(data, dict):
        return []
    found = [_longest(value) for value in data.values()]
    return max(found, key=len, default=[])


def _leaves(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in an entry that holds a value."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in list(pairs):
        if isinstance(node, dict):
            yield node, name
        if isinstance(value, dict | list):
            yield from _leaves(value)
