"""The rulebook: finds the rules, runs them over an estate and adds what is common to all.

Common to all are the precedence of lifecycle findings, what could not be judged because a signal is missing, and what
a finding is made of (governance.verdict).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.declaration import LIFECYCLE, SEVERITIES, SIGNALS, Rule, told, told_of_identities
from governance.errors import ConfigurationError
from governance.estate import Estate
from governance.fired import fired
from governance.settings import Policy
from governance.verdict import FINDING, ROW, NotEvaluable, Verdict, applies, collected, hold
from governance.wording import Words

Frame = nw.LazyFrame[Any]

RULES: Final = Path(__file__).parent / "rules"
_MASK_BITS: Final = 60


def all_rules(folder: Path | None = None) -> dict[str, Rule]:
    """Every rule in the folder, or every shipped one, by name: each file declares the one rule that bears its name."""
    return dict(_shipped()) if folder is None else _rules_in(folder, shipped=False)


@cache
def _shipped() -> Mapping[str, Rule]:
    return _rules_in(RULES, shipped=True)


def _rules_in(folder: Path, *, shipped: bool) -> dict[str, Rule]:
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    return {path.stem: _rule_in(path, shipped=shipped) for path in files}


def own_rules(folder: Path) -> dict[str, Rule]:
    """The operator's own rules in a folder, in the form of those shipped; none may take the name of a shipped one."""
    shipped = {path.stem for path in RULES.glob("*.py")}
    for path in sorted(folder.glob("*.py")):
        if path.stem in shipped:
            raise ConfigurationError(f"{path}: {path.stem} is the name of a shipped rule; give the file another name")
    return all_rules(folder)


def _rule_in(path: Path, *, shipped: bool) -> Rule:
    try:
        module = importlib.import_module(f"governance.rules.{path.stem}") if shipped else _loaded(path)
    except Exception as error:  # a file that somebody else wrote may fail in any way
        raise ConfigurationError(f"{path}: this rule file cannot be read: {type(error).__name__}: {error}") from error
    found = getattr(module, path.stem, None)
    if not isinstance(found, Rule):
        raise ConfigurationError(f"{path}: expected a function named {path.stem} with @rule, like the file")
    if found.name != path.stem:
        raise ConfigurationError(
            f"{path}: the rule is named {found.name!r}; expected {path.stem!r}, as the file is named"
        )
    others = [name for name, value in vars(module).items() if isinstance(value, Rule) and value is not found]
    if others:
        raise ConfigurationError(f"{path}: expected one rule, found also {', '.join(sorted(others))}")
    wanted = {
        "a docstring whose first line says what is wrong": found.explanation,
        "a title": found.title.strip(),
        "controls": found.controls,
        "identity columns": found.identity,
        f"a severity of {', '.join(SEVERITIES)}": found.severity in SEVERITIES,
        "ends_when, which says what makes the finding go away": found.ends_when.strip(),
    }
    missing = [what for what, there in wanted.items() if not there]
    if missing:
        raise ConfigurationError(f"{path}: the rule {found.name} lacks {'; '.join(missing)}")
    return found


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"leaverwatch_rules_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def in_force(rules: Mapping[str, Rule], policy: Policy, origin: Mapping[str, str] | None = None) -> dict[str, Rule]:
    """The rules the policy does not switch off, each with the severity the policy gives it.

    ConfigurationError for a rule that is none; `origin`: where each setting came from, so that its place is named.
    """
    named = [(name, f"policy.severity.{name}") for name in policy.severity]
    for name, key in sorted([*named, *((name, "policy.rules_off") for name in policy.rules_off)]):
        if name not in rules:
            place = (origin or {}).get(key, "leaverwatch.toml")
            raise ConfigurationError(f"{place}: {key}: no rule is named {name!r}; `leaverwatch rules list` names all")
    return {
        name: replace(rule, severity=policy.severity.get(name, rule.severity))
        for name, rule in rules.items()
        if name not in policy.rules_off
    }


def run(estate: Estate, policy: Policy, now: datetime, rules: Mapping[str, Rule] | None = None) -> Verdict:
    """Judge the estate by the shipped rules, or by those given, as far as the policy does not switch them off."""
    rules = in_force(all_rules(), policy) if rules is None else rules
    people = estate.identities.filter(nw.col("present")).select(nw.len().alias("count"))
    tables = collected([_told_and_relevant(estate, rules), _told_and_relevant_people(estate, rules), people])
    not_evaluable, concerned, accounts = _counted(tables[0], rules, "accounts")
    idle = _idle(not_evaluable, concerned, rules)
    asked = {name: rule for name, rule in rules.items() if name not in idle}
    against = dict.fromkeys(idle, pl.DataFrame(schema=ROW)) | fired(estate, policy, now, asked)
    of_people, people_concerned, _ = _counted(tables[1], rules, "identities")
    identities = int(tables[2].item()) if tables[2].height else 0
    applications = tables[0]["application"].n_unique()
    many = {"account": accounts, "identity": identities, "application": applications}
    words = Words(estate.settings)
    held = [hold(rules[name], rows, words, now) for name, rows in first_that_fits(against, rules).items()]
    return Verdict(
        held=held,
        not_evaluable=_together(not_evaluable, of_people),
        concerned=_together(concerned, people_concerned),
        checks=sum(many[rule.subject] for rule in rules.values()),
        estate=estate,
        rules=rules,
    )


def _together(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: {**one.get(name, {}), **other.get(name, {})} for name in (*one, *(n for n in other if n not in one))}


def _told_and_relevant(estate: Estate, rules: Mapping[str, Rule]) -> Frame:
    """Accounts not known to be inactive, counted by what is told of them and which rules are about them.

    One pass: the answers to all questions are the bits of a number, and there are few different numbers.
    """
    about = [applies(rule, estate.settings) for rule in rules.values() if rule.counted == "accounts"]
    live = estate.accounts.filter(nw.col("active").fill_null(True))
    signals = told(estate.settings)
    return _tallied(live, "application", [*(signals[name] for name in _needed(rules, "accounts")), *about])


def _told_and_relevant_people(estate: Estate, rules: Mapping[str, Rule]) -> Frame:
    """The same of identities that are there, for the rules about them; `application` is their source."""
    about = [rule.applies(estate.settings).fill_null(False) for rule in rules.values() if rule.counted == "identities"]
    there = estate.identities.filter(nw.col("present")).with_columns(application=nw.col("source"))
    signals = told_of_identities()
    return _tallied(there, "application", [*(signals[name] for name in _needed(rules, "identities")), *about])


def _needed(rules: Mapping[str, Rule], what: str) -> list[str]:
    """The signals that any rule about these needs: of no other it is counted whether it is told."""
    needs = {signal for rule in rules.values() if rule.counted == what for signal in rule.needs}
    return [name for name in SIGNALS if name in needs]


def _tallied(frame: Frame, key: str, questions: list[nw.Expr]) -> Frame:
    masks = {}
    for start in range(0, len(questions), _MASK_BITS):
        bits = [
            question.cast(nw.Int64) * (1 << bit) for bit, question in enumerate(questions[start : start + _MASK_BITS])
        ]
        masks[f"mask_{start // _MASK_BITS}"] = nw.sum_horizontal(*bits)
    return frame.select(key, **masks).group_by(key, *masks).agg(nw.len().cast(nw.Int64).alias("count"))


def _idle(unjudged: NotEvaluable, concerned: Mapping[str, Mapping[str, int]], rules: Mapping[str, Rule]) -> set[str]:
    """The rules that can hold against no account: of none they are about, everything they need is told.

    Only rules that need to know whether the account is active, because no other account was counted.
    """
    judged = {
        name
        for application, about in concerned.items()
        for name, count in about.items()
        if count > sum(unjudged.get(application, {}).get(name, {}).values())
    }
    return {
        name
        for name, rule in rules.items()
        if name not in judged
        and (rule.subject, rule.counted) == ("account", "accounts")
        and "account.active" in rule.needs
    }


def _counted(
    table: pl.DataFrame, rules: Mapping[str, Rule], what: str
) -> tuple[NotEvaluable, dict[str, dict[str, int]], int]:
    """How many each rule could not judge by reason, how many each is about, and how many there are."""
    signals = _needed(rules, what)
    bit_of = {name: bit for bit, name in enumerate(signals)}
    asked = [name for name, rule in rules.items() if rule.counted == what]
    about = {name: len(signals) + bit for bit, name in enumerate(asked)}
    unjudged: NotEvaluable = {}
    concerned: dict[str, dict[str, int]] = {}
    for application, *masks, count in table.sort(table.columns).iter_rows():
        answers = sum(mask << (_MASK_BITS * place) for place, mask in enumerate(masks))
        for name, bit in about.items():
            if answers >> bit & 1:
                here = concerned.setdefault(application, {})
                here[name] = here.get(name, 0) + count
                missing = next((signal for signal in rules[name].needs if not answers >> bit_of[signal] & 1), None)
                if missing is not None:
                    reasons = unjudged.setdefault(application, {}).setdefault(name, {})
                    reasons[SIGNALS[missing]] = reasons.get(SIGNALS[missing], 0) + count
    return unjudged, concerned, int(table["count"].sum())


def first_that_fits(against: Mapping[str, pl.DataFrame], rules: Mapping[str, Rule]) -> dict[str, pl.DataFrame]:
    """The rows each rule keeps: of the lifecycle rules, only the first that fits an account keeps it."""
    result = dict(against)
    taken: pl.DataFrame | None = None
    for name in LIFECYCLE:
        if name not in result:
            continue
        rows = result[name]
        keys = rows.select("application", "account_id")
        if taken is not None:
            rows = rows.join(taken, on=["application", "account_id"], how="anti")
        result[name] = rows
        taken = keys if taken is None else pl.concat([taken, keys])
    return {name: result[name] for name in rules if name in result}


__all__ = [
    "FINDING",
    "RULES",
    "Verdict",
    "all_rules",
    "first_that_fits",
    "in_force",
    "own_rules",
    "run",
]
