"""The rulebook: finds the rules, runs them over an estate and adds what is common to all.

Common to all are severity and score, the sentence, the evidence, the fingerprint, the precedence of lifecycle findings,
and what could not be judged because a signal is missing.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance.declaration import LIFECYCLE, SEVERITIES, SIGNALS, Rule, Severity, told
from governance.errors import ConfigurationError
from governance.estate import Estate
from governance.settings import Policy, Settings
from governance.wording import Words, iso, used_after_leaving

Frame = nw.LazyFrame[Any]
NotEvaluable = dict[str, dict[str, tuple[int, str]]]  # application -> rule -> how many accounts, and why

RULES: Final = Path(__file__).parent / "rules"
BASE_SCORE: Final[dict[Severity, int]] = {"critical": 80, "high": 60, "medium": 40, "low": 20}
FINDING: Final[dict[str, Any]] = {
    "fingerprint": pl.String,
    "rule": pl.String,
    "severity": pl.String,
    "score": pl.Int64,
    "application": pl.String,
    "account_id": pl.String,
    "username": pl.String,
    "identity_id": pl.String,
    "identity_name": pl.String,
    "reason": pl.String,
    "evidence": pl.String,
    "digest": pl.String,
    "search": pl.String,
}
# What sentences and facts may draw on, under the name it has in an account's row; renamed where an identity is meant.
_OF_AN_ACCOUNT: Final = {
    **{
        name: name
        for name in (
            *("application", "account_id", "username", "email", "employee_id", "external_id", "kind", "active"),
            *("privileged", "criticality", "last_seen_at", "last_seen_known", "match", "match_key", "candidates"),
        )
    },
    "owner_id": "identity_id",
    "owner_name": "identity_name",
    "owner_state": "state",
    "owner_ended_at": "ended_at",
    "owner_ended_why": "ended_why",
}
_OF_AN_IDENTITY: Final = {
    **{name: name for name in ("application", "identity_id", "email", "employee_id", "state", "ended_at", "ended_why")},
    "display_name": "identity_name",
}
_ROW: Final = dict.fromkeys((*_OF_AN_ACCOUNT.values(), *_OF_AN_IDENTITY.values()))
_INSTANT: Final = pl.Datetime("us", "UTC")
_MASK_BITS: Final = 60


@dataclass(frozen=True)
class Verdict:
    """What the rules hold against an estate, and what they could not judge."""

    findings: pl.DataFrame  # columns: FINDING; most severe first
    not_evaluable: NotEvaluable
    checks: int  # accounts not known to be inactive x rules; rules about identities count identities
    estate: Estate
    rules: Mapping[str, Rule]

    def unjudged(self, rule: str, accounts: pl.DataFrame) -> pl.DataFrame:
        """Which of these accounts (application, account_id) this rule cannot judge now, and the reason.

        A finding on one of them stays as it was. An account known to be inactive is judged, unless the rule looks at
        inactive accounts too; so is one that is no longer there.
        """
        found = self.rules.get(rule)
        keys = accounts.select("application", "account_id").unique()
        if found is None or not found.needs or not _about_accounts(found) or keys.is_empty():
            return pl.DataFrame(schema={"application": pl.String, "account_id": pl.String, "reason": pl.String})
        signals = told(self.estate.settings)
        relevant = _applies(found, self.estate.settings)
        if "account.active" in found.needs:
            relevant = relevant & nw.col("active").fill_null(True)
        reason: nw.Expr = nw.lit(None, nw.String)
        for signal in reversed(found.needs):
            reason = nw.when(signals[signal]).then(reason).otherwise(nw.lit(SIGNALS[signal]))
        frame = self.estate.accounts.filter(
            nw.col("application").is_in(keys["application"].unique().to_list()), relevant
        )
        if keys.height <= 1_000:
            frame = frame.filter(nw.col("account_id").is_in(keys["account_id"].unique().to_list()))
        frame = frame.select("application", "account_id", reason=reason).filter(~nw.col("reason").is_null())
        return _collect([frame])[0].join(keys, on=["application", "account_id"], how="semi")


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
    tables = _collect([*judged, _told_and_relevant(estate, rules), people])
    against = dict(zip(rules, tables, strict=False))
    not_evaluable, accounts = _counted(tables[-2], rules, estate.settings)
    identities = int(tables[-1].item()) if tables[-1].height else 0
    checks = sum(accounts if _about_accounts(rule) else identities for rule in rules.values())
    findings = _findings(_first_that_fits(against, rules), rules, Words(estate.settings))
    return Verdict(findings=findings, not_evaluable=not_evaluable, checks=checks, estate=estate, rules=rules)


def score(severity: Severity, *, privileged: bool, critical_application: bool, used_after_leaving: bool) -> int:
    """How urgent a finding is, 0 to 100; the same tomorrow if nothing happens."""
    return min(100, BASE_SCORE[severity] + 10 * privileged + 5 * critical_application + 5 * used_after_leaving)


def fingerprint(rule: Rule, row: Mapping[str, Any]) -> str:
    """What makes a finding the same finding: rule and identity values."""
    values = (str(row[column]) for column in rule.identity)
    return hashlib.sha256("\x1f".join((rule.name, *values)).encode()).hexdigest()[:16]


def _about_accounts(rule: Rule) -> bool:
    return "account_id" in rule.identity


def _narrowed(rule: Rule, frame: Frame) -> Frame:
    """Only the columns that sentences, evidence and fingerprint need, under the names they have there."""
    names = _OF_AN_ACCOUNT if _about_accounts(rule) else _OF_AN_IDENTITY
    there = frame.collect_schema().names()
    own = [column for column in dict.fromkeys((*rule.evidence, *rule.identity)) if column not in names.values()]
    return frame.select(
        *(nw.col(old).alias(new) for old, new in names.items() if old in there), *(c for c in own if c in there)
    )


def _collect(frames: Sequence[Frame]) -> list[pl.DataFrame]:
    """Compute frames of either engine; on Polars all at once, so that scans are shared."""
    natives = [nw.to_native(frame) for frame in frames]
    if all(isinstance(native, pl.LazyFrame) for native in natives):
        # As the rules write them: reordered joins of grants multiply rows (3.7 s instead of 0.2 s on 1 M accounts).
        return pl.collect_all(natives, engine="streaming", optimizations=pl.QueryOptFlags(join_order=False))
    return [_from_spark(frame.collect("polars").to_native()) for frame in frames]


def _from_spark(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col(pl.Datetime).cast(_INSTANT), pl.col(pl.Int32).cast(pl.Int64))


def _applies(rule: Rule, settings: Settings) -> nw.Expr:
    """The accounts a rule is about; while no source of truth was read, that is nobody's account and so everybody's."""
    applies = rule.applies(settings).fill_null(False)
    return applies | ~nw.col("source_read") if "source.read" in rule.needs else applies


def _told_and_relevant(estate: Estate, rules: Mapping[str, Rule]) -> Frame:
    """Accounts not known to be inactive, counted by what is told of them and which rules are about them.

    One pass: the answers to all questions are the bits of a number, and there are few different numbers.
    """
    questions = [
        *told(estate.settings).values(),
        *(_applies(rule, estate.settings) for rule in rules.values() if _about_accounts(rule)),
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
    about = {name: len(signals) + bit for bit, name in enumerate(n for n, r in rules.items() if _about_accounts(r))}
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


def _findings(against: Mapping[str, pl.DataFrame], rules: Mapping[str, Rule], words: Words) -> pl.DataFrame:
    found = [
        _finding(rules[name], words.complete({**_ROW, **row}), words)
        for name, table in against.items()
        for row in table.iter_rows(named=True)
    ]
    table = pl.DataFrame(found, schema=FINDING, orient="row")
    rank = pl.col("severity").replace_strict(list(SEVERITIES), list(range(len(SEVERITIES))), return_dtype=pl.Int64)
    ordered = table.sort(rank, "score", "fingerprint", "digest", descending=[False, True, False, False])
    return ordered.unique("fingerprint", keep="first", maintain_order=True)


def _finding(rule: Rule, row: dict[str, Any], words: Words) -> tuple[Any, ...]:
    """One finding as it is stored. The digest covers everything that a run may change, and no time of reading."""
    points = score(
        rule.severity,
        privileged=bool(row["privileged"]),
        critical_application=row["criticality"] == "high",
        used_after_leaving=used_after_leaving(row),
    )
    reason, search = rule.sentence(row), words.search(rule, row)
    values = _json({column: _plain(row[_OF_AN_ACCOUNT.get(column, column)]) for column in rule.evidence})
    identity = (row["application"], row["account_id"], row["username"], row["identity_id"], row["identity_name"])
    changeable = (rule.severity, str(points), reason, values, *(part or "" for part in identity), search)
    return (
        fingerprint(rule, row),
        rule.name,
        rule.severity,
        points,
        *identity,
        reason,
        f'{{"facts":{_json(words.facts(rule, row))},"values":{values}}}',
        hashlib.sha256("\x1f".join(changeable).encode()).hexdigest(),
        search,
    )


def _plain(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else value


_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
