"""The rulebook: finds the rules, runs them over an estate and adds what is common to all.

Common to all are the precedence of lifecycle findings, what could not be judged because a signal is missing, and what
a finding is made of (governance.verdict).
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.declaration import LIFECYCLE, SEVERITIES, SIGNALS, Rule, told
from governance.errors import ConfigurationError
from governance.estate import Estate
from governance.settings import Policy, Settings
from governance.verdict import BASE_SCORE, FINDING, NotEvaluable, Verdict, about_accounts, applies, collected, hold
from governance.wording import OF_AN_ACCOUNT, Words

Frame = nw.LazyFrame[Any]

RULES: Final = Path(__file__).parent / "rules"
# Columns a finding may need, under the name they have in its row.
_OF_AN_ACCOUNT: Final = {
    **{
        name: name
        for name in (
            *("application", "account_id", "username", "email", "employee_id", "external_id", "kind", "active"),
            *("privileged", "criticality", "last_seen_at", "last_seen_known", "match", "match_key", "candidates"),
        )
    },
    **OF_AN_ACCOUNT,
}
_OF_AN_IDENTITY: Final = {
    **{name: name for name in ("application", "identity_id", "email", "employee_id", "state", "ended_at", "ended_why")},
    "display_name": "identity_name",
}
_MASK_BITS: Final = 60


def all_rules(folder: Path | None = None) -> dict[str, Rule]:
    """Every rule in the folder, by name: each file declares the one rule that bears its name."""
    files = sorted(path for path in (folder or RULES).glob("*.py") if not path.name.startswith("_"))
    return {path.stem: _rule_in(path, shipped=folder is None) for path in files}


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


def run(estate: Estate, policy: Policy, now: datetime, rules: Mapping[str, Rule] | None = None) -> Verdict:
    """Judge the estate by all rules, or by those given."""
    rules = all_rules() if rules is None else rules
    judged = [_narrowed(rule, rule(estate, policy, now)) for rule in rules.values()]
    people = estate.identities.filter(nw.col("present")).select(nw.len().alias("count"))
    tables = collected([*judged, _told_and_relevant(estate, rules), people])
    against = dict(zip(rules, tables, strict=False))
    not_evaluable, accounts = _counted(tables[-2], rules, estate.settings)
    identities = int(tables[-1].item()) if tables[-1].height else 0
    checks = sum(accounts if about_accounts(rule) else identities for rule in rules.values())
    words = Words(estate.settings)
    held = [hold(rules[name], rows, words) for name, rows in _first_that_fits(against, rules).items()]
    return Verdict(held=held, not_evaluable=not_evaluable, checks=checks, estate=estate, rules=rules)


def _narrowed(rule: Rule, frame: Frame) -> Frame:
    """Only the columns that sentences, evidence and fingerprint need, under the names they have there."""
    names = _OF_AN_ACCOUNT if about_accounts(rule) else _OF_AN_IDENTITY
    there = frame.collect_schema().names()
    own = [column for column in dict.fromkeys((*rule.evidence, *rule.identity)) if column not in names.values()]
    return frame.select(
        *(nw.col(old).alias(new) for old, new in names.items() if old in there), *(c for c in own if c in there)
    )


def _told_and_relevant(estate: Estate, rules: Mapping[str, Rule]) -> Frame:
    """Accounts not known to be inactive, counted by what is told of them and which rules are about them.

    One pass: the answers to all questions are the bits of a number, and there are few different numbers.
    """
    questions = [
        *told(estate.settings).values(),
        *(applies(rule, estate.settings) for rule in rules.values() if about_accounts(rule)),
    ]
    masks = {}
    for start in range(0, len(questions), _MASK_BITS):
        bits = [
            question.cast(nw.Int64) * (1 << bit) for bit, question in enumerate(questions[start : start + _MASK_BITS])
        ]
        masks[f"mask_{start // _MASK_BITS}"] = nw.sum_horizontal(*bits)
    live = estate.accounts.filter(nw.col("active").fill_null(True)).select("application", **masks)
    return live.group_by("application", *masks).agg(nw.len().cast(nw.Int64).alias("count"))


def _counted(table: pl.DataFrame, rules: Mapping[str, Rule], settings: Settings) -> tuple[NotEvaluable, int]:
    """How many accounts each rule could not judge, and the reason that most of them share; and how many there are."""
    signals = {name: bit for bit, name in enumerate(told(settings))}
    about = {name: len(signals) + bit for bit, name in enumerate(n for n, r in rules.items() if about_accounts(r))}
    counts: dict[tuple[str, str], dict[str, int]] = {}
    for application, *masks, count in table.sort(table.columns).iter_rows():
        answers = sum(mask << (_MASK_BITS * place) for place, mask in enumerate(masks))
        for name, bit in about.items():
            if answers >> bit & 1:
                missing = next((signal for signal in rules[name].needs if not answers >> signals[signal] & 1), None)
                if missing is not None:
                    reasons = counts.setdefault((application, name), {})
                    reasons[missing] = reasons.get(missing, 0) + count
    result: NotEvaluable = {}
    for (application, name), reasons in counts.items():
        most = max(rules[name].needs, key=lambda signal: reasons.get(signal, 0))
        result.setdefault(application, {})[name] = (sum(reasons.values()), SIGNALS[most])
    return result, int(table["count"].sum())


def _first_that_fits(against: Mapping[str, pl.DataFrame], rules: Mapping[str, Rule]) -> dict[str, pl.DataFrame]:
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


__all__ = ["BASE_SCORE", "FINDING", "RULES", "Verdict", "all_rules", "run"]
