"""What a review would ask, of whom and until when, in words: the scope and the plan of one that is a draft yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from governance.house import House
from governance.parts.campaign_form import FINDERS, ONLY, SINCE, UNDECIDED, WORKERS
from governance.parts.text import dim, plain
from governance.views.words import count, rule_title


def plan_in_words(house: House, scope: Mapping[str, Any], plan: Mapping[str, Any]) -> None:
    """One line for each thing that was chosen; what has no words of its own stands there as it is written."""
    lines = [f"{dim(label)}\u2003{plain(value)}" for label, value in (*_scope(house, scope), *_plan(plan))]
    st.markdown("  \n".join(lines))


def _scope(house: House, scope: Mapping[str, Any]) -> list[tuple[str, str]]:
    given = dict(scope)
    titles = {application.name: application.label for application in house.settings.application}
    found = [
        ("Applications", _words(given.pop("applications", ()), titles) or "All"),
        ("Decided one by one", "Each account" if given.pop("items", "grants") == "accounts" else "Each entitlement"),
    ]
    only = [title for name, title in ONLY.items() if given.pop(name, False)]
    moved = given.pop("movers_days", 0)
    more = [
        ("Only", ", ".join(only)),
        ("Entitlements", _words(given.pop("entitlements", ()), {})),
        ("Departments", _words(given.pop("departments", ()), {})),
        ("Owners", _words(given.pop("workers", ()), WORKERS)),
        ("Since the last review", _words(given.pop("since_last", ()), SINCE)),
        ("With an open finding", ", ".join(rule_title(rule) for rule in given.pop("rules", ()))),
        ("Left out", "; ".join(_left_out(one) for one in given.pop("left_out", ()))),
        ("Moved within", count(moved, "day", "days") if moved else ""),
    ]
    return [*found, *((label, said) for label, said in more if said), *_rest(given)]


def _plan(plan: Mapping[str, Any]) -> list[tuple[str, str]]:
    given = dict(plan)
    levels = [_level(level) for level in given.pop("levels", ())]
    days, controls = given.pop("days", None), given.pop("controls", 0)
    undecided = given.pop("undecided", "")
    found = [
        ("Decides", levels[0] if levels else ""),
        *(("What is kept is looked at again by", level) for level in levels[1:]),
        ("Fallback", given.pop("fallback", "")),
        ("Time", count(days, "day", "days") if days else ""),
        ("What nobody decided", UNDECIDED.get(undecided, undecided)),
        ("Announced control rows", str(controls) if controls else ""),
    ]
    return [*((label, said) for label, said in found if said), *_rest(given)]


def _level(ways: Iterable[str]) -> str:
    """Of the ways of one level the first that finds somebody counts."""
    first, *others = [FINDERS.get(way, way) for way in ways]
    return ", else ".join([first, *(way[:1].lower() + way[1:] for way in others)])


def _words(given: Iterable[str], titles: Mapping[str, str]) -> str:
    return ", ".join(titles.get(one, one) for one in given)


def _rest(given: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is chosen seldom, such as kinds of accounts: under its own name, as it is written."""
    return [
        (key.replace("_", " ").capitalize(), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for key, value in given.items()
        if value
    ]


def _left_out(one: Mapping[str, Any]) -> str:
    return f"{one['account']} in {one['application']}, {one['why']}"
